SELECT id, body, revision, created_at, updated_at
FROM documents
WHERE deleted_at IS NULL
    AND ($1::text IS NULL OR id > $1)
    AND ($3::text IS NULL OR body ->> 'status' = $3)
    AND ($4::text IS NULL OR hashtags @> ARRAY[$4])
    AND ($5::text IS NULL OR body -> 'channels' ? $5)
    AND ($6::timestamptz IS NULL OR updated_at >= $6)
ORDER BY id
LIMIT $2
