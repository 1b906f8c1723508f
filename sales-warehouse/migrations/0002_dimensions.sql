SET LOCAL ROLE warehouse_owner;

CREATE TABLE core.dim_date (
    day date PRIMARY KEY,
    year smallint NOT NULL,
    quarter smallint NOT NULL CHECK (quarter BETWEEN 1 AND 4),
    month smallint NOT NULL CHECK (month BETWEEN 1 AND 12),
    month_start date NOT NULL,
    iso_year smallint NOT NULL,
    iso_week smallint NOT NULL CHECK (iso_week BETWEEN 1 AND 53),
    iso_weekday smallint NOT NULL CHECK (iso_weekday BETWEEN 1 AND 7),
    weekend boolean NOT NULL
);
INSERT INTO core.dim_date
SELECT day::date, extract(year FROM day), extract(quarter FROM day), extract(month FROM day),
    date_trunc('month', day)::date, extract(isoyear FROM day), extract(week FROM day),
    extract(isodow FROM day), extract(isodow FROM day) > 5
FROM generate_series(timestamp '2015-01-01', timestamp '2035-12-31', interval '1 day') AS day;
COMMENT ON TABLE core.dim_date IS
    'Grain: one day. Key: day. The calendar is bounded, 2015 to 2035: a row with another date is a mistake and goes to quarantine.';
COMMENT ON COLUMN core.dim_date.iso_weekday IS '1 is Monday.';

-- Bounds of dim_date; a function, so that checks and merge agree.
CREATE FUNCTION etl.in_calendar(day date) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN day IS NULL OR day BETWEEN date '2015-01-01' AND date '2035-12-31';
COMMENT ON FUNCTION etl.in_calendar IS 'Whether core.dim_date has the day. Null is allowed.';

