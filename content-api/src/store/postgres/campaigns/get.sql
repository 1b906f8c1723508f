SELECT id, body, revision, created_at, updated_at FROM campaigns WHERE id = $1
