SELECT fingerprint, subject, answer FROM request_keys WHERE key = $1
