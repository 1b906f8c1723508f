SET LOCAL ROLE warehouse_owner;

-- Landing tables. Unlogged: a crash empties them, and the next run fills them anew. Columns are those
-- that the ETL asks its sources for, in the same types; no personal data is among them.
CREATE UNLOGGED TABLE staging.tombstones (source text NOT NULL, table_name text NOT NULL, pk jsonb NOT NULL);
COMMENT ON TABLE staging.tombstones IS
    'Grain: one key that was deleted at its source and does not exist there any more.';

CREATE UNLOGGED TABLE staging.moved (ad_id bigint, campaign_id bigint);
COMMENT ON TABLE staging.moved IS
    'Grain: one ad, or one campaign, of which core has changed something that facts carry. Emptied by the merge that filled it.';

CREATE UNLOGGED TABLE staging.ads_channels (channel_code text, name_en text, name_es text);
CREATE UNLOGGED TABLE staging.ads_markets (
    market_code text, name_en text, name_es text, region text, currency text, language text);
CREATE UNLOGGED TABLE staging.ads_audiences (
    audience_id bigint, code text, name_en text, name_es text, age_band text, kind text);
CREATE UNLOGGED TABLE staging.ads_campaigns (
    campaign_id bigint, code text, name text, objective text, theme text, status text, market_code text,
    budget numeric(14, 2), currency text, start_date date, end_date date, created_at timestamptz);
CREATE UNLOGGED TABLE staging.ads_ads (
    ad_id bigint, campaign_id bigint, channel_code text, audience_id bigint, content_id text, name text,
    language text, status text, created_at timestamptz);
CREATE UNLOGGED TABLE staging.ads_campaign_content (
    campaign_id bigint, content_id text, role text, first_used_on date, last_used_on date);
CREATE UNLOGGED TABLE staging.ads_ad_daily (
    ad_id bigint, day date, impressions bigint, clicks bigint, conversions bigint, cost numeric(14, 2),
    currency text, reported_at timestamptz, corrected_at timestamptz);
CREATE UNLOGGED TABLE staging.ads_reactions (ad_id bigint, day date, kind text, reactions bigint);

CREATE UNLOGGED TABLE staging.crm_exchange_rates (currency text, month date, usd_per_unit numeric(18, 8));
CREATE UNLOGGED TABLE staging.crm_customers (
    customer_id bigint, kind text, lifecycle text, segment text, country text, language text,
    company_size text, industry text, age_band text, marketing_consent boolean, email_hash bytea,
    created_at timestamptz);
CREATE UNLOGGED TABLE staging.crm_products (
    product_id bigint, sku text, name_en text, name_es text, category text, list_price numeric(14, 2),
    unit_cost numeric(14, 2), currency text, recurring boolean, active boolean);
CREATE UNLOGGED TABLE staging.crm_leads (
    lead_id bigint, customer_id bigint, source text, channel_code text, campaign_code text, country text,
    score smallint, status text, created_at timestamptz, qualified_at timestamptz, converted_at timestamptz);
CREATE UNLOGGED TABLE staging.crm_interactions (
    interaction_id bigint, customer_id bigint, lead_id bigint, kind text, direction text,
    occurred_at timestamptz, response_seconds integer);
CREATE UNLOGGED TABLE staging.crm_opportunities (
    opportunity_id bigint, customer_id bigint, lead_id bigint, stage text, amount numeric(14, 2), currency text,
    created_at timestamptz, expected_close_on date, closed_at timestamptz, won boolean,
    campaign_code text, country text);
CREATE UNLOGGED TABLE staging.crm_sale_lines (
    sale_id bigint, line_no smallint, product_id bigint, quantity integer, unit_price numeric(14, 2),
    discount numeric(14, 2), unit_cost numeric(14, 2), currency text, customer_id bigint, lead_id bigint,
    opportunity_id bigint, country text, status text, sold_at timestamptz, recorded_at timestamptz,
    campaign_code text, channel_code text);
CREATE UNLOGGED TABLE staging.crm_subscriptions (
    subscription_id bigint, customer_id bigint, sale_id bigint, plan text, monthly_price numeric(14, 2),
    currency text, started_on date, cancelled_on date);
COMMENT ON TABLE staging.crm_opportunities IS 'Grain: one opportunity, with its lead''s campaign and country.';
COMMENT ON TABLE staging.crm_sale_lines IS 'Grain: one sale line, with its sale and its lead''s campaign and channel.';

-- The rules, each once.
CREATE FUNCTION etl.bad_money(amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN amount < 0 OR amount = 'NaN';
CREATE FUNCTION etl.too_long(VARIADIC texts text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM unnest(texts) AS t (value) WHERE length(value) > 300);
CREATE FUNCTION etl.finite(moment timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN etl.in_calendar(etl.utc_day(moment));
COMMENT ON FUNCTION etl.bad_money IS 'Below zero, or not a number. Null is allowed.';
COMMENT ON FUNCTION etl.too_long IS 'Whether one of them has more than 300 characters.';
COMMENT ON FUNCTION etl.finite IS 'Whether the moment''s day, UTC, is in the calendar. Null is allowed.';
RESET ROLE;
