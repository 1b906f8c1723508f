SET LOCAL ROLE warehouse_owner;

CREATE MATERIALIZED VIEW marts.campaign_performance AS
WITH spend AS (
    SELECT f.campaign_id, sum(f.impressions) AS impressions, sum(f.clicks) AS clicks,
        sum(f.conversions) AS conversions, sum(f.cost * x.usd_per_unit) AS cost_usd, max(f.day) AS last_day
    FROM core.fact_ad_daily AS f
    LEFT JOIN core.exchange_rate AS x ON x.currency = f.currency AND x.month = date_trunc('month', f.day)::date
    GROUP BY f.campaign_id),
leads AS (
    SELECT campaign_id, count(*) AS leads, count(qualified_at) AS qualified, count(converted_at) AS converted
    FROM core.fact_lead GROUP BY campaign_id),
sales AS (
    SELECT f.campaign_id, count(DISTINCT f.sale_id) AS sales, sum(f.net_amount * x.usd_per_unit) AS revenue_usd
    FROM core.fact_sale AS f
    LEFT JOIN core.exchange_rate AS x
        ON x.currency = f.currency AND x.month = date_trunc('month', f.sold_on)::date
    WHERE f.status = 'completed'
    GROUP BY f.campaign_id)
SELECT c.campaign_id, c.campaign_code, c.name, c.objective, c.theme, c.status, c.market_code, c.start_date,
    c.end_date, c.budget, c.currency, coalesce(s.impressions, 0) AS impressions, coalesce(s.clicks, 0) AS clicks,
    coalesce(s.conversions, 0) AS conversions, round(coalesce(s.cost_usd, 0), 2) AS cost_usd,
    s.clicks / nullif(s.impressions, 0) AS click_rate, coalesce(l.leads, 0) AS leads,
    coalesce(l.qualified, 0) AS qualified, coalesce(l.converted, 0) AS converted, coalesce(v.sales, 0) AS sales,
    round(coalesce(v.revenue_usd, 0), 2) AS revenue_usd,
    round(v.revenue_usd / nullif(s.cost_usd, 0), 4) AS return_on_spend, s.last_day
FROM core.dim_campaign AS c
LEFT JOIN spend AS s USING (campaign_id)
LEFT JOIN leads AS l USING (campaign_id)
LEFT JOIN sales AS v USING (campaign_id)
WITH NO DATA;
CREATE UNIQUE INDEX campaign_performance_key ON marts.campaign_performance (campaign_id);
COMMENT ON MATERIALIZED VIEW marts.campaign_performance IS
    'Grain: one campaign, over all time. Amounts in US dollars at the month''s rate; without a rate they count as 0. Refreshed by each run that changed something.';

CREATE MATERIALIZED VIEW marts.funnel AS
SELECT date_trunc('month', created_on)::date AS month, market_code, channel_code, source, count(*) AS leads,
    count(qualified_at) AS qualified, count(converted_at) AS converted, round(avg(score), 2) AS average_score,
    round(count(converted_at)::numeric / count(*), 4) AS conversion_rate
FROM core.fact_lead
GROUP BY 1, 2, 3, 4
WITH NO DATA;
CREATE UNIQUE INDEX funnel_key ON marts.funnel (month, market_code, channel_code, source);
COMMENT ON MATERIALIZED VIEW marts.funnel IS
    'Grain: leads that arose in one month, in one market, by one channel, from one source: how far they got since.';

CREATE MATERIALIZED VIEW marts.monthly_sales AS
SELECT date_trunc('month', f.sold_on)::date AS month, f.market_code, f.channel_code, p.category, f.currency,
    f.status, count(DISTINCT f.sale_id) AS sales, sum(f.quantity) AS units, sum(f.net_amount) AS net_amount,
    round(sum(f.net_amount * x.usd_per_unit), 2) AS net_usd,
    round(sum((f.net_amount - f.quantity * f.unit_cost) * x.usd_per_unit), 2) AS margin_usd
FROM core.fact_sale AS f
JOIN core.dim_product AS p USING (product_id)
LEFT JOIN core.exchange_rate AS x ON x.currency = f.currency AND x.month = date_trunc('month', f.sold_on)::date
GROUP BY 1, 2, 3, 4, 5, 6
WITH NO DATA;
CREATE UNIQUE INDEX monthly_sales_key
    ON marts.monthly_sales (month, market_code, channel_code, category, currency, status);
COMMENT ON MATERIALIZED VIEW marts.monthly_sales IS
    'Grain: sales of one month, market, channel, product category, currency and status. net_amount in currency; *_usd null where a month has no rate.';

CREATE MATERIALIZED VIEW marts.content_performance AS
SELECT d.content_id, coalesce(u.campaigns, 0) AS campaigns, coalesce(a.impressions, 0) AS impressions,
    coalesce(a.clicks, 0) AS clicks, coalesce(a.conversions, 0) AS conversions,
    a.clicks / nullif(a.impressions, 0) AS click_rate
FROM core.dim_content AS d
LEFT JOIN (
    SELECT content_id, count(DISTINCT campaign_id) AS campaigns FROM core.fact_content_use GROUP BY content_id
) AS u USING (content_id)
LEFT JOIN (
    SELECT content_id, sum(impressions) AS impressions, sum(clicks) AS clicks, sum(conversions) AS conversions
    FROM core.fact_ad_daily WHERE content_id IS NOT NULL GROUP BY content_id
) AS a USING (content_id)
WITH NO DATA;
CREATE UNIQUE INDEX content_performance_key ON marts.content_performance (content_id);
COMMENT ON MATERIALIZED VIEW marts.content_performance IS 'Grain: one image: who used it and what came of the ads that show it.';

CREATE VIEW marts.campaign_status AS
SELECT h.campaign_id, c.campaign_code, h.status, h.previous_status, h.observed_at,
    lead(h.observed_at) OVER (PARTITION BY h.campaign_id ORDER BY h.change_id) AS until
FROM core.campaign_status_history AS h LEFT JOIN core.dim_campaign AS c USING (campaign_id);
COMMENT ON VIEW marts.campaign_status IS 'Grain: one stay of a campaign in a status; until is null for the present one.';

CREATE FUNCTION etl.refresh_marts() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mart record;
BEGIN
    FOR mart IN SELECT matviewname, ispopulated FROM pg_matviews WHERE schemaname = 'marts' ORDER BY 1 LOOP
        EXECUTE format('REFRESH MATERIALIZED VIEW %s marts.%I',
            CASE WHEN mart.ispopulated THEN 'CONCURRENTLY' ELSE '' END, mart.matviewname);
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.refresh_marts IS 'Refreshes every materialized view of marts; readers are not held up but the first time.';
SELECT etl.refresh_marts();
RESET ROLE;
