nearest AS (
    (SELECT id FROM eligible WHERE $9::vector IS NOT NULL
     ORDER BY half_es <#> $9::vector::halfvec LIMIT $12)
    UNION
    (SELECT id FROM eligible WHERE $9::vector IS NOT NULL
     ORDER BY half_en <#> $9::vector::halfvec LIMIT $12)
),
