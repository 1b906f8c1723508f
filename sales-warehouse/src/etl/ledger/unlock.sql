SELECT pg_advisory_unlock(hashtextextended('promptsales warehouse etl', 0))
