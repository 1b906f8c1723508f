SET LOCAL ROLE warehouse_owner;

-- What the semantic model reads: each fact once, with amounts in US dollars at its month's rate, business
-- dates, and without a column that could name a person. A join that a question does not need costs
-- nothing: it is an outer one on a unique key, which the planner then leaves out.

CREATE MATERIALIZED VIEW marts.first_sale AS
SELECT DISTINCT ON (customer_id) customer_id, sale_id, sold_on
FROM core.fact_sale
WHERE status = 'completed'
ORDER BY customer_id, sold_at, sale_id
WITH NO DATA;
CREATE UNIQUE INDEX first_sale_key ON marts.first_sale (customer_id);
COMMENT ON MATERIALIZED VIEW marts.first_sale IS 'Grain: one customer who has bought: the sale that began it.';

CREATE VIEW marts.campaigns AS
SELECT c.campaign_id, c.campaign_code, c.name AS campaign_name, c.objective, c.theme, c.status, c.market_code,
    c.budget * x.usd_per_unit AS budget_usd, c.start_date, c.end_date
FROM core.dim_campaign AS c
LEFT JOIN core.exchange_rate AS x
    ON x.currency = c.currency AND x.month = date_trunc('month', c.start_date)::date
WHERE c.campaign_id > 0;
COMMENT ON VIEW marts.campaigns IS 'Grain: one campaign in one market. Key: campaign_id.';

CREATE VIEW marts.ads AS
SELECT ad_id, campaign_id, channel_code, audience_id, content_id, language, status FROM core.dim_ad;
COMMENT ON VIEW marts.ads IS 'Grain: one ad of one campaign, on one channel, for one audience. Key: ad_id.';

CREATE VIEW marts.ad_days AS
SELECT f.ad_id, f.day, f.campaign_id, f.channel_code, f.market_code, f.audience_id, f.content_id,
    f.impressions, f.clicks, f.conversions, f.cost * x.usd_per_unit AS cost_usd
FROM core.fact_ad_daily AS f
LEFT JOIN core.exchange_rate AS x ON x.currency = f.currency AND x.month = date_trunc('month', f.day)::date;
COMMENT ON VIEW marts.ad_days IS 'Grain: one ad on one day. Key: ad_id, day. cost_usd is null where the month has no rate.';

CREATE VIEW marts.reactions AS
SELECT ad_id, day, kind, campaign_id, channel_code, market_code, reactions FROM core.fact_reaction;
COMMENT ON VIEW marts.reactions IS 'Grain: one kind of reaction to one ad on one day. Key: ad_id, day, kind.';

CREATE VIEW marts.content_uses AS
SELECT campaign_id, content_id, first_used_on, last_used_on, market_code, role FROM core.fact_content_use;
COMMENT ON VIEW marts.content_uses IS 'Grain: one image used by one campaign. Key: campaign_id, content_id.';

CREATE VIEW marts.leads AS
SELECT lead_id, created_on, customer_id, campaign_id, channel_code, market_code, source, status, score,
    qualified_at IS NOT NULL AS qualified, converted_at IS NOT NULL AS converted
FROM core.fact_lead;
COMMENT ON VIEW marts.leads IS 'Grain: one time that somebody showed interest. Key: lead_id.';

CREATE VIEW marts.interactions AS
SELECT interaction_id, occurred_on, customer_id, lead_id, kind, direction, response_seconds
FROM core.fact_interaction;
COMMENT ON VIEW marts.interactions IS 'Grain: one contact with a customer or prospect. Key: interaction_id.';

CREATE VIEW marts.opportunities AS
SELECT f.opportunity_id, f.created_on, (f.closed_at AT TIME ZONE 'UTC')::date AS closed_on, f.customer_id, f.lead_id,
    f.campaign_id, f.market_code, f.stage, f.won, f.amount * x.usd_per_unit AS amount_usd
FROM core.fact_opportunity AS f
LEFT JOIN core.exchange_rate AS x
    ON x.currency = f.currency AND x.month = date_trunc('month', f.created_on)::date;
COMMENT ON VIEW marts.opportunities IS 'Grain: one deal in the making. Key: opportunity_id.';

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

CREATE VIEW marts.subscriptions AS
SELECT f.subscription_id, f.started_on, f.cancelled_on, f.customer_id, f.plan,
    f.monthly_price * x.usd_per_unit AS monthly_usd
FROM core.fact_subscription AS f
LEFT JOIN core.exchange_rate AS x
    ON x.currency = f.currency AND x.month = date_trunc('month', f.started_on)::date;
COMMENT ON VIEW marts.subscriptions IS 'Grain: one plan that one customer took. Key: subscription_id.';

CREATE VIEW marts.customers AS
SELECT customer_id, kind, lifecycle, segment, country, language, company_size, industry, age_band, created_on
FROM core.dim_customer;
COMMENT ON VIEW marts.customers IS 'Grain: one customer or prospect. Key: customer_id. Coarse attributes only.';

GRANT SELECT ON ALL TABLES IN SCHEMA marts TO warehouse_etl, warehouse_reader;
REFRESH MATERIALIZED VIEW marts.first_sale;
RESET ROLE;
