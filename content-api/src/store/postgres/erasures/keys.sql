DELETE FROM request_keys WHERE subject = $1 AND NOT erased
