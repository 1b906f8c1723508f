SELECT id, body, revision, created_at, updated_at, deleted_at IS NOT NULL AS deleted
FROM documents
WHERE revision > acknowledged_revision AND ($1::text IS NULL OR id > $1)
ORDER BY id
LIMIT $2
