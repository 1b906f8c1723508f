-- The request that created it, and nothing of what it said.
INSERT INTO request_keys (key, fingerprint, subject, claimed_at, erased)
SELECT request, '', id, $2, true FROM documents WHERE id = $1 AND request IS NOT NULL
ON CONFLICT (key) DO UPDATE
SET fingerprint = '', answer = NULL, claimed_at = excluded.claimed_at, erased = true
