SELECT pg_advisory_unlock(hashtext('promptsales-embedder-hnsw ' || current_schema()))
