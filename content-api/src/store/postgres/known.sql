SELECT id FROM documents WHERE id = ANY ($1)
