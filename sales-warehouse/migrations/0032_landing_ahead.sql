SET LOCAL ROLE warehouse_owner;

-- One source lands while the one before is merged, in another session than the one that holds the lock. So rows bear
-- the number of the run that read them, and the merge sees to it that they are its own.
CREATE UNLOGGED TABLE staging.landed (source text PRIMARY KEY, run_id bigint NOT NULL);
COMMENT ON TABLE staging.landed IS 'Grain: one source: the run whose rows lie in its landing tables.';
GRANT SELECT, INSERT, UPDATE ON staging.landed TO warehouse_etl;
RESET ROLE;
