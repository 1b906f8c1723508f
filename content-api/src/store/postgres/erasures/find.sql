SELECT body, revision, deleted_at IS NULL AS live, erased_at IS NOT NULL AS erased
FROM documents
WHERE id = $1
FOR UPDATE
