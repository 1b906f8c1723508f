SET LOCAL ROLE warehouse_owner;

-- The merge by staged keys: landing rows are checked once, into a table of the session's, and core is looked at
-- only in the months that they fall into. Totals follow by their triggers (0016), which open books as well.

CREATE FUNCTION etl.set_aside(run bigint, t etl.targets, read_all boolean, checked text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    broken bigint;
BEGIN
    EXECUTE format(
        'INSERT INTO etl.quarantine AS q (target, key, source, reasons, rejected, payload, measure, run_id)
         SELECT %1$L, %2$s, %3$L, s.reasons, s.rejected,
            etl.bounded(s.payload, ''missing-parent'' = ANY (s.reasons)), %4$s, $1
         FROM %5$s AS s WHERE s.reasons <> ''{}''
         ON CONFLICT (target, key) DO UPDATE SET reasons = excluded.reasons, rejected = excluded.rejected,
            payload = excluded.payload, measure = excluded.measure, run_id = excluded.run_id,
            last_seen_at = excluded.last_seen_at',
        t.target, etl.key_object(t.key, 's'), t.source,
        coalesce('s.' || quote_ident(t.measure), 'NULL'), checked) USING run;
    GET DIAGNOSTICS broken = ROW_COUNT;
    IF read_all THEN
        DELETE FROM etl.quarantine AS q WHERE q.target = t.target AND q.run_id <> run;
    ELSIF EXISTS (SELECT FROM etl.quarantine AS q WHERE q.target = t.target AND q.run_id <> run) THEN
        EXECUTE format('DELETE FROM etl.quarantine AS q USING %s AS s
            WHERE q.target = %L AND q.run_id <> $1 AND q.key = %s', checked, t.target,
            etl.key_object(t.key, 's')) USING run;
    END IF;
    RETURN broken;
END
$$;
COMMENT ON FUNCTION etl.set_aside(bigint, etl.targets, boolean, text) IS
    'Keeps the rows of checked that break a rule aside; those that are sound again leave. Returns how many break one.';

CREATE FUNCTION etl.staged_months(t etl.targets) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    months text;
BEGIN
    IF t.date_column IS NULL THEN
        RETURN 'true';
    END IF;
    -- Months in a row are one range.
    EXECUTE format(
        'SELECT string_agg(format(''(f.%1$I >= %%L AND f.%1$I < %%L)'', first, past), '' OR '') FROM (
            SELECT min(month)::date AS first, (max(month) + interval ''1 month'')::date AS past FROM (
                SELECT month, month - row_number() OVER (ORDER BY month) * interval ''1 month'' AS island FROM (
                    SELECT DISTINCT date_trunc(''month'', s.%1$I)::timestamp AS month FROM pg_temp.checked AS s
                    WHERE NOT s.rejected) AS months) AS numbered
            GROUP BY island) AS islands', t.date_column) INTO months;
    RETURN coalesce('(' || months || ')', 'false');
END
$$;
COMMENT ON FUNCTION etl.staged_months IS 'SQL: f lies in a month of a sound checked row, so that the planner leaves out the other partitions.';

CREATE FUNCTION etl.join_by_index(always boolean) RETURNS bigint LANGUAGE sql
RETURN (SELECT count(set_config(setting, CASE WHEN always THEN 'off' ELSE 'on' END, true))
        FROM unnest(ARRAY['enable_hashjoin', 'enable_mergejoin']) AS setting);
COMMENT ON FUNCTION etl.join_by_index IS 'Whether the planner, in this transaction, may join by index only.';

-- Rows of pg_temp.checked into core. One run at a time writes core, so there is no conflict to look out for.
CREATE FUNCTION etl.merge_checked(t etl.targets, INOUT counts etl.table_runs) LANGUAGE plpgsql AS $$
DECLARE
    all_columns text[] := etl.columns(t.target);
    conflict text[] := array_remove(CASE WHEN t.date_column = ANY (t.key) THEN t.key ELSE t.key || t.date_column END, NULL);
    others text[] := ARRAY(SELECT c FROM unnest(all_columns) AS c WHERE c <> ALL (conflict));
    months text := etl.staged_months(t);
    few boolean;
    there bigint;
BEGIN
    -- Few rows find theirs by the key's index, each in its partition; the planner would reckon with a look into
    -- every partition for each row, and read all of them instead.
    SELECT count(*) * 20 < coalesce((SELECT facts FROM totals.facts WHERE target = t.target),
        (SELECT reltuples FROM pg_class WHERE oid = to_regclass(format('core.%I', t.target)))) INTO few FROM pg_temp.checked;
    PERFORM etl.join_by_index(few);
    EXECUTE format('CREATE TEMPORARY TABLE updated ON COMMIT DROP AS SELECT %s FROM pg_temp.checked AS s LIMIT 0',
        etl.list(conflict, 's'));
    IF EXISTS (SELECT FROM pg_temp.checked AS s WHERE s.rejected) THEN
        EXECUTE format('DELETE FROM core.%I AS f USING pg_temp.checked AS s WHERE s.rejected AND %s',
            t.target, etl.matches(t.key));
        GET DIAGNOSTICS counts.deleted = ROW_COUNT;
    END IF;
    IF cardinality(others) > 0 THEN
        EXECUTE format('WITH u AS (
                UPDATE core.%1$I AS f SET (%2$s) = ROW(%3$s) FROM pg_temp.checked AS s
                WHERE %4$s AND %6$s AND NOT s.rejected AND (%5$s) IS DISTINCT FROM (%3$s) RETURNING %7$s)
            INSERT INTO pg_temp.updated SELECT * FROM u', t.target, etl.list(others, ''), etl.list(others, 's'),
            etl.matches(conflict), etl.list(others, 'f'), months, etl.list(conflict, 'f'));
        GET DIAGNOSTICS counts.updated = ROW_COUNT;
    END IF;
    -- What was updated just now need not be looked for again.
    PERFORM etl.join_by_index(false);
    EXECUTE format('CREATE TEMPORARY TABLE others ON COMMIT DROP AS SELECT %s FROM pg_temp.checked AS s
        WHERE NOT s.rejected AND NOT EXISTS (SELECT FROM pg_temp.updated AS f WHERE %s)',
        etl.list(all_columns, 's'), etl.matches(conflict));
    PERFORM etl.join_by_index(few);
    EXECUTE format('CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS
        SELECT s.* FROM pg_temp.others AS s WHERE NOT EXISTS (SELECT FROM core.%I AS f WHERE %s AND %s)',
        t.target, etl.matches(conflict), months);
    GET DIAGNOSTICS there = ROW_COUNT;
    -- What comes under a date that core has not may stand there under another. Keys above every known one do not.
    IF there > 0 AND t.date_column IS NOT NULL AND t.date_column <> ALL (t.key) THEN
        EXECUTE format('DELETE FROM core.%1$I AS f USING pg_temp.fresh AS s
            WHERE %2$s AND s.%3$I <= (SELECT max(m.%3$I) FROM core.%1$I AS m)', t.target, etl.matches(t.key), t.key[1]);
        GET DIAGNOSTICS there = ROW_COUNT;
        counts.deleted := counts.deleted + there;
    END IF;
    EXECUTE format('INSERT INTO core.%I (%s) SELECT %s FROM pg_temp.fresh AS s',
        t.target, etl.list(all_columns, ''), etl.list(all_columns, 's'));
    GET DIAGNOSTICS counts.inserted = ROW_COUNT;
    DROP TABLE pg_temp.fresh, pg_temp.others, pg_temp.updated;
    PERFORM etl.join_by_index(false);
END
$$;
COMMENT ON FUNCTION etl.merge_checked IS
    'Updates what is there and differs, inserts what is not. What leaves for quarantine, or moves to another date, counts as deleted.';

CREATE OR REPLACE FUNCTION etl.merge_target(run bigint, t etl.targets, read_all boolean) RETURNS etl.table_runs
LANGUAGE plpgsql AS $$
DECLARE
    counts etl.table_runs;
    conflict text[] := array_remove(CASE WHEN t.date_column = ANY (t.key) THEN t.key ELSE t.key || t.date_column END, NULL);
    here boolean;
    held bigint := 0;
    kept bigint := 0;
BEGIN
    SELECT run, t.target, t.source, 0, 0, 0, 0, 0
    INTO counts.run_id, counts.target, counts.source, counts.rows_read, counts.inserted, counts.updated, counts.deleted,
        counts.quarantined;
    IF t.landing IS NOT NULL THEN
        EXECUTE format('SELECT count(*) FROM staging.%I', t.landing) INTO counts.rows_read;
        IF NOT read_all THEN
            PERFORM etl.stage_waiting(t);
        END IF;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM staging.%I)', coalesce(t.landing, t.target)) INTO here;
    IF NOT here AND NOT read_all THEN
        RETURN counts;
    END IF;
    IF read_all THEN
        EXECUTE format('SELECT count(*) FROM core.%I', t.target) INTO held;
        IF etl.may_fill(t, counts.rows_read, held) THEN
            IF held > 0 THEN
                SELECT c.kept, c.changed INTO kept, counts.updated FROM etl.count_changes(t, conflict,
                    ARRAY(SELECT c FROM unnest(etl.columns(t.target)) AS c WHERE c <> ALL (conflict))) AS c;
            END IF;
            counts.inserted := etl.fill(t.target) - kept;
            counts.deleted := held - kept;
            -- A fact that is rejected breaks a rule, and one that is not breaks none: so if all are in, none does.
            IF t.date_column IS NULL OR counts.inserted + kept < counts.rows_read
                OR EXISTS (SELECT FROM etl.quarantine AS q WHERE q.target = t.target)
            THEN
                counts.quarantined := etl.set_aside(run, t, read_all, format('staging.%I', t.target));
            END IF;
            PERFORM etl.analyze_parent(t, counts.inserted);
            RETURN counts;
        END IF;
    END IF;
    EXECUTE format('CREATE TEMPORARY TABLE checked ON COMMIT DROP AS
        SELECT %s, s.reasons, s.rejected, CASE WHEN s.reasons <> ''{}'' THEN s.payload END AS payload FROM staging.%I AS s',
        etl.list(etl.columns(t.target), 's'), t.target);
    ANALYZE pg_temp.checked;
    counts.quarantined := etl.set_aside(run, t, read_all, 'pg_temp.checked');
    counts := etl.merge_checked(t, counts);
    DROP TABLE pg_temp.checked;
    PERFORM etl.analyze_parent(t, counts.inserted);
    RETURN counts;
