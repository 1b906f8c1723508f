SET LOCAL ROLE warehouse_owner;

-- What most questions read in place of the two largest facts: a month of an ad in place of its days, a sale in place of
-- its lines. The semantic model names them as rollups; the compiler takes them where the answer is the same.
CREATE TABLE totals.ad_months (
    ad_id bigint, month date, currency text, campaign_id bigint, channel_code text, market_code text, audience_id bigint,
    content_id text, facts bigint NOT NULL, impressions numeric NOT NULL, clicks numeric NOT NULL,
    conversions numeric NOT NULL, cost numeric NOT NULL,
    UNIQUE NULLS NOT DISTINCT (ad_id, month, currency, campaign_id, channel_code, market_code, audience_id, content_id));
COMMENT ON TABLE totals.ad_months IS 'Grain: one ad in one month, in one currency and with the same attributes.';
INSERT INTO etl.totals (total, target, key, key_values, measures, measure_values, condition) VALUES
    ('ad_months', 'fact_ad_daily', '{ad_id,month,currency,campaign_id,channel_code,market_code,audience_id,content_id}',
        ARRAY['s.ad_id', 'date_trunc(''month'', s.day::timestamp)::date', 's.currency', 's.campaign_id',
            's.channel_code', 's.market_code', 's.audience_id', 's.content_id'],
        '{facts,impressions,clicks,conversions,cost}', ARRAY['sum(s.sign)', 'sum(s.sign * s.impressions)',
        'sum(s.sign * s.clicks)', 'sum(s.sign * s.conversions)', 'sum(s.sign * s.cost)'], 'true');

CREATE TABLE totals.sales (
    sale_id bigint NOT NULL, sold_on date NOT NULL, month date NOT NULL, customer_id bigint NOT NULL, campaign_id bigint NOT NULL,
    channel_code text NOT NULL, market_code text NOT NULL, lead_id bigint, status text NOT NULL, currency text NOT NULL,
    main boolean NOT NULL,
    quantity numeric NOT NULL, net_amount numeric NOT NULL, cost numeric NOT NULL, discount numeric NOT NULL);
-- Not unique: in the middle of a merge, some lines of a sale may be as they were.
CREATE INDEX sales_sale ON totals.sales (sale_id);
CREATE INDEX sales_sold_on ON totals.sales (sold_on);
COMMENT ON TABLE totals.sales IS 'Grain: one sale in one currency: its lines added up.';
COMMENT ON COLUMN totals.sales.main IS 'By this row a sale is counted, where its lines are in several currencies.';

CREATE FUNCTION etl.add_up_sales(of_sales text, lines text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY[
    format('DELETE FROM totals.sales AS t WHERE %s', of_sales),
    format('INSERT INTO totals.sales
        SELECT s.sale_id, s.sold_on, date_trunc(''month'', s.sold_on::timestamp)::date, s.customer_id, s.campaign_id,
            s.channel_code, s.market_code, s.lead_id, s.status, s.currency,
            row_number() OVER (PARTITION BY s.sale_id ORDER BY s.currency) = 1, sum(s.quantity), sum(s.net_amount),
            sum(s.quantity * s.unit_cost), sum(s.discount)
        FROM (%s) AS s
        GROUP BY s.sale_id, s.sold_on, s.customer_id, s.campaign_id, s.channel_code, s.market_code, s.lead_id, s.status,
            s.currency', lines)];
COMMENT ON FUNCTION etl.add_up_sales IS 'SQL statements that add up the sales t, whom a condition names, from their lines anew.';

-- As in 0016, with those.
CREATE OR REPLACE FUNCTION etl.keep_totals() RETURNS trigger
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
            'f.customer_id IN (SELECT c.customer_id FROM pg_temp.changed_sales AS c)')
            || etl.add_up_sales('t.sale_id IN (SELECT c.sale_id FROM pg_temp.changed_sales AS c)',
                'SELECT * FROM pg_temp.changed_sales AS c WHERE c.sign > 0') END;
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
    IF TG_TABLE_NAME = 'fact_sale' THEN
        DROP TABLE pg_temp.changed_sales;
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION etl.rebuild_totals(for_target text) RETURNS void
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
        WHEN 'fact_sale' THEN etl.find_first_sales('true') || etl.add_up_sales('true', signed) END;
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

CREATE VIEW marts.ad_months AS
SELECT t.ad_id, t.month AS day, t.campaign_id, t.channel_code, t.market_code, t.audience_id, t.content_id,
    t.impressions, t.clicks, t.conversions, t.cost * x.usd_per_unit AS cost_usd
FROM totals.ad_months AS t
LEFT JOIN core.exchange_rate AS x USING (currency, month);
COMMENT ON VIEW marts.ad_months IS 'Grain: one ad in one month, with its first day: marts.ad_days added up. cost_usd is null where the month has no rate.';

CREATE VIEW marts.sales AS
SELECT CASE WHEN t.main THEN t.sale_id END AS sale_id, t.sold_on, t.customer_id, t.campaign_id, t.channel_code, t.market_code, t.lead_id, t.status, t.quantity,
    t.net_amount * x.usd_per_unit AS net_usd, t.cost * x.usd_per_unit AS cost_usd, t.discount * x.usd_per_unit AS discount_usd,
    t.sale_id = s.sale_id AS first_sale
FROM totals.sales AS t
LEFT JOIN core.exchange_rate AS x USING (currency, month)
LEFT JOIN marts.first_sale AS s ON s.customer_id = t.customer_id;
COMMENT ON VIEW marts.sales IS 'Grain: one sale in one currency: marts.sale_lines added up. sale_id is null but in one row of a sale. *_usd are null where the month has no rate.';

SELECT etl.rebuild_totals(target) FROM totals.facts WHERE target IN ('fact_ad_daily', 'fact_sale');

REVOKE ALL ON ALL ROUTINES IN SCHEMA etl FROM PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA etl TO warehouse_etl;
GRANT SELECT ON ALL TABLES IN SCHEMA totals TO warehouse_etl;
GRANT SELECT ON ALL TABLES IN SCHEMA marts TO warehouse_etl, warehouse_reader;
RESET ROLE;
