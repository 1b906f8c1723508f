SELECT etl.prune_ledger()
