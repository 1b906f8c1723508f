-- No row comes back when the stored document is already equal.
INSERT INTO documents AS stored
    (id, body, revision, created_at, updated_at, position, hashtags, perceptual_hash)
VALUES ($1, $2, 1, $3, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE
SET body = excluded.body,
    revision = stored.revision + 1,
    created_at = CASE WHEN stored.deleted_at IS NULL THEN stored.created_at ELSE excluded.created_at END,
    updated_at = excluded.updated_at,
    deleted_at = NULL,
    erased_at = NULL,
    position = excluded.position,
    hashtags = excluded.hashtags,
    perceptual_hash = excluded.perceptual_hash,
    request = CASE WHEN stored.erased_at IS NULL THEN stored.request END
WHERE stored.body IS DISTINCT FROM excluded.body OR stored.deleted_at IS NOT NULL
RETURNING revision
