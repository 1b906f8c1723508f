SELECT pg_try_advisory_lock(hashtextextended('promptsales warehouse etl', 0))
