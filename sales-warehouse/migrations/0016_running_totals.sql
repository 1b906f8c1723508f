-- What marts add up, kept level by the statements that change facts: a tick costs what it changes, and marts are
-- never behind core. Amounts stay in their own currency, so a rate that changes changes no total.
CREATE SCHEMA totals AUTHORIZATION warehouse_owner;
COMMENT ON SCHEMA totals IS 'Sums over core''s facts, kept by triggers; marts and reconciliation read them.';
SET LOCAL ROLE warehouse_owner;

CREATE TABLE totals.facts (
    target text PRIMARY KEY REFERENCES etl.targets,
    facts bigint NOT NULL,
    measure numeric NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE totals.facts IS 'Grain: one fact table: its rows, and the sum of the measure that etl.targets names.';
COMMENT ON COLUMN totals.facts.counted_at IS 'When it was added up from core last, rather than from changes.';
INSERT INTO totals.facts SELECT target, 0, 0 FROM etl.targets WHERE date_column IS NOT NULL;

CREATE TABLE totals.campaign_ads (
    campaign_id bigint, month date, currency text, facts bigint NOT NULL, impressions numeric NOT NULL,
    clicks numeric NOT NULL, conversions numeric NOT NULL, cost numeric NOT NULL,
    PRIMARY KEY (campaign_id, month, currency));
CREATE TABLE totals.campaign_last_day (campaign_id bigint PRIMARY KEY, last_day date NOT NULL);
CREATE TABLE totals.content_ads (
    content_id text PRIMARY KEY, facts bigint NOT NULL, impressions numeric NOT NULL, clicks numeric NOT NULL,
    conversions numeric NOT NULL);
CREATE TABLE totals.campaign_leads (
    campaign_id bigint PRIMARY KEY, facts bigint NOT NULL, qualified bigint NOT NULL, converted bigint NOT NULL);
CREATE TABLE totals.funnel (
    month date, market_code text, channel_code text, source text, facts bigint NOT NULL, qualified bigint NOT NULL,
    converted bigint NOT NULL, score numeric NOT NULL, PRIMARY KEY (month, market_code, channel_code, source));
CREATE TABLE totals.campaign_sales (campaign_id bigint PRIMARY KEY, facts bigint NOT NULL, sales bigint NOT NULL);
CREATE TABLE totals.campaign_revenue (
    campaign_id bigint, month date, currency text, facts bigint NOT NULL, net_amount numeric NOT NULL,
    PRIMARY KEY (campaign_id, month, currency));
CREATE TABLE totals.monthly_sales (
    month date, market_code text, channel_code text, category text, currency text, status text, facts bigint NOT NULL,
    sales bigint NOT NULL, units bigint NOT NULL, net_amount numeric NOT NULL, cost numeric NOT NULL,
    PRIMARY KEY (month, market_code, channel_code, category, currency, status));
COMMENT ON TABLE totals.campaign_ads IS 'Grain: a campaign''s advertising of one month in one currency.';
COMMENT ON TABLE totals.campaign_last_day IS 'Grain: one campaign that has daily rows.';
COMMENT ON TABLE totals.content_ads IS 'Grain: one image that ads show.';
COMMENT ON TABLE totals.campaign_leads IS 'Grain: one campaign that leads came by.';
COMMENT ON TABLE totals.funnel IS 'Grain: as marts.funnel.';
COMMENT ON TABLE totals.campaign_sales IS 'Grain: one campaign that completed sales came by.';
COMMENT ON TABLE totals.campaign_revenue IS 'Grain: a campaign''s completed sales of one month in one currency.';
COMMENT ON TABLE totals.monthly_sales IS 'Grain: as marts.monthly_sales.';

-- How each is added up from rows s of its fact, which bear a sign: 1 for a row that is there, -1 for one that was.
CREATE TABLE etl.totals (
    total text PRIMARY KEY, target text NOT NULL REFERENCES etl.targets, key text[] NOT NULL,
    key_values text[] NOT NULL, measures text[] NOT NULL, measure_values text[] NOT NULL,
    condition text NOT NULL, parent text NOT NULL DEFAULT '');
COMMENT ON TABLE etl.totals IS 'Grain: one table of the schema totals, but for those of statements of their own. Written by migrations only.';
INSERT INTO etl.totals (total, target, key, key_values, measures, measure_values, condition) VALUES
    ('campaign_ads', 'fact_ad_daily', '{campaign_id,month,currency}',
        ARRAY['s.campaign_id', 'date_trunc(''month'', s.day)::date', 's.currency'],
        '{facts,impressions,clicks,conversions,cost}', ARRAY['sum(s.sign)', 'sum(s.sign * s.impressions)',
        'sum(s.sign * s.clicks)', 'sum(s.sign * s.conversions)', 'sum(s.sign * s.cost)'], 'true'),
    ('content_ads', 'fact_ad_daily', '{content_id}', '{s.content_id}', '{facts,impressions,clicks,conversions}',
        ARRAY['sum(s.sign)', 'sum(s.sign * s.impressions)', 'sum(s.sign * s.clicks)', 'sum(s.sign * s.conversions)'],
        's.content_id IS NOT NULL'),
    ('campaign_leads', 'fact_lead', '{campaign_id}', '{s.campaign_id}', '{facts,qualified,converted}',
        ARRAY['sum(s.sign)', 'coalesce(sum(s.sign) FILTER (WHERE s.qualified_at IS NOT NULL), 0)',
        'coalesce(sum(s.sign) FILTER (WHERE s.converted_at IS NOT NULL), 0)'], 'true'),
    ('funnel', 'fact_lead', '{month,market_code,channel_code,source}',
        ARRAY['date_trunc(''month'', s.created_on)::date', 's.market_code', 's.channel_code', 's.source'],
        '{facts,qualified,converted,score}',
        ARRAY['sum(s.sign)', 'coalesce(sum(s.sign) FILTER (WHERE s.qualified_at IS NOT NULL), 0)',
        'coalesce(sum(s.sign) FILTER (WHERE s.converted_at IS NOT NULL), 0)', 'sum(s.sign * s.score)'], 'true'),
    ('campaign_sales', 'fact_sale', '{campaign_id}', '{s.campaign_id}', '{facts,sales}', ARRAY['sum(s.sign)',
        'count(DISTINCT s.sale_id) FILTER (WHERE s.sign > 0) - count(DISTINCT s.sale_id) FILTER (WHERE s.sign < 0)'],
        's.status = ''completed'''),
    ('campaign_revenue', 'fact_sale', '{campaign_id,month,currency}',
        ARRAY['s.campaign_id', 'date_trunc(''month'', s.sold_on)::date', 's.currency'], '{facts,net_amount}',
        ARRAY['sum(s.sign)', 'sum(s.sign * s.net_amount)'], 's.status = ''completed''');
INSERT INTO etl.totals VALUES
    ('monthly_sales', 'fact_sale', '{month,market_code,channel_code,category,currency,status}',
        ARRAY['date_trunc(''month'', s.sold_on)::date', 's.market_code', 's.channel_code',
            'p.category', 's.currency', 's.status'],
        '{facts,sales,units,net_amount,cost}', ARRAY['sum(s.sign)',
        'count(DISTINCT s.sale_id) FILTER (WHERE s.sign > 0) - count(DISTINCT s.sale_id) FILTER (WHERE s.sign < 0)',
        'sum(s.sign * s.quantity)', 'sum(s.sign * s.net_amount)', 'sum(s.sign * s.quantity * s.unit_cost)'], 'true',
        'JOIN core.dim_product AS p USING (product_id)');

CREATE FUNCTION etl.add_to_totals(for_target text, signed text) RETURNS text[] LANGUAGE sql STABLE
RETURN (
    SELECT array_agg(statement ORDER BY step) FROM (
        SELECT 1 AS step, format('UPDATE totals.facts AS t SET facts = t.facts + n.facts, measure = t.measure + n.measure
                FROM (SELECT coalesce(sum(s.sign), 0) AS facts, coalesce(sum(s.sign * %s), 0) AS measure FROM (%s) AS s) AS n
                WHERE t.target = %L', coalesce('s.' || quote_ident(x.measure), '0'), signed, x.target) AS statement
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
        SELECT 3, format('DELETE FROM totals.%I WHERE facts = 0', x.total) FROM etl.totals AS x WHERE x.target = for_target
    ) AS all_statements);
COMMENT ON FUNCTION etl.add_to_totals IS 'SQL statements that bring the totals of a fact level with rows that came and went.';

-- The last day of a campaign is no sum: what comes may move it on, what goes sends back to core for it.
CREATE FUNCTION etl.move_last_days(signed text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY[
    format('WITH left_over AS (
            SELECT s.campaign_id FROM (%s) AS s JOIN totals.campaign_last_day AS t
                ON t.campaign_id = s.campaign_id AND t.last_day <= s.day
            GROUP BY s.campaign_id, s.day HAVING sum(s.sign) < 0)
        DELETE FROM totals.campaign_last_day AS t USING left_over AS o WHERE o.campaign_id = t.campaign_id', signed),
    format('INSERT INTO totals.campaign_last_day AS t
        SELECT c.campaign_id, f.last_day FROM (
            SELECT DISTINCT s.campaign_id FROM (%1$s) AS s WHERE s.sign < 0
                AND NOT EXISTS (SELECT FROM totals.campaign_last_day AS k WHERE k.campaign_id = s.campaign_id)) AS c,
            LATERAL (SELECT max(f.day) AS last_day FROM core.fact_ad_daily AS f WHERE f.campaign_id = c.campaign_id) AS f
        WHERE f.last_day IS NOT NULL
        ON CONFLICT (campaign_id) DO NOTHING', signed),
    format('INSERT INTO totals.campaign_last_day AS t
        SELECT s.campaign_id, max(s.day) FROM (%s) AS s WHERE s.sign > 0 GROUP BY s.campaign_id
        ON CONFLICT (campaign_id) DO UPDATE SET last_day = excluded.last_day WHERE t.last_day < excluded.last_day', signed)];
COMMENT ON FUNCTION etl.move_last_days IS 'SQL statements that bring totals.campaign_last_day level.';

-- The view over it is made again below. A table now, for the same reason.
DROP VIEW marts.sale_lines;
DROP MATERIALIZED VIEW marts.first_sale;
CREATE TABLE marts.first_sale (customer_id bigint PRIMARY KEY, sale_id bigint NOT NULL, sold_on date NOT NULL);
COMMENT ON TABLE marts.first_sale IS 'Grain: one customer who has bought: the sale that began it. Kept by triggers on core.fact_sale.';

CREATE FUNCTION etl.find_first_sales(of_customers text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY[
    format('DELETE FROM marts.first_sale AS f WHERE %s', of_customers),
    format('INSERT INTO marts.first_sale SELECT DISTINCT ON (f.customer_id) f.customer_id, f.sale_id, f.sold_on
        FROM core.fact_sale AS f WHERE f.status = ''completed'' AND %s
        ORDER BY f.customer_id, f.sold_at, f.sale_id', of_customers)];
COMMENT ON FUNCTION etl.find_first_sales IS 'SQL statements that find the first sale of customers f, whom a condition names, anew.';

-- A sale counts once however many lines it has: so all lines of the sales that changed are looked at, as they were
-- and as they are.
CREATE FUNCTION etl.changed_sales(signed text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN format('WITH changed AS MATERIALIZED (%s),
    present AS MATERIALIZED (SELECT f.* FROM core.fact_sale AS f WHERE f.sale_id IN (SELECT c.sale_id FROM changed AS c))
    SELECT 1 AS sign, f.* FROM present AS f
    UNION ALL SELECT -1, f.* FROM present AS f WHERE NOT EXISTS (SELECT FROM changed AS c WHERE c.sign > 0
        AND (c.sale_id, c.line_no, c.sold_on) = (f.sale_id, f.line_no, f.sold_on))
    UNION ALL SELECT c.* FROM changed AS c WHERE c.sign < 0', signed);
COMMENT ON FUNCTION etl.changed_sales IS 'SQL: every line of the sales that changed, after (1) and before (-1).';

CREATE FUNCTION etl.keep_totals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB'
SET enable_hashjoin = on SET enable_mergejoin = on SET enable_seqscan = on AS $$
DECLARE
    signed text := CASE TG_OP WHEN 'INSERT' THEN 'SELECT 1 AS sign, c.* FROM come AS c'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, g.* FROM gone AS g'
        ELSE 'SELECT 1 AS sign, c.* FROM come AS c UNION ALL SELECT -1, g.* FROM gone AS g' END;
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
    IF TG_TABLE_NAME = 'fact_sale' THEN
        EXECUTE 'CREATE TEMPORARY TABLE changed_sales AS ' || etl.changed_sales(signed);
        signed := 'SELECT * FROM pg_temp.changed_sales';
    END IF;
    statements := etl.add_to_totals(TG_TABLE_NAME, signed) || CASE TG_TABLE_NAME
        WHEN 'fact_ad_daily' THEN etl.move_last_days(signed)
        WHEN 'fact_sale' THEN etl.find_first_sales(
            'f.customer_id IN (SELECT c.customer_id FROM pg_temp.changed_sales AS c)') END;
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
    IF TG_TABLE_NAME = 'fact_sale' THEN
        DROP TABLE pg_temp.changed_sales;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION etl.keep_totals IS
    'After each statement that changes a fact: brings totals level, and opens the books of campaigns whose sums it changed.';

CREATE FUNCTION etl.rebuild_totals(for_target text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
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
    statements := etl.add_to_totals(for_target, signed) || CASE for_target
        WHEN 'fact_ad_daily' THEN (etl.move_last_days(signed))[3:]
        WHEN 'fact_sale' THEN etl.find_first_sales('true') END;
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.rebuild_totals IS 'Adds up the totals of one fact from core.';

CREATE FUNCTION etl.refresh_marts_of_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM etl.rebuild_totals(TG_TABLE_NAME);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    fact text;
BEGIN
    FOR fact IN SELECT target FROM etl.targets WHERE date_column IS NOT NULL ORDER BY ordinal LOOP
        EXECUTE format('CREATE TRIGGER totals_come AFTER INSERT ON core.%I REFERENCING NEW TABLE AS come
            FOR EACH STATEMENT EXECUTE FUNCTION etl.keep_totals()', fact);
        EXECUTE format('CREATE TRIGGER totals_change AFTER UPDATE ON core.%I REFERENCING NEW TABLE AS come OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION etl.keep_totals()', fact);
        EXECUTE format('CREATE TRIGGER totals_go AFTER DELETE ON core.%I REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION etl.keep_totals()', fact);
        EXECUTE format('CREATE TRIGGER totals_truncated AFTER TRUNCATE ON core.%I
            FOR EACH STATEMENT EXECUTE FUNCTION etl.refresh_marts_of_truncated()', fact);
    END LOOP;
END
$$;

-- Sales are added up by the category that their product has now.
CREATE FUNCTION etl.recategorise() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM come AS c JOIN gone AS g USING (product_id) WHERE c.category <> g.category) THEN
        PERFORM etl.rebuild_totals('fact_sale');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER recategorise AFTER UPDATE ON core.dim_product REFERENCING NEW TABLE AS come OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION etl.recategorise();

-- Called after each run by services of the version before; by hand, after something was done behind the triggers.
CREATE OR REPLACE FUNCTION etl.refresh_marts() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM etl.rebuild_totals(target) FROM totals.facts;
END
$$;
COMMENT ON FUNCTION etl.refresh_marts IS 'Adds up all totals from core. Not needed but after changes that fire no trigger, as detaching a partition.';

-- Counts for reconciliation. What no trigger saw shows at the latest a day later.
CREATE OR REPLACE FUNCTION etl.core_totals(for_target text, OUT core_rows bigint, OUT core_sum text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    t etl.targets;
BEGIN
    SELECT * INTO STRICT t FROM etl.targets WHERE target = for_target;
    IF t.date_column IS NOT NULL THEN
        IF (SELECT counted_at < now() - interval '1 day' FROM totals.facts WHERE target = for_target) THEN
            PERFORM etl.rebuild_totals(for_target);
        END IF;
        SELECT facts, measure::text INTO core_rows, core_sum FROM totals.facts WHERE target = for_target;
    ELSE
        EXECUTE format('SELECT count(*), coalesce(sum(%s), 0)::text FROM core.%I AS f WHERE %s',
            coalesce('f.' || quote_ident(t.measure), '0'), t.target, t.keep) INTO core_rows, core_sum;
    END IF;
END
$$;
COMMENT ON FUNCTION etl.core_totals IS
    'Rows that core has of a source''s table, and the sum of its measure. Facts'' are kept by triggers, and added up anew from core once a day.';
SELECT etl.refresh_marts();
RESET ROLE;
