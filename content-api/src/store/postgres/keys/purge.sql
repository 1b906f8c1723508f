DELETE FROM request_keys WHERE claimed_at < $1
