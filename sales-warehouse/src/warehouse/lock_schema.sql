-- Two services that start at once must not both create the schema.
SELECT pg_advisory_xact_lock(hashtext('promptsales warehouse schema'))
