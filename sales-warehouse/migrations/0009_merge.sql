SET LOCAL ROLE warehouse_owner;

-- One merge for every table of core. Statements are put together here, in 0008 and nowhere else, out of names
-- that stand in etl.targets and the catalogue.

CREATE FUNCTION etl.matches(key text[], staged text DEFAULT 's') RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(format('f.%1$I = %2$I.%1$I', k, staged), ' AND ') FROM unnest(key) AS k);
COMMENT ON FUNCTION etl.matches IS 'SQL: the row f of core and the staged one have the same source key.';

CREATE FUNCTION etl.key_object(key text[], staged text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT 'jsonb_build_object(' || string_agg(format('%1$L, %2$I.%1$I', k, staged), ', ') || ')'
        FROM unnest(key) AS k);
COMMENT ON FUNCTION etl.key_object IS 'SQL: the source key, as tombstones and quarantine write it.';

CREATE FUNCTION etl.bounded(payload jsonb, whole boolean) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN CASE WHEN whole OR payload IS NULL THEN coalesce(payload, '{}') ELSE (
    SELECT jsonb_object_agg(e.key, CASE WHEN jsonb_typeof(e.value) = 'string'
        THEN to_jsonb(left(e.value #>> '{}', 200)) ELSE e.value END)
    FROM jsonb_each(payload) AS e) END;
COMMENT ON FUNCTION etl.bounded IS 'The payload, with texts cut to 200 characters unless it is wanted whole.';

-- Rows that wait for a parent are staged again, unless the source has sent or deleted them anew.
CREATE FUNCTION etl.stage_waiting(t etl.targets) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO staging.%1$I SELECT (jsonb_populate_record(NULL::staging.%1$I, q.payload)).*
         FROM etl.quarantine AS q
         WHERE q.target = %2$L AND ''missing-parent'' = ANY (q.reasons)
            AND NOT EXISTS (SELECT FROM staging.%1$I AS l WHERE %3$s = q.key)
            AND NOT EXISTS (SELECT FROM staging.tombstones AS x
                WHERE x.source = %4$L AND x.table_name = %5$L AND x.pk = q.key)',
        t.landing, t.target, etl.key_object(t.key, 'l'), t.source, t.tombstones);
END
$$;

-- Rows that break a rule are kept aside; those that are sound again leave. Returns how many break one.
CREATE FUNCTION etl.set_aside(run bigint, t etl.targets, read_all boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    broken bigint;
BEGIN
    EXECUTE format(
        'INSERT INTO etl.quarantine AS q (target, key, source, reasons, rejected, payload, measure, run_id)
         SELECT %1$L, %2$s, %3$L, s.reasons, s.rejected,
            etl.bounded(s.payload, ''missing-parent'' = ANY (s.reasons)), %4$s, $1
         FROM staging.%5$I AS s WHERE s.reasons <> ''{}''
         ON CONFLICT (target, key) DO UPDATE SET reasons = excluded.reasons, rejected = excluded.rejected,
            payload = excluded.payload, measure = excluded.measure, run_id = excluded.run_id,
            last_seen_at = excluded.last_seen_at',
        t.target, etl.key_object(t.key, 's'), t.source,
        coalesce('s.' || quote_ident(t.measure), 'NULL'), t.target) USING run;
    GET DIAGNOSTICS broken = ROW_COUNT;
    IF read_all THEN
        DELETE FROM etl.quarantine AS q WHERE q.target = t.target AND q.run_id <> run;
    ELSIF EXISTS (SELECT FROM etl.quarantine AS q WHERE q.target = t.target AND q.run_id <> run) THEN
        EXECUTE format('DELETE FROM etl.quarantine AS q USING staging.%I AS s
            WHERE q.target = %L AND q.run_id <> $1 AND q.key = %s', t.target, t.target,
            etl.key_object(t.key, 's')) USING run;
    END IF;
    RETURN broken;
END
$$;

-- Whether to fill a table rather than merge into it: on a full read, if it holds little beside what comes (a
-- dimension, on which others hang: nothing), and if nobody is reading it. Dropping its keys needs it alone; others need not wait for that, nor we for them.
CREATE FUNCTION etl.may_fill(t etl.targets, staged bigint, held bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF staged = 0 OR held * 4 > staged OR (t.date_column IS NULL AND held > 0) THEN
        RETURN false;
    END IF;
    RETURN etl.take_alone(t.target);
END
$$;

-- What a fact holds that the staged rows do not say: gone or changed. For counts, before it is filled anew.
CREATE FUNCTION etl.count_changes(t etl.targets, conflict text[], others text[], OUT kept bigint, OUT changed bigint)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE %3$s)
         FROM core.%1$I AS f JOIN staging.%1$I AS s ON %2$s WHERE NOT s.rejected',
        t.target, etl.matches(conflict), CASE WHEN cardinality(others) = 0 THEN 'false' ELSE
            format('(%s) IS DISTINCT FROM (%s)', etl.list(others, 'f'), etl.list(others, 's')) END)
        INTO kept, changed;
END
$$;

-- Facts are joined to a dimension next, and checked against it partition by partition: plans made for an empty
-- table would take long over a full one.
CREATE FUNCTION etl.analyze_parent(t etl.targets, inserted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF t.date_column IS NULL AND inserted > 10000 THEN
        PERFORM etl.analyze(t.target, true);
    END IF;
END
$$;

-- Brings one table of core level with what is staged for it, but for deletions. One run at a time writes core,
-- so there is no conflict to look out for: what is there and differs is updated, what is not there is inserted.
CREATE FUNCTION etl.merge_target(run bigint, t etl.targets, read_all boolean) RETURNS etl.table_runs
LANGUAGE plpgsql AS $$
DECLARE
    counts etl.table_runs;
    all_columns text[] := etl.columns(t.target);
    conflict text[] := CASE WHEN t.date_column = ANY (t.key) THEN t.key ELSE t.key || t.date_column END;
    others text[];
    here boolean;
    held bigint := 0;
    kept bigint := 0;
    filled boolean := false;
BEGIN
    counts.run_id := run;
    counts.target := t.target;
    counts.source := t.source;
    conflict := array_remove(conflict, NULL);
    others := ARRAY(SELECT c FROM unnest(all_columns) AS c WHERE c <> ALL (conflict));
    counts.rows_read := 0;
    counts.inserted := 0;
    counts.updated := 0;
    counts.deleted := 0;
    counts.quarantined := 0;
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
                SELECT c.kept, c.changed INTO kept, counts.updated
                FROM etl.count_changes(t, conflict, others) AS c;
            END IF;
            counts.inserted := etl.fill(t.target) - kept;
            counts.deleted := held - kept;
            filled := true;
        END IF;
    END IF;
    -- A fact that is rejected breaks a rule, and one that is not breaks none: so if all are in, none does.
    IF NOT filled OR t.date_column IS NULL OR counts.inserted + kept < counts.rows_read
        OR EXISTS (SELECT FROM etl.quarantine AS q WHERE q.target = t.target)
    THEN
        counts.quarantined := etl.set_aside(run, t, read_all);
    END IF;
    IF filled THEN
        PERFORM etl.analyze_parent(t, counts.inserted);
        RETURN counts;
    END IF;
    -- What core must not have any more, or has under another date. After a full read, etl.drop_gone takes
    -- care of dimensions.
    IF held > 0 OR NOT read_all THEN
        PERFORM etl.reopen_before(t);
        IF t.date_column IS NOT NULL OR NOT read_all THEN
            EXECUTE format('DELETE FROM core.%1$I AS f USING staging.%1$I AS s WHERE %2$s AND (s.rejected%3$s)',
                t.target, etl.matches(t.key),
                CASE WHEN t.date_column IS NULL OR t.date_column = ANY (t.key) THEN ''
                    ELSE format(' OR f.%1$I <> s.%1$I', t.date_column) END);
            GET DIAGNOSTICS counts.deleted = ROW_COUNT;
        END IF;
        IF cardinality(others) > 0 THEN
            EXECUTE format('UPDATE core.%1$I AS f SET (%2$s) = ROW(%3$s) FROM staging.%1$I AS s
                WHERE %4$s AND NOT s.rejected AND (%5$s) IS DISTINCT FROM (%3$s)', t.target,
                etl.list(others, ''), etl.list(others, 's'), etl.matches(conflict), etl.list(others, 'f'));
            GET DIAGNOSTICS counts.updated = ROW_COUNT;
        END IF;
    END IF;
    EXECUTE format('INSERT INTO core.%1$I (%2$s) SELECT %3$s FROM staging.%1$I AS s WHERE NOT s.rejected%4$s',
        t.target, etl.list(all_columns, ''), etl.list(all_columns, 's'),
        CASE WHEN held = 0 AND read_all THEN '' ELSE
            format(' AND NOT EXISTS (SELECT FROM core.%I AS f WHERE %s)', t.target, etl.matches(conflict)) END);
    GET DIAGNOSTICS counts.inserted = ROW_COUNT;
    PERFORM etl.reopen_after(t);
    PERFORM etl.analyze_parent(t, counts.inserted);
    RETURN counts;
END
$$;
COMMENT ON FUNCTION etl.merge_target IS
    'Quarantines, inserts and updates one table''s rows; repeated, it changes nothing. What leaves for quarantine, or moves to another date, counts as deleted.';

-- After a full read: members that the source does not have go with everything that hangs on them. What the
-- source still has of that is staged, finds no parent, and waits in quarantine.
CREATE FUNCTION etl.drop_rows(parent regclass, condition text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    fk record;
    dropped bigint := 0;
    more bigint;
BEGIN
    FOR fk IN
        SELECT c.conrelid::regclass AS child, a.attname AS child_column, p.attname AS parent_column
        FROM pg_constraint AS c
        JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        JOIN pg_attribute AS p ON p.attrelid = c.confrelid AND p.attnum = c.confkey[1]
        WHERE c.contype = 'f' AND c.confrelid = parent AND c.conparentid = 0 AND c.confdeltype = 'a'
    LOOP
        dropped := dropped + etl.drop_rows(fk.child, format('f.%I IN (SELECT f.%I FROM %s AS f WHERE %s)',
            fk.child_column, fk.parent_column, parent, condition));
    END LOOP;
    EXECUTE format('DELETE FROM %s AS f WHERE %s', parent, condition);
    GET DIAGNOSTICS more = ROW_COUNT;
    RETURN dropped + more;
END
$$;
COMMENT ON FUNCTION etl.drop_rows IS
    'Deletes rows of a table of core, f in the condition, and their children first. Returns how many in all.';

-- Everything sound that was staged is in core: so if core has no more rows than that, nothing is gone. Counting
-- takes a fraction of the time of looking for the rows.
CREATE FUNCTION etl.has_gone(t etl.targets) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    gone boolean;
BEGIN
    EXECUTE format('SELECT (SELECT count(*) FROM core.%I AS f WHERE %s)
            <> (SELECT count(*) FROM staging.%I) - (SELECT count(*) FROM etl.quarantine WHERE target = %L AND rejected)',
        t.target, t.keep, coalesce(t.landing, t.target), t.target) INTO gone;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION etl.has_gone IS 'After a full read: whether core has rows of a target that the source does not.';

CREATE FUNCTION etl.drop_gone(run bigint, for_source text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t etl.targets;
    gone text;
    here boolean;
    dropped bigint;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source AND date_column IS NULL ORDER BY ordinal LOOP
        CONTINUE WHEN NOT etl.has_gone(t);
        gone := format('%s AND NOT EXISTS (SELECT FROM staging.%I AS s WHERE %s AND NOT s.rejected)', t.keep,
            t.target, etl.matches(t.key));
        EXECUTE format('SELECT EXISTS (SELECT FROM core.%I AS f WHERE %s)', t.target, gone) INTO here;
        IF here THEN
            dropped := etl.drop_rows(format('core.%I', t.target)::regclass, gone);
            UPDATE etl.table_runs AS r SET deleted = r.deleted + dropped
            WHERE r.run_id = run AND r.target = t.target;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.drop_gone IS 'Of every dimension of a source, after a full read, before its facts are merged.';

-- Deletions: by tombstones; after a full read, whatever the source does not have.
CREATE FUNCTION etl.delete_gone(t etl.targets, read_all boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone bigint := 0;
    condition text;
BEGIN
    IF read_all AND NOT etl.has_gone(t) THEN
        RETURN 0;
    ELSIF read_all THEN
        EXECUTE format('DELETE FROM core.%1$I AS f WHERE %2$s AND NOT EXISTS (
            SELECT FROM staging.%1$I AS s WHERE %3$s AND NOT s.rejected)', t.target, t.keep, etl.matches(t.key));
        GET DIAGNOSTICS gone = ROW_COUNT;
    ELSIF t.target = 'dim_content' THEN
        DELETE FROM core.dim_content AS f
        WHERE NOT EXISTS (SELECT FROM core.dim_ad AS a WHERE a.content_id = f.content_id)
            AND NOT EXISTS (SELECT FROM core.fact_content_use AS u WHERE u.content_id = f.content_id);
        GET DIAGNOSTICS gone = ROW_COUNT;
    ELSIF EXISTS (SELECT FROM staging.tombstones AS x
            WHERE x.source = t.source AND x.table_name = t.tombstones) THEN
        condition := format('x.source = %L AND x.table_name = %L AND %s', t.source, t.tombstones,
            (SELECT string_agg(format('f.%I = (x.pk->>%L)::%s', k, k, format_type(a.atttypid, NULL)), ' AND ')
             FROM unnest(t.key) AS k JOIN pg_attribute AS a
                ON a.attrelid = to_regclass('core.' || quote_ident(t.target)) AND a.attname = k));
        PERFORM etl.reopen_deleted(t, condition);
        EXECUTE format('DELETE FROM core.%I AS f USING staging.tombstones AS x WHERE %s', t.target, condition);
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM etl.quarantine AS q USING staging.tombstones AS x
        WHERE q.target = t.target AND x.source = t.source AND x.table_name = t.tombstones AND x.pk = q.key;
    END IF;
    RETURN gone;
END
$$;
RESET ROLE;