END
$$;

DROP FUNCTION etl.set_aside(bigint, etl.targets, boolean);
DROP FUNCTION etl.reopen_before, etl.reopen_after;
-- Called by delete_gone; the trigger sees the deletion itself.
CREATE OR REPLACE FUNCTION etl.reopen_deleted(t etl.targets, gone text) RETURNS void LANGUAGE sql AS '';

-- As in 0008, with totals left for the end of the merge, and with keys to large dimensions checked row by row:
-- by default each partition's check would read the whole dimension.
CREATE OR REPLACE FUNCTION etl.fill(for_target text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
    fact regclass;
    dropped "char"[];
    partitions bigint;
    maker record;
    makers jsonb;
    statement text;
    filled bigint;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target;
    dropped := CASE WHEN t.date_column IS NULL THEN '{f}' ELSE '{p,f}' END;
    fact := to_regclass(format('core.%I', t.target));
    SELECT count(*) INTO partitions FROM pg_inherits WHERE inhparent = fact;
    SELECT jsonb_agg(m) INTO makers FROM (
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', fact, c.conname, pg_get_constraintdef(c.oid)) AS make,
            coalesce(p.reltuples, 0) AS parent_rows
        FROM pg_constraint AS c LEFT JOIN pg_class AS p ON p.oid = c.confrelid
        WHERE c.conrelid = fact AND c.contype = ANY (dropped)
        UNION ALL
        SELECT pg_get_indexdef(i.indexrelid), 0 FROM pg_index AS i WHERE i.indrelid = fact AND NOT i.indisprimary
    ) AS m;
    IF t.date_column IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', fact);
    END IF;
    EXECUTE format('DELETE FROM %s', fact);
    FOR statement IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', fact, conname)
        FROM pg_constraint WHERE conrelid = fact AND contype = ANY (dropped)
        UNION ALL
        SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index AS i
        WHERE i.indrelid = fact AND NOT i.indisprimary
    LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM staging.%I AS s WHERE NOT s.rejected', fact,
        etl.list(etl.columns(t.target), ''), etl.list(etl.columns(t.target), 's'), t.target);
    GET DIAGNOSTICS filled = ROW_COUNT;
    FOR maker IN SELECT * FROM jsonb_to_recordset(coalesce(makers, '[]')) AS m (make text, parent_rows float8) LOOP
        PERFORM etl.join_by_index(maker.parent_rows * partitions > 4 * filled);
        EXECUTE maker.make;
    END LOOP;
    PERFORM etl.join_by_index(false);
    IF t.date_column IS NOT NULL THEN
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', fact);
    END IF;
    RETURN filled;
