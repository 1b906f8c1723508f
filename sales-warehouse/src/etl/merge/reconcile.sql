SELECT etl.reconcile($1, $2, $3, $4::text::numeric, $5, $6::text::numeric)
