-- Sources without a watermark are those that a run came to in vain.
SELECT source, as_of FROM etl.watermarks
UNION ALL
SELECT DISTINCT r.source, NULL::timestamptz FROM etl.source_runs AS r
WHERE NOT EXISTS (SELECT FROM etl.watermarks AS w WHERE w.source = r.source)
