INSERT INTO request_keys AS held (key, fingerprint, subject, claimed_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (key) DO UPDATE
SET fingerprint = excluded.fingerprint,
    subject = excluded.subject,
    claimed_at = excluded.claimed_at,
    answer = NULL,
    erased = false
WHERE held.claimed_at < $5
