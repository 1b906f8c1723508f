SET LOCAL ROLE warehouse_owner;

-- What merging costs besides the rows themselves: less of it. Nothing that anybody reads changes.

-- Corrections of a row stay on its page while there is room, and touch no index then.
CREATE OR REPLACE FUNCTION etl.make_partition(for_target text, month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target AND date_column IS NOT NULL;
    month := date_trunc('month', month)::date;
    EXECUTE format('CREATE TABLE core.%I PARTITION OF core.%I FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 85)',
        t.target || to_char(month, '"_"YYYY_MM'), t.target, month, month + interval '1 month');
END
$$;
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT i.inhrelid FROM pg_inherits AS i
        JOIN etl.targets AS t ON i.inhparent = format('core.%I', t.target)::regclass WHERE t.date_column IS NOT NULL
    LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 85)', partition);
    END LOOP;
    FOR partition IN SELECT oid FROM pg_class WHERE relnamespace = 'totals'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 80)', partition);
    END LOOP;
END
$$;

-- Plans over staged rows hang on how many there are, hardly on what they hold.
ALTER FUNCTION etl.merge_target(bigint, etl.targets, boolean) SET default_statistics_target = 10;

-- Daily rows are added up by month first, and their other totals from these: a tenth of the rows, or less.
CREATE FUNCTION etl.sum_months(signed text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN format('CREATE TEMPORARY TABLE summed_months AS
    SELECT s.ad_id, date_trunc(''month'', s.day::timestamp)::date AS month, s.currency, s.campaign_id, s.channel_code,
        s.market_code, s.audience_id, s.content_id, sum(s.sign) AS facts, sum(s.sign * s.impressions) AS impressions,
        sum(s.sign * s.clicks) AS clicks, sum(s.sign * s.conversions) AS conversions, sum(s.sign * s.cost) AS cost,
        max(s.day) FILTER (WHERE s.sign > 0) AS last_day
    FROM (%s) AS s GROUP BY 1, 2, 3, 4, 5, 6, 7, 8', signed);
COMMENT ON FUNCTION etl.sum_months IS 'SQL: makes pg_temp.summed_months of rows of fact_ad_daily that bear a sign.';

UPDATE etl.totals SET
    key_values = ARRAY(SELECT 's.' || k FROM unnest(key) WITH ORDINALITY AS n (k, i) ORDER BY i),
    measure_values = ARRAY(SELECT format('sum(s.%s)', m) FROM unnest(measures) WITH ORDINALITY AS n (m, i) ORDER BY i)
WHERE target = 'fact_ad_daily';
COMMENT ON TABLE etl.totals IS
    'Grain: one table of the schema totals, but for those of statements of their own: how it is added up from rows s of its fact that bear a sign, or for fact_ad_daily from pg_temp.summed_months. Written by migrations only.';

DROP FUNCTION etl.add_to_totals(text, text);
CREATE FUNCTION etl.add_to_totals(for_target text, signed text, some_go boolean) RETURNS text[] LANGUAGE sql STABLE
RETURN (
    SELECT array_agg(statement ORDER BY step) FROM (
        SELECT 1 AS step, format('UPDATE totals.facts AS t SET facts = t.facts + n.facts, measure = t.measure + n.measure
                FROM (SELECT coalesce(sum(%s), 0) AS facts, coalesce(sum(%s), 0) AS measure FROM (%s) AS s) AS n
                WHERE t.target = %L',
            CASE x.target WHEN 'fact_ad_daily' THEN 's.facts' ELSE 's.sign' END,
            CASE x.target WHEN 'fact_ad_daily' THEN 's.cost' ELSE coalesce('s.sign * s.' || quote_ident(x.measure), '0') END,
            signed, x.target) AS statement
        FROM etl.targets AS x WHERE x.target = for_target
        UNION ALL
        SELECT 2, format('INSERT INTO totals.%I AS t (%s) SELECT * FROM (SELECT %s FROM (%s) AS s %s WHERE %s GROUP BY %s) AS n
                WHERE %s ON CONFLICT (%s) DO UPDATE SET %s',
            x.total, concat_ws(', ', array_to_string(x.key, ', '), array_to_string(x.measures, ', ')),
            (SELECT string_agg(v || ' AS ' || quote_ident(c), ', ')
                FROM unnest(x.key || x.measures, x.key_values || x.measure_values) AS n (c, v)),
            signed, x.parent, x.condition, (SELECT string_agg(n::text, ', ') FROM generate_series(1, cardinality(x.key)) AS n),
            (SELECT string_agg(format('n.%I <> 0', m), ' OR ') FROM unnest(x.measures) AS m), array_to_string(x.key, ', '),
            (SELECT string_agg(format('%1$I = t.%1$I + excluded.%1$I', m), ', ') FROM unnest(x.measures) AS m))
        FROM etl.totals AS x WHERE x.target = for_target
        UNION ALL
        SELECT 3, format('DELETE FROM totals.%I WHERE facts = 0', x.total)
        FROM etl.totals AS x WHERE x.target = for_target AND some_go
    ) AS all_statements);
COMMENT ON FUNCTION etl.add_to_totals(text, text, boolean) IS
    'SQL statements that bring the totals of a fact level with rows that came and, perhaps, went.';

-- A customer's first sale is looked for among all their lines only if it is no longer what it was, or if another
-- came on its very day. Otherwise what came is compared with it.
CREATE FUNCTION etl.move_first_sales() RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY[
    'CREATE TEMPORARY TABLE unsettled AS
        SELECT f.customer_id FROM marts.first_sale AS f JOIN pg_temp.changed_sales AS g USING (customer_id, sale_id)
        WHERE g.sign < 0 AND g.status = ''completed'' AND NOT EXISTS (
            SELECT FROM pg_temp.changed_sales AS c WHERE c.sign > 0 AND c.status = ''completed''
                AND (c.customer_id, c.sale_id, c.sold_at) = (g.customer_id, g.sale_id, g.sold_at))
        UNION
        SELECT f.customer_id FROM marts.first_sale AS f JOIN pg_temp.changed_sales AS c USING (customer_id, sold_on)
        WHERE c.sign > 0 AND c.status = ''completed'' AND c.sale_id <> f.sale_id']
    || etl.find_first_sales('f.customer_id IN (SELECT u.customer_id FROM pg_temp.unsettled AS u)')
    || ARRAY['INSERT INTO marts.first_sale AS f
        SELECT DISTINCT ON (c.customer_id) c.customer_id, c.sale_id, c.sold_on FROM pg_temp.changed_sales AS c
        WHERE c.sign > 0 AND c.status = ''completed''
            AND NOT EXISTS (SELECT FROM pg_temp.unsettled AS u WHERE u.customer_id = c.customer_id)
        ORDER BY c.customer_id, c.sold_at, c.sale_id
        ON CONFLICT (customer_id) DO UPDATE SET sale_id = excluded.sale_id, sold_on = excluded.sold_on
        WHERE excluded.sold_on < f.sold_on',
        'DROP TABLE pg_temp.unsettled'];
COMMENT ON FUNCTION etl.move_first_sales IS 'SQL statements that bring marts.first_sale level with pg_temp.changed_sales.';

-- As in 0025; the lines of each sale are added up before its currencies are told apart.
CREATE FUNCTION etl.sum_sales(lines text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN format('SELECT s.sale_id, s.sold_on, date_trunc(''month'', s.sold_on::timestamp)::date AS month, s.customer_id,
        s.campaign_id, s.channel_code, s.market_code, s.lead_id, s.status, s.currency,
        row_number() OVER (PARTITION BY s.sale_id ORDER BY s.currency) = 1 AS main, s.quantity, s.net_amount, s.cost,
        s.discount
    FROM (SELECT l.sale_id, l.sold_on, l.customer_id, l.campaign_id, l.channel_code, l.market_code, l.lead_id, l.status,
            l.currency, sum(l.quantity) AS quantity, sum(l.net_amount) AS net_amount,
            sum(l.quantity * l.unit_cost) AS cost, sum(l.discount) AS discount
        FROM (%s) AS l GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) AS s', lines);
COMMENT ON FUNCTION etl.sum_sales IS 'SQL: rows of totals.sales, from their lines.';
CREATE OR REPLACE FUNCTION etl.add_up_sales(of_sales text, lines text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY[format('DELETE FROM totals.sales AS t WHERE %s', of_sales),
    'INSERT INTO totals.sales ' || etl.sum_sales(lines)];

-- As in 0025, with those.
CREATE OR REPLACE FUNCTION etl.keep_totals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
SET enable_hashjoin = on SET enable_mergejoin = on SET enable_seqscan = on AS $$
DECLARE
    signed text := CASE TG_OP WHEN 'INSERT' THEN 'SELECT 1 AS sign, c.* FROM come AS c'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, g.* FROM gone AS g'
        ELSE 'SELECT 1 AS sign, c.* FROM come AS c UNION ALL SELECT -1, g.* FROM gone AS g' END;
    some_go boolean := TG_OP <> 'INSERT';
    statements text[];
    statement text;
    something boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (%s)', signed) INTO something;
    IF NOT something THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME IN ('fact_ad_daily', 'fact_lead', 'fact_sale') AND EXISTS (SELECT FROM core.campaign_closeout) THEN
        EXECUTE format('DELETE FROM core.campaign_closeout AS o
            WHERE o.campaign_id IN (SELECT s.campaign_id FROM (%s) AS s)', signed);
    END IF;
    statements := CASE TG_TABLE_NAME
        WHEN 'fact_ad_daily' THEN ARRAY[etl.sum_months(signed)]
            || etl.add_to_totals(TG_TABLE_NAME, 'SELECT * FROM pg_temp.summed_months', some_go)
            || etl.move_last_days(signed) || 'DROP TABLE pg_temp.summed_months'::text
        WHEN 'fact_sale' THEN ARRAY['CREATE TEMPORARY TABLE changed_sales AS ' || etl.changed_sales(signed)]
            -- A sale that got a line was there before.
            || etl.add_to_totals(TG_TABLE_NAME, 'SELECT * FROM pg_temp.changed_sales', true) || etl.move_first_sales()
            || etl.add_up_sales('t.sale_id IN (SELECT c.sale_id FROM pg_temp.changed_sales AS c)',
                'SELECT * FROM pg_temp.changed_sales AS c WHERE c.sign > 0') || 'DROP TABLE pg_temp.changed_sales'::text
        ELSE etl.add_to_totals(TG_TABLE_NAME, signed, some_go) END;
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
    RETURN NULL;
END
$$;

-- Sums over whole facts: each month's apart, by as many processes as the server has to spare, which PostgreSQL allows
-- for what makes a new table and not for what fills one.
CREATE OR REPLACE FUNCTION etl.rebuild_totals(for_target text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
SET enable_partitionwise_aggregate = on AS $$
DECLARE
    signed text := format('SELECT 1 AS sign, f.* FROM core.%I AS f', for_target);
    statements text[];
    statement text;
BEGIN
    UPDATE totals.facts SET facts = 0, measure = 0, counted_at = clock_timestamp() WHERE target = for_target;
    FOR statement IN SELECT format('DELETE FROM totals.%I', total) FROM etl.totals WHERE target = for_target LOOP
        EXECUTE statement;
    END LOOP;
    IF for_target = 'fact_ad_daily' THEN
        DELETE FROM totals.campaign_last_day;
    END IF;
    statements := CASE for_target
        WHEN 'fact_ad_daily' THEN ARRAY[etl.sum_months(signed)]
            || etl.add_to_totals(for_target, 'SELECT * FROM pg_temp.summed_months', false)
            || ARRAY['INSERT INTO totals.campaign_last_day SELECT s.campaign_id, max(s.last_day)
                FROM pg_temp.summed_months AS s GROUP BY s.campaign_id',
                'DROP TABLE pg_temp.summed_months']
        WHEN 'fact_sale' THEN etl.add_to_totals(for_target, signed, false) || etl.find_first_sales('true')
            || ARRAY[format('CREATE TEMPORARY TABLE summed_sales AS %s', etl.sum_sales(signed)),
                'DELETE FROM totals.sales',
                'INSERT INTO totals.sales SELECT * FROM pg_temp.summed_sales',
                'DROP TABLE pg_temp.summed_sales']
        ELSE etl.add_to_totals(for_target, signed, false) END;
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

-- As in 0009, but a few deletions find their rows by the key's index, in whatever month they lie.
CREATE OR REPLACE FUNCTION etl.delete_gone(t etl.targets, read_all boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone bigint := 0;
    condition text;
    few boolean;
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
        SELECT count(*) * 20 < coalesce((SELECT facts FROM totals.facts WHERE target = t.target),
            (SELECT reltuples FROM pg_class WHERE oid = to_regclass(format('core.%I', t.target)))) INTO few
        FROM staging.tombstones AS x WHERE x.source = t.source AND x.table_name = t.tombstones;
        PERFORM etl.join_by_index(few);
        EXECUTE format('DELETE FROM core.%I AS f USING staging.tombstones AS x WHERE %s', t.target, condition);
        GET DIAGNOSTICS gone = ROW_COUNT;
        PERFORM etl.join_by_index(false);
        DELETE FROM etl.quarantine AS q USING staging.tombstones AS x
        WHERE q.target = t.target AND x.source = t.source AND x.table_name = t.tombstones AND x.pk = q.key;
    END IF;
    RETURN gone;
END
$$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA etl FROM PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA etl TO warehouse_etl;
RESET ROLE;
