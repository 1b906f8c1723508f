SELECT revision FROM documents WHERE id = $1
