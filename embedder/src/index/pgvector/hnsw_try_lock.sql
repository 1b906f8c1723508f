SELECT pg_try_advisory_lock(hashtext('promptsales-embedder-hnsw ' || current_schema()))
