SELECT etl.make_partition($1, $2::text::date)
