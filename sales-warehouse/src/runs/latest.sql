-- $1 the sources. Each is found from the ledger's end, however long it has grown.
SELECT r.source, r.run_id, r.status, r.duration_ms, r.rows_read, r.inserted, r.updated, r.deleted, r.quarantined,
    r.error
FROM unnest($1::text[]) WITH ORDINALITY AS wanted (source, place)
CROSS JOIN LATERAL (
    SELECT * FROM etl.source_runs AS s WHERE s.source = wanted.source ORDER BY s.run_id DESC LIMIT 1) AS r
ORDER BY wanted.place
