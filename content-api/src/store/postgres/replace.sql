-- No row comes back when it is another revision, or already equal.
UPDATE documents
SET body = $2,
    revision = revision + 1,
    updated_at = $3,
    position = $4,
    hashtags = $5,
    perceptual_hash = $6
WHERE id = $1 AND deleted_at IS NULL AND revision = $7 AND body IS DISTINCT FROM $2
RETURNING revision
