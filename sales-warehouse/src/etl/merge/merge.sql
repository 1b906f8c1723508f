SELECT target, rows_read, inserted, updated, deleted, quarantined FROM etl.merge_source($1, $2, $3)
