found AS (
    SELECT id FROM nearest
    UNION
    (SELECT id FROM eligible WHERE $10::sparsevec IS NOT NULL AND sparse_es <#> $10 < 0
     ORDER BY sparse_es <#> $10 LIMIT $12)
    UNION
    (SELECT id FROM eligible WHERE $11::sparsevec IS NOT NULL AND sparse_en <#> $11 < 0
     ORDER BY sparse_en <#> $11 LIMIT $12)
)
SELECT id, dense_es, dense_en, sparse_es, sparse_en
FROM documents
JOIN found USING (id)
