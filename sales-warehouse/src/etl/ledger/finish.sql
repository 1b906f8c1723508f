UPDATE etl.runs
SET status = $2, marts_refreshed = $3, campaigns_closed = $4, message = $5, finished_at = clock_timestamp()
WHERE run_id = $1
