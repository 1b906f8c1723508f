SELECT to_jsonb(r) || jsonb_build_object('sources', coalesce((
    SELECT jsonb_agg(to_jsonb(s) - 'run_id' ORDER BY s.source) FROM etl.source_runs AS s WHERE s.run_id = r.run_id),
    '[]'))
FROM etl.runs AS r
ORDER BY r.run_id DESC
LIMIT $1
