INSERT INTO staging.landed (source, run_id) VALUES ($1, $2)
ON CONFLICT (source) DO UPDATE SET run_id = excluded.run_id
