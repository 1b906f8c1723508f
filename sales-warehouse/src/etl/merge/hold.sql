-- Locked, so that nobody lands other rows while these are merged.
SELECT run_id = $2 FROM staging.landed WHERE source = $1 FOR SHARE
