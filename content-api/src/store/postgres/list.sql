SELECT id, body, revision, created_at, updated_at
FROM documents
WHERE deleted_at IS NULL AND ($1::text IS NULL OR id > $1)
ORDER BY id
LIMIT $2
