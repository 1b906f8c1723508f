WITH last AS (SELECT max(run_id) AS run_id FROM etl.runs),
parts AS (
    SELECT source AS part, duration_ms AS ms, 0 AS step FROM etl.source_runs JOIN last USING (run_id)
    UNION ALL
    SELECT target, merge_ms, 1 FROM etl.table_runs JOIN last USING (run_id)
)
SELECT format('%s %s ms', part, round(ms)) FROM parts WHERE ms >= 100 ORDER BY step, ms DESC
