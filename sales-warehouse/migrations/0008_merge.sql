SET LOCAL ROLE warehouse_owner;

-- One merge for every table of core. Statements are put together here and nowhere else, out of names that
-- stand in etl.targets and the catalogue.

CREATE FUNCTION etl.matches(key text[], staged text DEFAULT 's') RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(format('f.%1$I = %2$I.%1$I', k, staged), ' AND ') FROM unnest(key) AS k);
COMMENT ON FUNCTION etl.matches IS 'SQL: the row f of core and the staged one have the same source key.';

CREATE FUNCTION etl.key_object(key text[], staged text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT 'jsonb_build_object(' || string_agg(format('%1$L, %2$I.%1$I', k, staged), ', ') || ')'
        FROM unnest(key) AS k);
COMMENT ON FUNCTION etl.key_object IS 'SQL: the source key, as tombstones and quarantine write it.';

CREATE FUNCTION etl.columns(target text) RETURNS text[] LANGUAGE sql STABLE
RETURN (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = to_regclass('core.' || quote_ident(target)) AND attnum > 0 AND NOT attisdropped);

CREATE FUNCTION etl.list(names text[], alias text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(CASE WHEN alias = '' THEN quote_ident(n) ELSE alias || '.' || quote_ident(n) END, ', ')
        FROM unnest(names) AS n);

