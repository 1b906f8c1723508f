SELECT revision FROM documents
WHERE id = $1 AND deleted_at IS NOT NULL AND acknowledged_revision = revision
