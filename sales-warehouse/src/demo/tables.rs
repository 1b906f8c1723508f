//! The tables that are loaded, parents before children.

use super::copy::Table;

macro_rules! table {
    ($constant:ident, $name:literal, $columns:literal) => {
        pub(super) static $constant: Table = Table {
            name: $name,
            copy: concat!("COPY ", $name, " (", $columns, ") FROM STDIN"),
        };
    };
}

table!(CHANNELS, "ads.channels", "channel_code, name_en, name_es");
table!(
    MARKETS,
    "ads.markets",
    "market_code, name_en, name_es, region, currency, language"
);
table!(
    AUDIENCES,
    "ads.audiences",
    "audience_id, code, name_en, name_es, age_band, kind"
);
table!(
    CAMPAIGNS,
    "ads.campaigns",
    "campaign_id, code, name, objective, theme, status, market_code, budget, currency, start_date, \
     end_date, created_at"
);
table!(
    CAMPAIGN_CONTENT,
    "ads.campaign_content",
    "campaign_id, content_id, role, first_used_on, last_used_on"
);
table!(
    ADS,
    "ads.ads",
    "ad_id, campaign_id, channel_code, audience_id, content_id, name, language, status, created_at"
);
table!(
    AD_DAILY,
    "ads.ad_daily",
    "ad_id, day, impressions, clicks, conversions, cost, currency, reported_at, corrected_at"
);
table!(REACTIONS, "ads.reactions", "ad_id, day, kind, reactions");

table!(
    PRODUCTS,
    "crm.products",
    "product_id, sku, name_en, name_es, category, list_price, unit_cost, currency, recurring, active, \
     created_at"
);
table!(
    EXCHANGE_RATES,
    "crm.exchange_rates",
    "currency, month, usd_per_unit"
);
table!(
    CUSTOMERS,
    "crm.customers",
    "customer_id, kind, lifecycle, segment, country, language, company_size, industry, age_band, \
     marketing_consent, email_hash, contact_name_enc, email_enc, phone_enc, address_enc, \
     company_name_enc, created_at"
);
table!(
    LEADS,
    "crm.leads",
    "lead_id, customer_id, source, channel_code, campaign_code, country, score, status, created_at, \
     qualified_at, converted_at"
);
table!(
    INTERACTIONS,
    "crm.interactions",
    "interaction_id, customer_id, lead_id, kind, direction, occurred_at, response_seconds"
);
table!(
    OPPORTUNITIES,
    "crm.opportunities",
    "opportunity_id, customer_id, lead_id, stage, amount, currency, created_at, expected_close_on, \
     closed_at, won"
);
table!(
    SALES,
    "crm.sales",
    "sale_id, customer_id, lead_id, opportunity_id, country, status, currency, total, sold_at, \
     recorded_at"
);
table!(
    SALE_LINES,
    "crm.sale_lines",
    "sale_id, line_no, product_id, quantity, unit_price, discount, unit_cost, currency"
);
table!(
    SUBSCRIPTIONS,
    "crm.subscriptions",
    "subscription_id, customer_id, sale_id, plan, monthly_price, currency, started_on, cancelled_on"
);
