SELECT id, body, revision, created_at, updated_at
FROM documents
WHERE id = ANY ($1) AND deleted_at IS NULL
