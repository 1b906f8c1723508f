-- Roles belong to the whole server: another database of it may have made them, even at this moment.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['warehouse_owner', 'warehouse_etl', 'warehouse_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END
$$;

-- The layers. `etl` was made before the first migration, whose ledger lives in it.
ALTER SCHEMA etl OWNER TO warehouse_owner;
CREATE SCHEMA staging AUTHORIZATION warehouse_owner;
CREATE SCHEMA core AUTHORIZATION warehouse_owner;
CREATE SCHEMA marts AUTHORIZATION warehouse_owner;
CREATE SCHEMA audit AUTHORIZATION warehouse_owner;
COMMENT ON SCHEMA staging IS
    'Layer 1. Landing tables <system>_<table>: what the last run read, as the source has it. Views dim_*, fact_*: the same, checked and keyed as core wants it.';
COMMENT ON SCHEMA core IS 'Layer 2. The star schema: one truth, exact types, keys that hold.';
COMMENT ON SCHEMA marts IS 'Layer 3. Joins and totals that people ask for.';
COMMENT ON SCHEMA etl IS 'How the data came: watermarks, run ledger, quarantine, the merge.';
COMMENT ON SCHEMA audit IS 'Sensitive changes, append-only, written by triggers.';

GRANT USAGE ON SCHEMA staging, core, marts, etl TO warehouse_etl;
GRANT USAGE ON SCHEMA core, marts, etl TO warehouse_reader;
