UPDATE request_keys SET answer = $2 WHERE key = $1 AND answer IS NULL AND NOT erased
