SELECT revision, request FROM documents WHERE id = $1 AND deleted_at IS NULL
