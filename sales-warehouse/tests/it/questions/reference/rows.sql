WITH tags AS (SELECT content_id, hashtags AS hashtag FROM core.content_document),
rate AS (SELECT currency, month, usd_per_unit FROM core.exchange_rate),
campaign AS (
    SELECT campaign_id, campaign_code AS campaign, status, objective, theme, market_code, budget, currency,
        start_date, end_date
    FROM core.dim_campaign WHERE campaign_id > 0),
customer AS (
    SELECT customer_id, segment AS customer_segment, company_size, industry, country FROM core.dim_customer),
lead AS (
    SELECT lead_id, source AS lead_source, status AS lead_status, campaign_id, channel_code FROM core.fact_lead)
SELECT 'sale' AS fact, to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, f.market_code AS market, m.region, f.channel_code AS channel,
        p.sku AS product, p.category, k.customer_segment, k.company_size, k.industry, l.lead_source, l.lead_status,
        f.sold_on AS day, f.sale_id, f.customer_id, f.quantity, f.net_amount * r.usd_per_unit AS net,
        f.quantity * f.unit_cost * r.usd_per_unit AS cost, f.status AS sale_status,
        f.sale_id = (SELECT s.sale_id FROM core.fact_sale AS s
            WHERE s.customer_id = f.customer_id AND s.status = 'completed'
            ORDER BY s.sold_at, s.sale_id LIMIT 1) AS first
    FROM core.fact_sale AS f LEFT JOIN campaign AS c USING (campaign_id)
    JOIN core.dim_market AS m ON m.market_code = f.market_code JOIN core.dim_product AS p USING (product_id)
    JOIN customer AS k USING (customer_id) LEFT JOIN lead AS l USING (lead_id)
    LEFT JOIN rate AS r ON r.currency = f.currency AND r.month = date_trunc('month', f.sold_on)::date) AS q
UNION ALL SELECT 'ad_day', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, f.market_code AS market, m.region, f.channel_code AS channel,
        a.code AS audience, f.content_id AS content, h.hashtag, f.day, f.impressions, f.clicks, f.conversions,
        f.cost * r.usd_per_unit AS cost
    FROM core.fact_ad_daily AS f LEFT JOIN campaign AS c USING (campaign_id)
    JOIN core.dim_market AS m ON m.market_code = f.market_code JOIN core.dim_audience AS a USING (audience_id)
    LEFT JOIN rate AS r ON r.currency = f.currency AND r.month = date_trunc('month', f.day)::date
    LEFT JOIN tags AS h ON h.content_id = f.content_id) AS q
UNION ALL SELECT 'lead', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, f.market_code AS market, m.region, f.channel_code AS channel,
        k.customer_segment, k.company_size, k.industry, f.source AS lead_source, f.status AS lead_status,
        f.created_on AS day, f.qualified_at IS NOT NULL AS qualified, f.converted_at IS NOT NULL AS converted, f.score
    FROM core.fact_lead AS f LEFT JOIN campaign AS c USING (campaign_id)
    JOIN core.dim_market AS m ON m.market_code = f.market_code JOIN customer AS k USING (customer_id)) AS q
UNION ALL SELECT 'interaction', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, m.market_code AS market, m.region, l.channel_code AS channel,
        k.customer_segment, k.company_size, k.industry, l.lead_source, l.lead_status, f.kind AS interaction_type,
        f.occurred_on AS day, f.response_seconds
    FROM core.fact_interaction AS f JOIN customer AS k USING (customer_id)
    LEFT JOIN core.dim_market AS m ON m.market_code = k.country LEFT JOIN lead AS l USING (lead_id)
    LEFT JOIN campaign AS c USING (campaign_id)) AS q
UNION ALL SELECT 'opportunity', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, f.market_code AS market, m.region, l.channel_code AS channel,
        k.customer_segment, k.company_size, k.industry, l.lead_source, l.lead_status, f.stage AS opportunity_stage,
        f.created_on AS day, (f.closed_at AT TIME ZONE 'UTC')::date AS closed, f.won,
        f.amount * r.usd_per_unit AS amount
    FROM core.fact_opportunity AS f JOIN customer AS k USING (customer_id)
    JOIN core.dim_market AS m ON m.market_code = f.market_code LEFT JOIN lead AS l USING (lead_id)
    LEFT JOIN campaign AS c ON c.campaign_id = f.campaign_id
    LEFT JOIN rate AS r ON r.currency = f.currency AND r.month = date_trunc('month', f.created_on)::date) AS q
UNION ALL SELECT 'subscription', to_jsonb(q)::text FROM (
    SELECT m.market_code AS market, m.region, k.customer_segment, k.company_size, k.industry, p.sku AS product,
        p.category, f.started_on AS day, f.cancelled_on AS cancelled
    FROM core.fact_subscription AS f JOIN customer AS k USING (customer_id)
    LEFT JOIN core.dim_market AS m ON m.market_code = k.country LEFT JOIN core.dim_product AS p ON p.sku = f.plan) AS q
UNION ALL SELECT 'content_use', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, f.market_code AS market, m.region, f.content_id AS content, h.hashtag,
        f.first_used_on AS day
    FROM core.fact_content_use AS f LEFT JOIN campaign AS c USING (campaign_id)
    JOIN core.dim_market AS m ON m.market_code = f.market_code
    LEFT JOIN tags AS h ON h.content_id = f.content_id) AS q
UNION ALL SELECT 'reaction', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, f.market_code AS market, m.region, f.channel_code AS channel,
        u.code AS audience, a.content_id AS content, h.hashtag, f.kind AS reaction_type, f.day, f.reactions
    FROM core.fact_reaction AS f LEFT JOIN campaign AS c USING (campaign_id)
    JOIN core.dim_market AS m ON m.market_code = f.market_code JOIN core.dim_ad AS a USING (ad_id)
    JOIN core.dim_audience AS u ON u.audience_id = a.audience_id
    LEFT JOIN tags AS h ON h.content_id = a.content_id) AS q
UNION ALL SELECT 'campaign', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, m.market_code AS market, m.region, c.start_date AS day,
        c.start_date, c.end_date, c.campaign_id, c.budget * r.usd_per_unit AS budget
    FROM campaign AS c JOIN core.dim_market AS m USING (market_code)
    LEFT JOIN rate AS r ON r.currency = c.currency AND r.month = date_trunc('month', c.start_date)::date) AS q
UNION ALL SELECT 'ad', to_jsonb(q)::text FROM (
    SELECT c.campaign, c.status, c.objective, c.theme, m.market_code AS market, m.region, a.channel_code AS channel,
        u.code AS audience, a.content_id AS content, h.hashtag, c.start_date AS day, c.start_date, c.end_date, c.campaign_id
    FROM core.dim_ad AS a JOIN campaign AS c USING (campaign_id) JOIN core.dim_market AS m USING (market_code)
    JOIN core.dim_audience AS u USING (audience_id)
    LEFT JOIN tags AS h ON h.content_id = a.content_id) AS q
