SET LOCAL ROLE warehouse_owner;

-- Marts as views over the totals: level with core at every moment, and a run has nothing to refresh.
DROP MATERIALIZED VIEW marts.campaign_performance, marts.funnel, marts.monthly_sales, marts.content_performance;

CREATE VIEW marts.campaign_performance AS
WITH spend AS (
    SELECT t.campaign_id, sum(t.impressions) AS impressions, sum(t.clicks) AS clicks, sum(t.conversions) AS conversions,
        sum(t.cost * x.usd_per_unit) AS cost_usd
    FROM totals.campaign_ads AS t LEFT JOIN core.exchange_rate AS x USING (currency, month)
    GROUP BY t.campaign_id),
revenue AS (
    SELECT t.campaign_id, sum(t.net_amount * x.usd_per_unit) AS revenue_usd
    FROM totals.campaign_revenue AS t LEFT JOIN core.exchange_rate AS x USING (currency, month)
    GROUP BY t.campaign_id)
SELECT c.campaign_id, c.campaign_code, c.name, c.objective, c.theme, c.status, c.market_code, c.start_date,
    c.end_date, c.budget, c.currency, coalesce(s.impressions, 0) AS impressions, coalesce(s.clicks, 0) AS clicks,
    coalesce(s.conversions, 0) AS conversions, round(coalesce(s.cost_usd, 0), 2) AS cost_usd,
    s.clicks / nullif(s.impressions, 0) AS click_rate, coalesce(l.facts, 0) AS leads,
    coalesce(l.qualified, 0) AS qualified, coalesce(l.converted, 0) AS converted, coalesce(v.sales, 0) AS sales,
    round(coalesce(r.revenue_usd, 0), 2) AS revenue_usd,
    round(r.revenue_usd / nullif(s.cost_usd, 0), 4) AS return_on_spend, d.last_day
FROM core.dim_campaign AS c
LEFT JOIN spend AS s USING (campaign_id)
LEFT JOIN totals.campaign_last_day AS d USING (campaign_id)
LEFT JOIN totals.campaign_leads AS l USING (campaign_id)
LEFT JOIN totals.campaign_sales AS v USING (campaign_id)
LEFT JOIN revenue AS r USING (campaign_id);
COMMENT ON VIEW marts.campaign_performance IS
    'Grain: one campaign, over all time. Amounts in US dollars at the month''s rate; without a rate they count as 0.';

CREATE VIEW marts.funnel AS
SELECT month, market_code, channel_code, source, facts AS leads, qualified, converted,
    round(score / facts, 2) AS average_score, round(converted::numeric / facts, 4) AS conversion_rate
FROM totals.funnel;
COMMENT ON VIEW marts.funnel IS
    'Grain: leads that arose in one month, in one market, by one channel, from one source: how far they got since.';

CREATE VIEW marts.monthly_sales AS
SELECT t.month, t.market_code, t.channel_code, t.category, t.currency, t.status, t.sales, t.units, t.net_amount,
    round(t.net_amount * x.usd_per_unit, 2) AS net_usd,
    round((t.net_amount - t.cost) * x.usd_per_unit, 2) AS margin_usd
FROM totals.monthly_sales AS t LEFT JOIN core.exchange_rate AS x USING (currency, month);
COMMENT ON VIEW marts.monthly_sales IS
    'Grain: sales of one month, market, channel, product category, currency and status. net_amount in currency; *_usd null where a month has no rate.';

CREATE VIEW marts.content_performance AS
SELECT d.content_id, coalesce(u.campaigns, 0) AS campaigns, coalesce(a.impressions, 0) AS impressions,
    coalesce(a.clicks, 0) AS clicks, coalesce(a.conversions, 0) AS conversions,
    a.clicks / nullif(a.impressions, 0) AS click_rate
FROM core.dim_content AS d
LEFT JOIN (
    SELECT content_id, count(DISTINCT campaign_id) AS campaigns FROM core.fact_content_use GROUP BY content_id
) AS u USING (content_id)
LEFT JOIN totals.content_ads AS a USING (content_id);
COMMENT ON VIEW marts.content_performance IS 'Grain: one image: who used it and what came of the ads that show it.';

