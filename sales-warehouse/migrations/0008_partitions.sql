SET LOCAL ROLE warehouse_owner;

-- What only the owner may do to tables: partitions, statistics, filling a fact without its indexes.

CREATE FUNCTION etl.columns(target text) RETURNS text[] LANGUAGE sql STABLE
RETURN (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = to_regclass('core.' || quote_ident(target)) AND attnum > 0 AND NOT attisdropped);

CREATE FUNCTION etl.list(names text[], alias text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(CASE WHEN alias = '' THEN quote_ident(n) ELSE alias || '.' || quote_ident(n) END, ', ')
        FROM unnest(names) AS n);

-- Months of partitions: those of staged rows, this one and the next two.
CREATE FUNCTION etl.missing_partitions(for_source text) RETURNS TABLE (target text, month date)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t etl.targets;
BEGIN
    FOR t IN SELECT * FROM etl.targets AS x WHERE x.source = for_source AND x.date_column IS NOT NULL
        ORDER BY x.ordinal
    LOOP
        target := t.target;
        FOR month IN EXECUTE format(
            'SELECT DISTINCT date_trunc(''month'', day)::date FROM (
                SELECT DISTINCT %1$s AS day FROM staging.%2$I AS l) AS days
             WHERE day IS NOT NULL AND etl.in_calendar(day)
             UNION SELECT (date_trunc(''month'', now() AT TIME ZONE ''UTC'') + ahead * interval ''1 month'')::date
             FROM generate_series(0, 2) AS ahead ORDER BY 1', t.landing_day, t.landing)
        LOOP
            IF to_regclass(format('core.%I', t.target || to_char(month, '"_"YYYY_MM'))) IS NULL THEN
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.missing_partitions IS
    'Months that the staged rows of a source need and core does not have, and months up to two ahead.';

-- Only the owner may make tables. Each takes some thirty locks until the transaction ends, so they are made
-- a few at a time.
CREATE FUNCTION etl.make_partition(for_target text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target AND date_column IS NOT NULL;
    month := date_trunc('month', month)::date;
    EXECUTE format('CREATE TABLE core.%I PARTITION OF core.%I FOR VALUES FROM (%L) TO (%L)',
        t.target || to_char(month, '"_"YYYY_MM'), t.target, month, month + interval '1 month');
END
$$;
COMMENT ON FUNCTION etl.make_partition IS 'Makes one monthly partition of a fact.';

-- A statement over a fact locks each of its partitions and their indexes, and one transaction merges them all.
CREATE FUNCTION etl.lock_room(missing_partitions bigint, OUT needed bigint, OUT room bigint, OUT enough bigint)
LANGUAGE sql STABLE AS $$
    SELECT locks, current_setting('max_locks_per_transaction')::bigint * sessions, ceil(locks / sessions::numeric)
    FROM (SELECT count(*) + missing_partitions * 6 + 200 AS locks,
            current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint AS sessions
        FROM pg_class WHERE relnamespace = 'core'::regnamespace AND relkind IN ('r', 'i', 'p', 'I')) AS x
$$;
COMMENT ON FUNCTION etl.lock_room IS
    'How many locks a merge may take with so many more partitions, and how many the whole server can keep; enough: the setting max_locks_per_transaction for them.';

-- A small sample does for joins over columns this plain, and the default one, taken of
-- every partition, would take longer than the merge.
CREATE FUNCTION etl.analyze(for_target text, of_core boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET default_statistics_target = 10 AS $$
DECLARE
    t etl.targets;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target;
    IF of_core THEN
        EXECUTE format('ANALYZE core.%I', t.target);
    ELSIF t.landing IS NOT NULL THEN
        EXECUTE format('ANALYZE staging.%I', t.landing);
    END IF;
END
$$;
COMMENT ON FUNCTION etl.analyze IS 'Fresh statistics for the planner, of a target''s landing table or of core''s.';

CREATE FUNCTION etl.take_alone(for_target text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    fact regclass;
    parents text;
BEGIN
    SELECT format('core.%I', target)::regclass INTO STRICT fact
    FROM etl.targets WHERE target = for_target;
    SELECT string_agg(DISTINCT confrelid::regclass::text, ', ') INTO parents
    FROM pg_constraint WHERE conrelid = fact AND contype = 'f';
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', concat_ws(', ', fact, parents));
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
END
$$;
COMMENT ON FUNCTION etl.take_alone IS
    'Locks a table of core and those it refers to for this transaction; false if somebody is using them.';

-- A table whose rows are mostly new is emptied and filled: keys and indexes are made once, at its end, over all
-- rows. In one transaction, so that nobody ever sees the table without them, and by DELETE, so that whoever
-- holds an older snapshot still finds the old rows.
-- A dimension keeps its primary key, which others refer to, and is filled only while nobody can: when it is empty.
CREATE FUNCTION etl.fill(for_target text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
    fact regclass;
    dropped "char"[];
    makers text[];
    statement text;
    filled bigint;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target;
    dropped := CASE WHEN t.date_column IS NULL THEN '{f}' ELSE '{p,f}' END;
    fact := to_regclass(format('core.%I', t.target));
    SELECT array_agg(maker) INTO makers FROM (
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', fact, conname, pg_get_constraintdef(oid)) AS maker
        FROM pg_constraint WHERE conrelid = fact AND contype = ANY (dropped)
        UNION ALL
        SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = fact AND NOT i.indisprimary
    ) AS all_makers;
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
    FOREACH statement IN ARRAY coalesce(makers, '{}') LOOP
        EXECUTE statement;
    END LOOP;
    RETURN filled;
END
$$;
COMMENT ON FUNCTION etl.fill IS 'Puts the staged rows in place of what a table of core holds. Returns how many.';
RESET ROLE;
