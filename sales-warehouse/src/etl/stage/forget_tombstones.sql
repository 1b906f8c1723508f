DELETE FROM staging.tombstones WHERE source = $1
