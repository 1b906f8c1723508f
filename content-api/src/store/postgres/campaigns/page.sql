SELECT id, body, revision, created_at, updated_at
FROM campaigns
WHERE ($1::text IS NULL OR id > $1) AND ($3::text IS NULL OR body ->> 'status' = $3)
ORDER BY id
LIMIT $2
