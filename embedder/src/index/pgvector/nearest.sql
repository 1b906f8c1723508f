nearest AS (
    (SELECT id FROM eligible WHERE $9::vector IS NOT NULL
     ORDER BY dense_es <#> $9 LIMIT $12)
    UNION
    (SELECT id FROM eligible WHERE $9::vector IS NOT NULL
     ORDER BY dense_en <#> $9 LIMIT $12)
),