CREATE FUNCTION etl.utc_day(moment timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (moment AT TIME ZONE 'UTC')::date;
COMMENT ON FUNCTION etl.utc_day IS 'The business date of a moment: its day, UTC.';

CREATE TABLE core.dim_currency (currency text PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'));
INSERT INTO core.dim_currency
SELECT regexp_split_to_table('AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK
    LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF
    YER ZAR ZMW ZWG', '\s+');
COMMENT ON TABLE core.dim_currency IS 'Grain: one currency in circulation. Key: its ISO 4217 code.';

CREATE TABLE core.exchange_rate (
    currency text NOT NULL REFERENCES core.dim_currency,
    month date NOT NULL REFERENCES core.dim_date,
    usd_per_unit numeric(18, 8) NOT NULL CHECK (usd_per_unit > 0),
    PRIMARY KEY (currency, month)
);
COMMENT ON TABLE core.exchange_rate IS
    'Grain: one currency in one month. Key: currency, month (its first day). The rate that finance books with.';
COMMENT ON COLUMN core.exchange_rate.usd_per_unit IS 'US dollars for one unit of the currency.';

CREATE TABLE core.dim_channel (
    channel_code text PRIMARY KEY,
    name_en text NOT NULL CHECK (length(name_en) <= 300),
    name_es text NOT NULL CHECK (length(name_es) <= 300)
);
INSERT INTO core.dim_channel VALUES
    ('none', 'No channel', 'Sin canal'), ('unknown', 'Unknown channel', 'Canal desconocido');
COMMENT ON TABLE core.dim_channel IS
    'Grain: one channel of advertising. Key: channel_code. none: came by no channel; unknown: by one that PromptAds does not know yet.';

CREATE TABLE core.dim_market (
    market_code text PRIMARY KEY,
    name_en text NOT NULL CHECK (length(name_en) <= 300),
    name_es text NOT NULL CHECK (length(name_es) <= 300),
    region text NOT NULL,
    currency text REFERENCES core.dim_currency,
    language text NOT NULL
);
INSERT INTO core.dim_market VALUES
    ('??', 'Unknown market', 'Mercado desconocido', 'unknown', NULL, 'en');
COMMENT ON TABLE core.dim_market IS
    'Grain: one country that campaigns run in. Key: market_code, ISO 3166-1 alpha-2. ??: a country without one.';
COMMENT ON COLUMN core.dim_market.currency IS 'ISO 4217; null where the source''s is none.';

CREATE TABLE core.dim_audience (
    audience_id bigint PRIMARY KEY,
    code text NOT NULL,
    name_en text NOT NULL CHECK (length(name_en) <= 300),
    name_es text NOT NULL CHECK (length(name_es) <= 300),
    age_band text,
    kind text NOT NULL
);
COMMENT ON TABLE core.dim_audience IS 'Grain: one audience that ads are shown to. Key: audience_id of PromptAds.';
COMMENT ON COLUMN core.dim_audience.age_band IS 'As in 25-34; null for every age.';
COMMENT ON COLUMN core.dim_audience.kind IS 'b2b or b2c.';

CREATE TABLE core.dim_campaign (
    campaign_id bigint PRIMARY KEY,
    campaign_code text NOT NULL,
    name text NOT NULL CHECK (length(name) <= 300),
    objective text NOT NULL,
    theme text NOT NULL CHECK (length(theme) <= 300),
    status text NOT NULL,
    market_code text NOT NULL DEFAULT '??' REFERENCES core.dim_market ON DELETE SET DEFAULT,
    budget numeric(14, 2) CHECK (budget >= 0 AND budget <> 'NaN'),
    currency text REFERENCES core.dim_currency,
    start_date date REFERENCES core.dim_date,
    end_date date REFERENCES core.dim_date,
    created_at timestamptz
);
CREATE INDEX dim_campaign_code ON core.dim_campaign (campaign_code);
INSERT INTO core.dim_campaign (campaign_id, campaign_code, name, objective, theme, status) VALUES
    (-1, '(none)', 'No campaign', 'none', 'none', 'none'),
    (0, '(unknown)', 'Unknown campaign', 'unknown', 'unknown', 'unknown');
COMMENT ON TABLE core.dim_campaign IS
    'Grain: one campaign in one market, as it stands now. Key: campaign_id of PromptAds. -1: no campaign; 0: one that PromptAds does not know yet, mended when it does. A value that broke a rule is null here and told of in etl.quarantine.';
COMMENT ON COLUMN core.dim_campaign.budget IS 'For the whole campaign, in currency.';
COMMENT ON COLUMN core.dim_campaign.start_date IS 'First day on which it runs, the market''s calendar.';
COMMENT ON COLUMN core.dim_campaign.end_date IS 'Last planned day, inclusive.';

CREATE TABLE core.dim_content (content_id text PRIMARY KEY CHECK (length(content_id) <= 200));
COMMENT ON TABLE core.dim_content IS
    'Grain: one image that a campaign or an ad uses. Key: its slug in PromptContent.';

CREATE TABLE core.dim_ad (
    ad_id bigint PRIMARY KEY,
    campaign_id bigint NOT NULL REFERENCES core.dim_campaign,
    channel_code text NOT NULL REFERENCES core.dim_channel,
    audience_id bigint NOT NULL REFERENCES core.dim_audience,
    content_id text REFERENCES core.dim_content,
    name text NOT NULL CHECK (length(name) <= 300),
    language text NOT NULL,
    status text NOT NULL,
    created_at timestamptz
);
CREATE INDEX dim_ad_campaign ON core.dim_ad (campaign_id);
COMMENT ON TABLE core.dim_ad IS 'Grain: one ad of one campaign, on one channel. Key: ad_id of PromptAds.';
COMMENT ON COLUMN core.dim_ad.content_id IS 'The image that it shows; null on channels without pictures.';

CREATE TABLE core.dim_customer (
    customer_id bigint PRIMARY KEY,
    email_hash bytea NOT NULL CHECK (octet_length(email_hash) <= 64),
    kind text NOT NULL,
    lifecycle text NOT NULL,
    segment text NOT NULL,
    country text NOT NULL,
    language text NOT NULL,
    company_size text,
    industry text,
    age_band text,
    marketing_consent boolean NOT NULL,
    created_on date REFERENCES core.dim_date
);
COMMENT ON TABLE core.dim_customer IS
    'Grain: one customer or prospect. Key: customer_id of PromptCrm, which says nothing about a person. Coarse attributes only: names, addresses, e-mails and telephones never leave PromptCrm.';
COMMENT ON COLUMN core.dim_customer.email_hash IS
    'HMAC-SHA-256 of the e-mail under PromptCrm''s join key: joins, and cannot be turned back. Readers may not see it.';

CREATE TABLE core.dim_product (
    product_id bigint PRIMARY KEY,
    sku text NOT NULL,
    name_en text NOT NULL CHECK (length(name_en) <= 300),
    name_es text NOT NULL CHECK (length(name_es) <= 300),
    category text NOT NULL,
    list_price numeric(14, 2) CHECK (list_price >= 0 AND list_price <> 'NaN'),
    unit_cost numeric(14, 2) CHECK (unit_cost >= 0 AND unit_cost <> 'NaN'),
    currency text REFERENCES core.dim_currency,
    recurring boolean NOT NULL,
    active boolean NOT NULL
);
COMMENT ON TABLE core.dim_product IS 'Grain: one product or plan that is sold. Key: product_id of PromptCrm.';
COMMENT ON COLUMN core.dim_product.list_price IS 'For one unit (one month, if recurring), in currency.';
RESET ROLE;
