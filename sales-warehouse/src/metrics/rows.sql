-- From the first run on: a counter must not shrink.
SELECT source, sum(rows_read)::bigint, sum(inserted)::bigint, sum(updated)::bigint, sum(deleted)::bigint,
    sum(quarantined)::bigint
FROM etl.source_runs GROUP BY source
