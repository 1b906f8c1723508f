UPDATE documents
SET body = '{}',
    revision = revision + CASE WHEN deleted_at IS NULL THEN 1 ELSE 0 END,
    deleted_at = coalesce(deleted_at, $2),
    erased_at = $2,
    updated_at = $2,
    position = $3,
    hashtags = '{}',
    perceptual_hash = NULL
WHERE id = $1
RETURNING revision
