-- No row comes back when the stored document is already equal.
INSERT INTO documents AS stored (id, body, revision, created_at, updated_at)
VALUES ($1, $2, 1, $3, $3)
ON CONFLICT (id) DO UPDATE
SET body = excluded.body,
    revision = stored.revision + 1,
    created_at = CASE WHEN stored.deleted_at IS NULL THEN stored.created_at ELSE excluded.created_at END,
    updated_at = excluded.updated_at,
    deleted_at = NULL
WHERE stored.body IS DISTINCT FROM excluded.body OR stored.deleted_at IS NOT NULL
RETURNING revision
