SELECT target, month::text FROM etl.missing_partitions($1)