-- As in 0015, over the table that first_sale is now.
CREATE VIEW marts.sale_lines AS
SELECT f.sale_id, f.line_no, f.sold_on, f.customer_id, f.product_id, f.campaign_id, f.channel_code,
    f.market_code, f.lead_id, f.status, f.quantity, f.net_amount * x.usd_per_unit AS net_usd,
    f.quantity * f.unit_cost * x.usd_per_unit AS cost_usd, f.discount * x.usd_per_unit AS discount_usd,
    f.sale_id = s.sale_id AS first_sale
FROM core.fact_sale AS f
LEFT JOIN core.exchange_rate AS x ON x.currency = f.currency AND x.month = date_trunc('month', f.sold_on)::date
LEFT JOIN marts.first_sale AS s ON s.customer_id = f.customer_id;
COMMENT ON VIEW marts.sale_lines IS
    'Grain: one line of one sale. Key: sale_id, line_no. *_usd are null where the month has no rate. first_sale: the customer''s first completed one.';

CREATE OR REPLACE PROCEDURE core.close_finished_campaigns(as_of date, INOUT closed integer DEFAULT 0)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    finished CURSOR FOR
        WITH due AS MATERIALIZED (
            SELECT c.campaign_id, c.end_date FROM core.dim_campaign AS c
            WHERE (c.status = 'finished' OR c.end_date < as_of) AND c.campaign_id > 0
                AND NOT EXISTS (SELECT FROM core.campaign_closeout AS o WHERE o.campaign_id = c.campaign_id)),
        spend AS (
            SELECT t.campaign_id, sum(t.impressions) AS impressions, sum(t.clicks) AS clicks,
                sum(t.conversions) AS conversions, sum(t.cost * x.usd_per_unit) AS cost_usd
            FROM due JOIN totals.campaign_ads AS t USING (campaign_id)
            LEFT JOIN core.exchange_rate AS x USING (currency, month) GROUP BY t.campaign_id),
        revenue AS (
            SELECT t.campaign_id, sum(t.net_amount * x.usd_per_unit) AS revenue_usd
            FROM due JOIN totals.campaign_revenue AS t USING (campaign_id)
            LEFT JOIN core.exchange_rate AS x USING (currency, month) GROUP BY t.campaign_id)
        SELECT due.campaign_id, due.end_date, coalesce(s.impressions, 0) AS impressions, coalesce(s.clicks, 0) AS clicks,
            coalesce(s.conversions, 0) AS conversions, coalesce(s.cost_usd, 0) AS cost_usd, coalesce(l.facts, 0) AS leads,
            coalesce(r.revenue_usd, 0) AS revenue_usd
        FROM due LEFT JOIN spend AS s USING (campaign_id) LEFT JOIN totals.campaign_leads AS l USING (campaign_id)
        LEFT JOIN revenue AS r USING (campaign_id)
        ORDER BY due.campaign_id;
    books record;
BEGIN
    closed := 0;
    OPEN finished;
    LOOP
        FETCH finished INTO books;
        EXIT WHEN NOT FOUND;
        INSERT INTO core.campaign_closeout (campaign_id, ended_on, impressions, clicks, conversions, cost_usd,
            leads, revenue_usd)
        VALUES (books.campaign_id, books.end_date, books.impressions, books.clicks, books.conversions,
            books.cost_usd, books.leads, books.revenue_usd);
        closed := closed + 1;
    END LOOP;
    CLOSE finished;
END
$$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA etl, core FROM PUBLIC;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA etl TO warehouse_etl;
-- Only triggers and their owner write totals.
GRANT USAGE ON SCHEMA totals TO warehouse_etl;
GRANT SELECT ON ALL TABLES IN SCHEMA totals TO warehouse_etl;
GRANT SELECT ON etl.totals TO warehouse_etl, warehouse_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA marts TO warehouse_etl, warehouse_reader;
RESET ROLE;
