-- No row comes back when a live document has the id, or when what this request created was erased.
INSERT INTO documents AS stored
    (id, body, revision, created_at, updated_at, position, hashtags, perceptual_hash, request)
VALUES ($1, $2, 1, $3, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE
SET body = excluded.body,
    revision = stored.revision + 1,
    created_at = excluded.created_at,
    updated_at = excluded.updated_at,
    deleted_at = NULL,
    erased_at = NULL,
    position = excluded.position,
    hashtags = excluded.hashtags,
    perceptual_hash = excluded.perceptual_hash,
    request = excluded.request
WHERE stored.deleted_at IS NOT NULL
    AND (stored.erased_at IS NULL OR stored.request IS DISTINCT FROM excluded.request)
RETURNING revision
