SET LOCAL ROLE warehouse_owner;

-- As 0006, for facts: a fact that breaks a rule is rejected. What PromptCrm says of campaigns, channels
-- and countries points into another source, so an unknown one is no fault: the member for what is not
-- known stands in, and is mended once PromptAds has it.

CREATE VIEW staging.fact_content_use AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.campaign_id, l.content_id, l.first_used_on, l.last_used_on,
        coalesce(c.market_code, '??') AS market_code, l.role,
        array_remove(ARRAY[
            CASE WHEN NOT (etl.in_calendar(l.first_used_on) AND etl.in_calendar(l.last_used_on))
                THEN 'date-out-of-range' END,
            CASE WHEN length(l.content_id) > 200 THEN 'text-too-long' END,
            CASE WHEN c.campaign_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.ads_campaign_content AS l
    LEFT JOIN core.dim_campaign AS c ON c.campaign_id = l.campaign_id) AS s;

CREATE VIEW staging.fact_ad_daily AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.ad_id, l.day, a.campaign_id, a.channel_code, c.market_code, a.audience_id, a.content_id,
        l.impressions, l.clicks, l.conversions, l.cost, l.currency, l.reported_at, l.corrected_at,
        array_remove(ARRAY[
            CASE WHEN NOT (etl.in_calendar(l.day) AND etl.finite(l.reported_at) AND etl.finite(l.corrected_at))
                THEN 'date-out-of-range' END,
            CASE WHEN y.currency IS NULL THEN 'unknown-currency' END,
            CASE WHEN etl.bad_money(l.cost) THEN 'negative-money' END,
            CASE WHEN least(l.impressions, l.clicks, l.conversions) < 0 THEN 'negative-count' END,
            CASE WHEN a.ad_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.ads_ad_daily AS l
    LEFT JOIN core.dim_ad AS a ON a.ad_id = l.ad_id
    LEFT JOIN core.dim_campaign AS c ON c.campaign_id = a.campaign_id
    LEFT JOIN core.dim_currency AS y ON y.currency = l.currency) AS s;

CREATE VIEW staging.fact_reaction AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.ad_id, l.day, l.kind, a.campaign_id, a.channel_code, c.market_code, l.reactions,
        array_remove(ARRAY[
            CASE WHEN NOT etl.in_calendar(l.day) THEN 'date-out-of-range' END,
            CASE WHEN l.reactions < 0 THEN 'negative-count' END,
            CASE WHEN a.ad_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.ads_reactions AS l
    LEFT JOIN core.dim_ad AS a ON a.ad_id = l.ad_id
    LEFT JOIN core.dim_campaign AS c ON c.campaign_id = a.campaign_id) AS s;

CREATE VIEW staging.fact_lead AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.lead_id, etl.utc_day(l.created_at) AS created_on, l.customer_id,
        CASE WHEN l.campaign_code IS NULL THEN -1 ELSE coalesce(c.campaign_id, 0) END AS campaign_id,
        l.campaign_code,
        CASE WHEN l.channel_code IS NULL THEN 'none' ELSE coalesce(h.channel_code, 'unknown') END AS channel_code,
        coalesce(m.market_code, '??') AS market_code, l.country, l.source, l.status, l.score, l.created_at,
        l.qualified_at, l.converted_at,
        array_remove(ARRAY[
            CASE WHEN NOT (etl.finite(l.created_at) AND etl.finite(l.qualified_at)
                AND etl.finite(l.converted_at)) THEN 'date-out-of-range' END,
            CASE WHEN l.score NOT BETWEEN 0 AND 100 THEN 'value-out-of-range' END,
            CASE WHEN greatest(length(l.campaign_code), length(l.country)) > 300 THEN 'text-too-long' END,
            CASE WHEN k.customer_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.crm_leads AS l
    LEFT JOIN core.dim_customer AS k ON k.customer_id = l.customer_id
    LEFT JOIN core.dim_campaign AS c ON c.campaign_code = l.campaign_code
    LEFT JOIN core.dim_channel AS h ON h.channel_code = l.channel_code
    LEFT JOIN core.dim_market AS m ON m.market_code = l.country) AS s;

CREATE VIEW staging.fact_interaction AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.interaction_id, etl.utc_day(l.occurred_at) AS occurred_on, l.customer_id, l.lead_id, l.kind,
        l.direction, l.response_seconds, l.occurred_at,
        array_remove(ARRAY[
            CASE WHEN NOT etl.finite(l.occurred_at) THEN 'date-out-of-range' END,
            CASE WHEN l.response_seconds < 0 THEN 'negative-count' END,
            CASE WHEN k.customer_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.crm_interactions AS l
    LEFT JOIN core.dim_customer AS k ON k.customer_id = l.customer_id) AS s;

CREATE VIEW staging.fact_opportunity AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.opportunity_id, etl.utc_day(l.created_at) AS created_on, l.customer_id, l.lead_id,
        CASE WHEN l.campaign_code IS NULL THEN -1 ELSE coalesce(c.campaign_id, 0) END AS campaign_id,
        l.campaign_code, coalesce(m.market_code, '??') AS market_code, l.stage, l.won, l.amount, l.currency,
        l.expected_close_on, l.created_at, l.closed_at,
        array_remove(ARRAY[
            CASE WHEN NOT (etl.finite(l.created_at) AND etl.finite(l.closed_at)
                AND etl.in_calendar(l.expected_close_on)) THEN 'date-out-of-range' END,
            CASE WHEN y.currency IS NULL THEN 'unknown-currency' END,
            CASE WHEN etl.bad_money(l.amount) THEN 'negative-money' END,
            CASE WHEN length(l.campaign_code) > 300 THEN 'text-too-long' END,
            CASE WHEN k.customer_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.crm_opportunities AS l
    LEFT JOIN core.dim_customer AS k ON k.customer_id = l.customer_id
    LEFT JOIN core.dim_currency AS y ON y.currency = l.currency
    LEFT JOIN core.dim_campaign AS c ON c.campaign_code = l.campaign_code
    LEFT JOIN core.dim_market AS m ON m.market_code = l.country) AS s;

CREATE VIEW staging.fact_sale AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.sale_id, l.line_no, etl.utc_day(l.sold_at) AS sold_on, l.customer_id, l.product_id,
        CASE WHEN l.campaign_code IS NULL THEN -1 ELSE coalesce(c.campaign_id, 0) END AS campaign_id,
        l.campaign_code,
        CASE WHEN l.channel_code IS NULL THEN 'none' ELSE coalesce(h.channel_code, 'unknown') END AS channel_code,
        coalesce(m.market_code, '??') AS market_code, l.country, l.lead_id, l.opportunity_id, l.status,
        l.quantity, l.unit_price, l.discount, l.unit_cost, l.quantity * l.unit_price - l.discount AS net_amount,
        l.currency, l.sold_at, l.recorded_at,
        array_remove(ARRAY[
            CASE WHEN NOT (etl.finite(l.sold_at) AND etl.finite(l.recorded_at)) THEN 'date-out-of-range' END,
            CASE WHEN y.currency IS NULL THEN 'unknown-currency' END,
            CASE WHEN etl.bad_money(l.unit_price) OR etl.bad_money(l.discount) OR etl.bad_money(l.unit_cost)
                OR l.quantity * l.unit_price < l.discount THEN 'negative-money' END,
            CASE WHEN l.quantity < 0 THEN 'negative-count' END,
            CASE WHEN greatest(length(l.campaign_code), length(l.country)) > 300 THEN 'text-too-long' END,
            CASE WHEN k.customer_id IS NULL OR p.product_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.crm_sale_lines AS l
    LEFT JOIN core.dim_customer AS k ON k.customer_id = l.customer_id
    LEFT JOIN core.dim_product AS p ON p.product_id = l.product_id
    LEFT JOIN core.dim_currency AS y ON y.currency = l.currency
    LEFT JOIN core.dim_campaign AS c ON c.campaign_code = l.campaign_code
    LEFT JOIN core.dim_channel AS h ON h.channel_code = l.channel_code
    LEFT JOIN core.dim_market AS m ON m.market_code = l.country) AS s;

CREATE VIEW staging.fact_subscription AS
SELECT s.*, s.reasons <> '{}' AS rejected FROM (
    SELECT l.subscription_id, l.started_on, l.customer_id, l.sale_id, l.plan, l.monthly_price, l.currency,
        l.cancelled_on,
        array_remove(ARRAY[
            CASE WHEN NOT (etl.in_calendar(l.started_on) AND etl.in_calendar(l.cancelled_on))
                THEN 'date-out-of-range' END,
            CASE WHEN y.currency IS NULL THEN 'unknown-currency' END,
            CASE WHEN etl.bad_money(l.monthly_price) THEN 'negative-money' END,
            CASE WHEN length(l.plan) > 300 THEN 'text-too-long' END,
            CASE WHEN k.customer_id IS NULL THEN 'missing-parent' END], NULL) AS reasons,
        to_jsonb(l) AS payload
    FROM staging.crm_subscriptions AS l
    LEFT JOIN core.dim_customer AS k ON k.customer_id = l.customer_id
    LEFT JOIN core.dim_currency AS y ON y.currency = l.currency) AS s;
RESET ROLE;
