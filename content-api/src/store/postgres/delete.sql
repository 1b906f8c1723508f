UPDATE documents
SET deleted_at = $2, updated_at = $2, revision = revision + 1, position = $3
WHERE id = $1 AND deleted_at IS NULL AND ($4::bigint IS NULL OR revision = $4)
RETURNING revision
