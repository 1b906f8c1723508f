SELECT max(run_id) FROM etl.runs WHERE finished_at IS NOT NULL
