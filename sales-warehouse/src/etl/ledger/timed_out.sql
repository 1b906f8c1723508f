UPDATE etl.runs SET status = 'failed', message = $2, finished_at = clock_timestamp()
WHERE run_id = $1 AND status = 'running'
