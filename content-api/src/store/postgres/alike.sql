-- Eight bytes a document are compared: at 100,000 documents that is a few tens of milliseconds.
SELECT id,
    body #>> '{image,sha256}' = $1 AS exact,
    coalesce(bit_count(int8send(perceptual_hash # $2)), 0)::integer AS distance
FROM documents
WHERE deleted_at IS NULL
    AND (body #>> '{image,sha256}' = $1 OR bit_count(int8send(perceptual_hash # $2)) <= $3)
ORDER BY exact DESC, distance, id
LIMIT $4
