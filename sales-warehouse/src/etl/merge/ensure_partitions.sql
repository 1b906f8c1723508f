SELECT etl.ensure_partitions($1)
