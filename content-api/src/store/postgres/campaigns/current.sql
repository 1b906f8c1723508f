SELECT revision, request FROM campaigns WHERE id = $1
