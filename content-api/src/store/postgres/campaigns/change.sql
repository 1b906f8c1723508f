-- No row comes back when it is another revision, or already equal.
UPDATE campaigns
SET body = $2, revision = revision + 1, updated_at = $3, position = $4
WHERE id = $1 AND revision = $5 AND body IS DISTINCT FROM $2
RETURNING revision