CREATE FUNCTION etl.bounded(payload jsonb, whole boolean) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN CASE WHEN whole OR payload IS NULL THEN coalesce(payload, '{}') ELSE (
    SELECT jsonb_object_agg(e.key, CASE WHEN jsonb_typeof(e.value) = 'string'
        THEN to_jsonb(left(e.value #>> '{}', 200)) ELSE e.value END)
    FROM jsonb_each(payload) AS e) END;
COMMENT ON FUNCTION etl.bounded IS 'The payload, with texts cut to 200 characters unless it is wanted whole.';

-- Months of partitions: those of staged rows, this one and the next two. Only the owner may make tables.
CREATE FUNCTION etl.ensure_partitions(for_source text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
    month date;
    made integer := 0;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source AND date_column IS NOT NULL ORDER BY ordinal LOOP
        FOR month IN EXECUTE format(
            'SELECT DISTINCT date_trunc(''month'', s.%1$I)::date FROM staging.%2$I AS s
             WHERE s.%1$I IS NOT NULL AND etl.in_calendar(s.%1$I)
             UNION SELECT (date_trunc(''month'', now() AT TIME ZONE ''UTC'') + ahead * interval ''1 month'')::date
             FROM generate_series(0, 2) AS ahead', t.date_column, t.target)
        LOOP
            IF to_regclass(format('core.%I', t.target || to_char(month, '"_"YYYY_MM'))) IS NULL THEN
                EXECUTE format('CREATE TABLE core.%I PARTITION OF core.%I FOR VALUES FROM (%L) TO (%L)',
                    t.target || to_char(month, '"_"YYYY_MM'), t.target, month, month + interval '1 month');
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION etl.ensure_partitions IS
    'Makes the monthly partitions that the staged rows of a source need, and two months ahead. Returns how many.';

CREATE FUNCTION etl.analyze(for_source text, of_core boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source ORDER BY ordinal LOOP
        IF of_core THEN
            EXECUTE format('ANALYZE core.%I', t.target);
        ELSIF t.landing IS NOT NULL THEN
            EXECUTE format('ANALYZE staging.%I', t.landing);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.analyze IS 'Fresh statistics for the planner, of a source''s landing tables or of core''s.';

-- The first load of a fact: keys and indexes are made once, at its end, over all rows. In one transaction,
-- so that nobody ever sees the table without them.
CREATE FUNCTION etl.fill_empty_fact(for_target text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
    fact regclass;
    makers text[];
    statement text;
    filled bigint;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target AND date_column IS NOT NULL;
    fact := to_regclass(format('core.%I', t.target));
    SELECT array_agg(maker) INTO makers FROM (
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', fact, conname, pg_get_constraintdef(oid)) AS maker
        FROM pg_constraint WHERE conrelid = fact AND contype IN ('p', 'f')
        UNION ALL
        SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = fact AND NOT i.indisprimary
    ) AS all_makers;
    FOR statement IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', fact, conname)
        FROM pg_constraint WHERE conrelid = fact AND contype IN ('p', 'f')
        UNION ALL
        SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index AS i
        WHERE i.indrelid = fact AND NOT i.indisprimary
    LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM staging.%I AS s WHERE NOT s.rejected', fact,
        etl.list(etl.columns(t.target), ''), etl.list(etl.columns(t.target), 's'), t.target);
    GET DIAGNOSTICS filled = ROW_COUNT;
    FOREACH statement IN ARRAY makers LOOP
        EXECUTE statement;
    END LOOP;
    RETURN filled;
END
$$;
COMMENT ON FUNCTION etl.fill_empty_fact IS 'Fills an empty fact from staging. Returns how many rows.';

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

-- Brings one table of core level with what is staged for it, but for deletions.
CREATE FUNCTION etl.merge_target(run bigint, t etl.targets, read_all boolean) RETURNS etl.table_runs
LANGUAGE plpgsql AS $$
DECLARE
    counts etl.table_runs;
    all_columns text[] := etl.columns(t.target);
    conflict text[] := CASE WHEN t.date_column = ANY (t.key) THEN t.key ELSE t.key || t.date_column END;
    others text[];
    here boolean;
    known bigint;
    written bigint;
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
    counts.quarantined := etl.set_aside(run, t, read_all);
    EXECUTE format('SELECT EXISTS (SELECT FROM core.%I)', t.target) INTO here;
    IF NOT here AND t.date_column IS NOT NULL THEN
        counts.inserted := etl.fill_empty_fact(t.target);
        RETURN counts;
    END IF;
    -- What core must not have any more, or has under another date. After a full read, etl.drop_gone takes
    -- care of dimensions.
    IF t.date_column IS NOT NULL OR NOT read_all THEN
        EXECUTE format('DELETE FROM core.%1$I AS f USING staging.%1$I AS s WHERE %2$s AND (s.rejected%3$s)',
            t.target, etl.matches(t.key),
            CASE WHEN t.date_column IS NULL OR t.date_column = ANY (t.key) THEN ''
                ELSE format(' OR f.%1$I <> s.%1$I', t.date_column) END);
        GET DIAGNOSTICS counts.deleted = ROW_COUNT;
    END IF;
    EXECUTE format('SELECT count(*) FROM staging.%1$I AS s JOIN core.%1$I AS f ON %2$s WHERE NOT s.rejected',
        t.target, etl.matches(conflict)) INTO known;
    EXECUTE format(
        'WITH sound AS (SELECT %2$s FROM staging.%1$I AS s WHERE NOT s.rejected),
         written AS (
            INSERT INTO core.%1$I AS f (%3$s) SELECT * FROM sound ON CONFLICT (%4$s) DO %5$s RETURNING 1)
         SELECT (SELECT count(*) FROM sound), (SELECT count(*) FROM written)',
        t.target, etl.list(all_columns, 's'), etl.list(all_columns, ''), etl.list(conflict, ''),
        CASE WHEN cardinality(others) = 0 THEN 'NOTHING' ELSE format(
            'UPDATE SET (%1$s) = ROW(%2$s) WHERE (%3$s) IS DISTINCT FROM (%2$s)', etl.list(others, ''),
            etl.list(others, 'excluded'), etl.list(others, 'f')) END)
        INTO counts.inserted, written;
    counts.inserted := counts.inserted - known;
    counts.updated := written - counts.inserted;
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

CREATE FUNCTION etl.drop_gone(run bigint, for_source text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t etl.targets;
    gone text;
    here boolean;
    dropped bigint;
BEGIN
    FOR t IN SELECT * FROM etl.targets WHERE source = for_source AND date_column IS NULL ORDER BY ordinal LOOP
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
BEGIN
    IF read_all THEN
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
        EXECUTE format('DELETE FROM core.%I AS f USING staging.tombstones AS x
            WHERE x.source = %L AND x.table_name = %L AND %s', t.target, t.source, t.tombstones,
            (SELECT string_agg(format('f.%I = (x.pk->>%L)::%s', k, k, format_type(a.atttypid, NULL)), ' AND ')
             FROM unnest(t.key) AS k JOIN pg_attribute AS a
                ON a.attrelid = to_regclass('core.' || quote_ident(t.target)) AND a.attname = k));
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM etl.quarantine AS q USING staging.tombstones AS x
        WHERE q.target = t.target AND x.source = t.source AND x.table_name = t.tombstones AND x.pk = q.key;
    END IF;
    RETURN gone;
END
$$;
RESET ROLE;
