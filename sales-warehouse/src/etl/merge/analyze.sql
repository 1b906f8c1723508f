SELECT etl.analyze($1, $2)
