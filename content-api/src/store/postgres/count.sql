SELECT count(*) FROM documents WHERE deleted_at IS NULL
