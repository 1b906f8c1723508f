SELECT pg_advisory_lock(hashtextextended('promptsales warehouse etl', 0))
