SELECT etl.reconcile($1, $2, $3, $4::text::numeric)
