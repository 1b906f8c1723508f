INSERT INTO etl.source_runs (run_id, source, status, read_all, as_of, duration_ms, rows_read, inserted, updated,
    deleted, quarantined, reconciled, notices, error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
