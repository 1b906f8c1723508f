SELECT fingerprint, subject, answer, erased FROM request_keys WHERE key = $1
