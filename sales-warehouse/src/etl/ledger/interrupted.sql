UPDATE etl.runs SET status = 'interrupted', finished_at = clock_timestamp() WHERE status = 'running'
