INSERT INTO campaigns (id, body, revision, request, created_at, updated_at, position)
VALUES ($1, $2, 1, $3, $4, $4, $5)
ON CONFLICT (id) DO NOTHING
RETURNING revision
