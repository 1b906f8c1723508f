SET LOCAL ROLE warehouse_owner;

-- Landing rows as core wants them. Columns of the core table, then
--   reasons   which rules the row breaks; empty for a sound one;
--   rejected  whether core must not have it. A dimension's row is admitted with the offending values null,
--             since its facts need a parent; only one without a parent of its own is rejected;
--   payload   the landing row, for quarantine.

CREATE VIEW staging.dim_channel AS
SELECT channel_code, left(name_en, 300) AS name_en, left(name_es, 300) AS name_es,
    CASE WHEN etl.too_long(name_en, name_es) THEN '{text-too-long}' ELSE '{}' END::text[] AS reasons,
    false AS rejected, to_jsonb(l) AS payload
FROM staging.ads_channels AS l;

CREATE VIEW staging.dim_market AS
SELECT market_code, left(name_en, 300) AS name_en, left(name_es, 300) AS name_es, left(region, 300) AS region,
    c.currency, left(language, 300) AS language,
    array_remove(ARRAY[
        CASE WHEN etl.too_long(name_en, name_es, region, language) THEN 'text-too-long' END,
        CASE WHEN l.currency IS NOT NULL AND c.currency IS NULL THEN 'unknown-currency' END], NULL) AS reasons,
    false AS rejected, to_jsonb(l) AS payload
FROM staging.ads_markets AS l LEFT JOIN core.dim_currency AS c ON c.currency = l.currency;

CREATE VIEW staging.dim_audience AS
SELECT audience_id, left(code, 300) AS code, left(name_en, 300) AS name_en, left(name_es, 300) AS name_es,
    left(age_band, 300) AS age_band, kind,
    CASE WHEN etl.too_long(code, name_en, name_es, age_band) THEN '{text-too-long}' ELSE '{}' END::text[]
        AS reasons,
    false AS rejected, to_jsonb(l) AS payload
FROM staging.ads_audiences AS l;

CREATE VIEW staging.dim_campaign AS
SELECT l.campaign_id, l.code AS campaign_code, left(l.name, 300) AS name, l.objective,
    left(l.theme, 300) AS theme, l.status, coalesce(m.market_code, '??') AS market_code,
    CASE WHEN NOT etl.bad_money(l.budget) THEN l.budget END AS budget, c.currency,
    CASE WHEN etl.in_calendar(l.start_date) THEN l.start_date END AS start_date,
    CASE WHEN etl.in_calendar(l.end_date) THEN l.end_date END AS end_date,
    CASE WHEN etl.finite(l.created_at) THEN l.created_at END AS created_at,
    array_remove(ARRAY[
        CASE WHEN etl.too_long(l.name, l.theme) THEN 'text-too-long' END,
        CASE WHEN l.currency IS NOT NULL AND c.currency IS NULL THEN 'unknown-currency' END,
        CASE WHEN etl.bad_money(l.budget) THEN 'negative-money' END,
        CASE WHEN NOT (etl.in_calendar(l.start_date) AND etl.in_calendar(l.end_date)
            AND etl.finite(l.created_at)) THEN 'date-out-of-range' END,
        CASE WHEN m.market_code IS NULL THEN 'missing-parent' END], NULL) AS reasons,
    false AS rejected, to_jsonb(l) AS payload
FROM staging.ads_campaigns AS l
LEFT JOIN core.dim_currency AS c ON c.currency = l.currency
LEFT JOIN core.dim_market AS m ON m.market_code = l.market_code;

CREATE VIEW staging.dim_content AS
SELECT content_id, '{}'::text[] AS reasons, false AS rejected, NULL::jsonb AS payload
FROM (SELECT content_id FROM staging.ads_ads UNION SELECT content_id FROM staging.ads_campaign_content) AS l
WHERE length(content_id) <= 200;

