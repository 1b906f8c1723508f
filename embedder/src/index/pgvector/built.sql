-- The HNSW indexes of meaning, and those that are being built beside them.
SELECT
    c.relname::text AS name,
    i.indisvalid AS valid,
    coalesce(c.reloptions, '{}') AS options,
    -- Zero marks an expression: the cast to halfvec.
    i.indkey[0] = 0 AS half
FROM pg_class AS c
JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace
  AND c.relname LIKE 'documents\_dense\_%'
