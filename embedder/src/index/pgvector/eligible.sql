-- Up to four lists of nearest documents, each filtered while it is read (HNSW scans are iterative);
-- then the vectors of their union. `<#>` is the negative inner product: less is nearer.
-- This statement has three parts: eligible.sql, nearest.sql or nearest_half.sql, candidates.sql.
WITH eligible AS NOT MATERIALIZED (
    SELECT id, dense_es, dense_en, half_es, half_en, sparse_es, sparse_en
    FROM searchable
    WHERE status = $1
      AND (cardinality($2::text[]) = 0 OR themes && $2)
      AND (cardinality($3::text[]) = 0 OR campaign_themes && $3)
      AND (cardinality($4::text[]) = 0 OR channels && $4)
      AND (cardinality($5::text[]) = 0 OR audience && $5)
      AND (cardinality($6::text[]) = 0 OR orientation = ANY ($6))
      AND ($7::text IS NULL OR territories && ARRAY[$7, '*'])
      AND ($8::date IS NULL OR (usable_from <= $8 AND coalesce(usable_until >= $8, true)))
),
