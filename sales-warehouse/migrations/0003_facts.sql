SET LOCAL ROLE warehouse_owner;

-- Facts are partitioned by month of their business date, so the date stands in each primary key; the
-- source's own key is what comes before it. etl.ensure_partitions makes months ahead of the rows, and
-- the default partitions stay empty. A parent in another source that is deleted leaves the member for
-- what is not known (SET DEFAULT).

CREATE TABLE core.fact_ad_daily (
    ad_id bigint NOT NULL REFERENCES core.dim_ad,
    day date NOT NULL REFERENCES core.dim_date,
    campaign_id bigint NOT NULL REFERENCES core.dim_campaign,
    channel_code text NOT NULL REFERENCES core.dim_channel,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    audience_id bigint NOT NULL REFERENCES core.dim_audience,
    content_id text REFERENCES core.dim_content,
    impressions bigint NOT NULL CHECK (impressions >= 0),
    clicks bigint NOT NULL CHECK (clicks >= 0),
    conversions bigint NOT NULL CHECK (conversions >= 0),
    cost numeric(14, 2) NOT NULL CHECK (cost >= 0 AND cost <> 'NaN'),
    currency text NOT NULL REFERENCES core.dim_currency,
    reported_at timestamptz NOT NULL,
    corrected_at timestamptz,
    PRIMARY KEY (ad_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE core.fact_ad_daily_default PARTITION OF core.fact_ad_daily DEFAULT;
CREATE INDEX fact_ad_daily_campaign ON core.fact_ad_daily (campaign_id);
COMMENT ON TABLE core.fact_ad_daily IS
    'Grain: one ad on one day. Key: ad_id, day. Additive: impressions, clicks, conversions; cost within one currency.';
COMMENT ON COLUMN core.fact_ad_daily.day IS 'Business date, the market''s calendar.';
COMMENT ON COLUMN core.fact_ad_daily.cost IS 'Spent that day, in currency.';
COMMENT ON COLUMN core.fact_ad_daily.corrected_at IS 'When the platform last corrected the row; null for never.';

CREATE TABLE core.fact_reaction (
    ad_id bigint NOT NULL REFERENCES core.dim_ad,
    day date NOT NULL REFERENCES core.dim_date,
    kind text NOT NULL,
    campaign_id bigint NOT NULL REFERENCES core.dim_campaign,
    channel_code text NOT NULL REFERENCES core.dim_channel,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    reactions bigint NOT NULL CHECK (reactions >= 0),
    PRIMARY KEY (ad_id, day, kind)
) PARTITION BY RANGE (day);
CREATE TABLE core.fact_reaction_default PARTITION OF core.fact_reaction DEFAULT;
CREATE INDEX fact_reaction_campaign ON core.fact_reaction (campaign_id);
COMMENT ON TABLE core.fact_reaction IS
    'Grain: one kind of reaction to one ad on one day. Key: ad_id, day, kind (like, comment, share, hide). Additive: reactions.';

CREATE TABLE core.fact_content_use (
    campaign_id bigint NOT NULL REFERENCES core.dim_campaign,
    content_id text NOT NULL REFERENCES core.dim_content,
    first_used_on date NOT NULL REFERENCES core.dim_date,
    last_used_on date REFERENCES core.dim_date,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    role text NOT NULL,
    PRIMARY KEY (campaign_id, content_id, first_used_on)
) PARTITION BY RANGE (first_used_on);
CREATE TABLE core.fact_content_use_default PARTITION OF core.fact_content_use DEFAULT;
COMMENT ON TABLE core.fact_content_use IS
    'Grain: one image used by one campaign. Key: campaign_id, content_id. Factless: count the rows.';
COMMENT ON COLUMN core.fact_content_use.last_used_on IS 'Inclusive; null while it is in use.';
COMMENT ON COLUMN core.fact_content_use.role IS 'hero or support.';

CREATE TABLE core.fact_lead (
    lead_id bigint NOT NULL,
    created_on date NOT NULL REFERENCES core.dim_date,
    customer_id bigint NOT NULL REFERENCES core.dim_customer,
    campaign_id bigint NOT NULL DEFAULT 0 REFERENCES core.dim_campaign ON DELETE SET DEFAULT,
    campaign_code text,
    channel_code text NOT NULL DEFAULT 'unknown' REFERENCES core.dim_channel ON DELETE SET DEFAULT,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    country text NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    score smallint NOT NULL CHECK (score BETWEEN 0 AND 100),
    created_at timestamptz NOT NULL,
    qualified_at timestamptz,
    converted_at timestamptz,
    PRIMARY KEY (lead_id, created_on)
) PARTITION BY RANGE (created_on);
CREATE TABLE core.fact_lead_default PARTITION OF core.fact_lead DEFAULT;
CREATE INDEX fact_lead_campaign ON core.fact_lead (campaign_id);
CREATE INDEX fact_lead_waiting ON core.fact_lead (campaign_code) WHERE campaign_id = 0;
CREATE INDEX fact_lead_customer ON core.fact_lead (customer_id);
COMMENT ON TABLE core.fact_lead IS
    'Grain: one time that a customer or prospect showed interest. Key: lead_id. Count the rows; score is an average.';
COMMENT ON COLUMN core.fact_lead.created_on IS 'Business date: the day of created_at, UTC.';
COMMENT ON COLUMN core.fact_lead.campaign_code IS
    'As PromptCrm has it, null for no campaign; campaign_id is 0 until PromptAds knows it.';
COMMENT ON COLUMN core.fact_lead.score IS '0 to 100: how likely it looked to convert.';

CREATE TABLE core.fact_interaction (
    interaction_id bigint NOT NULL,
    occurred_on date NOT NULL REFERENCES core.dim_date,
    customer_id bigint NOT NULL REFERENCES core.dim_customer,
    lead_id bigint,
    kind text NOT NULL,
    direction text NOT NULL,
    response_seconds integer CHECK (response_seconds >= 0),
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (interaction_id, occurred_on)
) PARTITION BY RANGE (occurred_on);
CREATE TABLE core.fact_interaction_default PARTITION OF core.fact_interaction DEFAULT;
CREATE INDEX fact_interaction_customer ON core.fact_interaction (customer_id);
COMMENT ON TABLE core.fact_interaction IS
    'Grain: one contact with a customer or prospect. Key: interaction_id. Count the rows; response_seconds is an average.';
COMMENT ON COLUMN core.fact_interaction.lead_id IS 'The lead that it worked on; null for care after the sale.';
COMMENT ON COLUMN core.fact_interaction.response_seconds IS 'Until the other side answered; null while nobody has.';

CREATE TABLE core.fact_opportunity (
    opportunity_id bigint NOT NULL,
    created_on date NOT NULL REFERENCES core.dim_date,
    customer_id bigint NOT NULL REFERENCES core.dim_customer,
    lead_id bigint NOT NULL,
    campaign_id bigint NOT NULL DEFAULT 0 REFERENCES core.dim_campaign ON DELETE SET DEFAULT,
    campaign_code text,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    stage text NOT NULL,
    won boolean,
    amount numeric(14, 2) NOT NULL CHECK (amount >= 0 AND amount <> 'NaN'),
    currency text NOT NULL REFERENCES core.dim_currency,
    expected_close_on date NOT NULL REFERENCES core.dim_date,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (opportunity_id, created_on)
) PARTITION BY RANGE (created_on);
CREATE TABLE core.fact_opportunity_default PARTITION OF core.fact_opportunity DEFAULT;
CREATE INDEX fact_opportunity_campaign ON core.fact_opportunity (campaign_id);
CREATE INDEX fact_opportunity_waiting ON core.fact_opportunity (campaign_code) WHERE campaign_id = 0;
CREATE INDEX fact_opportunity_customer ON core.fact_opportunity (customer_id);
COMMENT ON TABLE core.fact_opportunity IS
    'Grain: one deal in the making. Key: opportunity_id. Additive: amount within one currency.';
COMMENT ON COLUMN core.fact_opportunity.amount IS 'Expected, or agreed once won, in currency, without tax.';
COMMENT ON COLUMN core.fact_opportunity.won IS 'Null while open.';

CREATE TABLE core.fact_sale (
    sale_id bigint NOT NULL,
    line_no smallint NOT NULL,
    sold_on date NOT NULL REFERENCES core.dim_date,
    customer_id bigint NOT NULL REFERENCES core.dim_customer,
    product_id bigint NOT NULL REFERENCES core.dim_product,
    campaign_id bigint NOT NULL DEFAULT 0 REFERENCES core.dim_campaign ON DELETE SET DEFAULT,
    campaign_code text,
    channel_code text NOT NULL DEFAULT 'unknown' REFERENCES core.dim_channel ON DELETE SET DEFAULT,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    country text NOT NULL,
    lead_id bigint,
    opportunity_id bigint,
    status text NOT NULL,
    quantity integer NOT NULL CHECK (quantity >= 0),
    unit_price numeric(14, 2) NOT NULL CHECK (unit_price >= 0 AND unit_price <> 'NaN'),
    discount numeric(14, 2) NOT NULL CHECK (discount >= 0 AND discount <> 'NaN'),
    unit_cost numeric(14, 2) NOT NULL CHECK (unit_cost >= 0 AND unit_cost <> 'NaN'),
    net_amount numeric(24, 2) NOT NULL CHECK (net_amount = quantity * unit_price - discount),
    currency text NOT NULL REFERENCES core.dim_currency,
    sold_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (sale_id, line_no, sold_on)
) PARTITION BY RANGE (sold_on);
CREATE TABLE core.fact_sale_default PARTITION OF core.fact_sale DEFAULT;
CREATE INDEX fact_sale_campaign ON core.fact_sale (campaign_id);
CREATE INDEX fact_sale_waiting ON core.fact_sale (campaign_code) WHERE campaign_id = 0;
CREATE INDEX fact_sale_customer ON core.fact_sale (customer_id);
COMMENT ON TABLE core.fact_sale IS
    'Grain: one line of one sale. Key: sale_id, line_no. Additive: quantity; net_amount and discount within one currency. Revenue counts status completed.';
COMMENT ON COLUMN core.fact_sale.sold_on IS 'Business date: the day of sold_at, UTC.';
COMMENT ON COLUMN core.fact_sale.campaign_id IS 'The campaign of the sale''s lead.';
COMMENT ON COLUMN core.fact_sale.discount IS 'Off the whole line, an amount in currency.';
COMMENT ON COLUMN core.fact_sale.net_amount IS 'quantity * unit_price - discount, in currency, without tax.';
COMMENT ON COLUMN core.fact_sale.recorded_at IS 'When it was entered: mostly at once, at times weeks later.';

CREATE TABLE core.fact_subscription (
    subscription_id bigint NOT NULL,
    started_on date NOT NULL REFERENCES core.dim_date,
    customer_id bigint NOT NULL REFERENCES core.dim_customer,
    sale_id bigint,
    plan text NOT NULL CHECK (length(plan) <= 300),
    monthly_price numeric(14, 2) NOT NULL CHECK (monthly_price >= 0 AND monthly_price <> 'NaN'),
    currency text NOT NULL REFERENCES core.dim_currency,
    cancelled_on date REFERENCES core.dim_date,
    PRIMARY KEY (subscription_id, started_on)
) PARTITION BY RANGE (started_on);
CREATE TABLE core.fact_subscription_default PARTITION OF core.fact_subscription DEFAULT;
CREATE INDEX fact_subscription_customer ON core.fact_subscription (customer_id);
COMMENT ON TABLE core.fact_subscription IS
    'Grain: one plan that one customer took. Key: subscription_id. monthly_price adds up over those running on one day, within one currency.';
COMMENT ON COLUMN core.fact_subscription.plan IS 'SKU of a recurring product.';
COMMENT ON COLUMN core.fact_subscription.cancelled_on IS 'First day without it; null while it runs.';
RESET ROLE;