CREATE VIEW staging.dim_ad AS
SELECT l.ad_id, l.campaign_id, l.channel_code, l.audience_id,
    CASE WHEN length(l.content_id) <= 200 THEN l.content_id END AS content_id,
    left(l.name, 300) AS name, left(l.language, 300) AS language, l.status,
    CASE WHEN etl.finite(l.created_at) THEN l.created_at END AS created_at,
    array_remove(ARRAY[
        CASE WHEN etl.too_long(l.name, l.language) OR length(l.content_id) > 200 THEN 'text-too-long' END,
        CASE WHEN NOT etl.finite(l.created_at) THEN 'date-out-of-range' END,
        CASE WHEN c.campaign_id IS NULL OR h.channel_code IS NULL OR a.audience_id IS NULL
            THEN 'missing-parent' END], NULL) AS reasons,
    c.campaign_id IS NULL OR h.channel_code IS NULL OR a.audience_id IS NULL AS rejected,
    to_jsonb(l) AS payload
FROM staging.ads_ads AS l
LEFT JOIN core.dim_campaign AS c ON c.campaign_id = l.campaign_id
LEFT JOIN core.dim_channel AS h ON h.channel_code = l.channel_code
LEFT JOIN core.dim_audience AS a ON a.audience_id = l.audience_id;

CREATE VIEW staging.exchange_rate AS
SELECT l.currency, l.month, l.usd_per_unit,
    array_remove(ARRAY[
        CASE WHEN c.currency IS NULL THEN 'unknown-currency' END,
        CASE WHEN l.usd_per_unit <= 0 OR l.usd_per_unit = 'NaN' THEN 'negative-money' END,
        CASE WHEN NOT etl.in_calendar(l.month) THEN 'date-out-of-range' END], NULL) AS reasons,
    c.currency IS NULL OR l.usd_per_unit <= 0 OR l.usd_per_unit = 'NaN' OR NOT etl.in_calendar(l.month)
        AS rejected,
    to_jsonb(l) AS payload
FROM staging.crm_exchange_rates AS l LEFT JOIN core.dim_currency AS c ON c.currency = l.currency;

CREATE VIEW staging.dim_customer AS
SELECT customer_id, substring(email_hash FOR 64) AS email_hash, kind, lifecycle, left(segment, 300) AS segment,
    left(country, 300) AS country, left(language, 300) AS language, left(company_size, 300) AS company_size,
    left(industry, 300) AS industry, left(age_band, 300) AS age_band, marketing_consent,
    CASE WHEN etl.finite(created_at) THEN etl.utc_day(created_at) END AS created_on,
    array_remove(ARRAY[
        CASE WHEN greatest(length(segment), length(country), length(language), length(company_size),
                length(industry), length(age_band)) > 300 OR octet_length(email_hash) > 64
            THEN 'text-too-long' END,
        CASE WHEN NOT etl.finite(created_at) THEN 'date-out-of-range' END], NULL) AS reasons,
    false AS rejected, to_jsonb(l) AS payload
FROM staging.crm_customers AS l;

CREATE VIEW staging.dim_product AS
SELECT l.product_id, left(l.sku, 300) AS sku, left(l.name_en, 300) AS name_en, left(l.name_es, 300) AS name_es,
    left(l.category, 300) AS category,
    CASE WHEN NOT etl.bad_money(l.list_price) THEN l.list_price END AS list_price,
    CASE WHEN NOT etl.bad_money(l.unit_cost) THEN l.unit_cost END AS unit_cost,
    c.currency, l.recurring, l.active,
    array_remove(ARRAY[
        CASE WHEN etl.too_long(l.sku, l.name_en, l.name_es, l.category) THEN 'text-too-long' END,
        CASE WHEN l.currency IS NOT NULL AND c.currency IS NULL THEN 'unknown-currency' END,
        CASE WHEN etl.bad_money(l.list_price) OR etl.bad_money(l.unit_cost) THEN 'negative-money' END], NULL)
        AS reasons,
    false AS rejected, to_jsonb(l) AS payload
FROM staging.crm_products AS l LEFT JOIN core.dim_currency AS c ON c.currency = l.currency;
RESET ROLE;