END
$$;

CREATE FUNCTION etl.rebuild_totals_of_source(for_source text) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    SELECT etl.rebuild_totals(t.target) FROM etl.targets AS t
    WHERE t.source = for_source AND t.date_column IS NOT NULL ORDER BY t.ordinal;
END;
COMMENT ON FUNCTION etl.rebuild_totals_of_source IS 'After a full read, which fills facts behind their triggers.';

-- As in 0010, but facts are looked through for moved campaigns only if there are such, and rows that wait for a
-- campaign are found by their index: there are few or none, which the planner cannot know of each partition.
CREATE OR REPLACE FUNCTION etl.resolve_campaigns() RETURNS bigint LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    fact text;
    resolved bigint := 0;
    more bigint;
BEGIN
    FOREACH fact IN ARRAY ARRAY['fact_lead', 'fact_opportunity', 'fact_sale'] LOOP
        IF EXISTS (SELECT FROM staging.moved AS m WHERE m.campaign_id IS NOT NULL) THEN
            EXECUTE format('UPDATE core.%I AS f SET campaign_id = 0
                FROM core.dim_campaign AS c
                WHERE c.campaign_id = f.campaign_id AND c.campaign_id > 0 AND f.campaign_code <> c.campaign_code
                    AND c.campaign_id IN (SELECT m.campaign_id FROM staging.moved AS m)', fact);
        END IF;
        EXECUTE format('UPDATE core.%I AS f SET campaign_id = c.campaign_id
            FROM core.dim_campaign AS c
            WHERE f.campaign_id = 0 AND f.campaign_code = c.campaign_code AND c.campaign_id > 0', fact);
        GET DIAGNOSTICS more = ROW_COUNT;
        resolved := resolved + more;
    END LOOP;
    RETURN resolved;
END
$$;

-- As in 0010; after a full read totals are added up.
CREATE OR REPLACE FUNCTION etl.merge_source(run bigint, for_source text, read_all boolean) RETURNS SETOF etl.table_runs
LANGUAGE plpgsql AS $$
DECLARE
    t etl.targets;
    counts etl.table_runs;
    gone bigint;
    dropped boolean := NOT read_all;
    begun timestamptz;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal LOOP
        IF t.date_column IS NOT NULL AND NOT dropped THEN
            PERFORM etl.drop_gone(run, for_source);
            dropped := true;
        END IF;
        begun := clock_timestamp();
        counts := etl.merge_target(run, t, read_all);
        IF t.target = 'dim_ad' THEN
            counts.updated := counts.updated + etl.follow_ads();
        ELSIF t.target = 'dim_campaign' AND counts.inserted + counts.updated > 0 THEN
            counts.updated := counts.updated + etl.resolve_campaigns();
        ELSIF t.target IN ('dim_channel', 'dim_market') AND counts.inserted > 0 THEN
            -- New members, for which PromptCrm's rows may have waited.
            UPDATE etl.watermarks AS w SET read_all = true
            WHERE w.source = 'promptcrm' AND (
                EXISTS (SELECT FROM core.fact_lead WHERE channel_code = 'unknown' OR market_code = '??')
                OR EXISTS (SELECT FROM core.fact_sale WHERE channel_code = 'unknown' OR market_code = '??')
                OR EXISTS (SELECT FROM core.fact_opportunity WHERE market_code = '??'));
        END IF;
        counts.merge_ms := extract(epoch FROM clock_timestamp() - begun) * 1000;
        INSERT INTO etl.table_runs SELECT counts.*;
    END LOOP;
    -- Children go before their parents.
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal DESC LOOP
        gone := etl.delete_gone(t, read_all);
        UPDATE etl.table_runs AS r SET deleted = r.deleted + gone
        WHERE r.run_id = run AND r.target = t.target AND gone > 0;
    END LOOP;
    -- A campaign that is gone leaves facts without one, whose code another may bear by now.
    IF for_source = 'promptads' AND EXISTS (SELECT FROM etl.table_runs AS r
            WHERE r.run_id = run AND r.target = 'dim_campaign' AND r.deleted > 0) THEN
        gone := etl.resolve_campaigns();
        UPDATE etl.table_runs AS r SET updated = r.updated + gone
        WHERE r.run_id = run AND r.target = 'dim_campaign';
    END IF;
    IF read_all THEN
        PERFORM etl.rebuild_totals_of_source(for_source);
    END IF;
    PERFORM etl.reopen_after_merge(run, for_source, read_all);
    RETURN QUERY SELECT * FROM etl.table_runs AS r WHERE r.run_id = run AND r.source = for_source ORDER BY target;
END
$$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA etl FROM PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA etl TO warehouse_etl;
RESET ROLE;
