//! PromptAds, schema `ads`.

use super::{BIGINT, Column, DATE, MOMENT, MONEY, Relation, Rows, TEXT, Table};

const fn plain(
    relation: Relation,
    key: &'static [Column],
    landing: &'static str,
    target: &'static str,
    measure: Option<&'static str>,
) -> Table {
    Table {
        relation,
        key,
        joined: &[],
        rows: Rows::Plain,
        landing,
        target,
        measure,
    }
}

pub(super) const TABLES: &[Table] = &[
    plain(
        Relation {
            name: "channels",
            columns: &[("channel_code", TEXT), ("name_en", TEXT), ("name_es", TEXT)],
            unread: &[],
        },
        &[("channel_code", TEXT)],
        "ads_channels",
        "dim_channel",
        None,
    ),
    plain(
        Relation {
            name: "markets",
            columns: &[
                ("market_code", TEXT),
                ("name_en", TEXT),
                ("name_es", TEXT),
                ("region", TEXT),
                ("currency", TEXT),
                ("language", TEXT),
            ],
            unread: &[],
        },
        &[("market_code", TEXT)],
        "ads_markets",
        "dim_market",
        None,
    ),
    plain(
        Relation {
            name: "audiences",
            columns: &[
                ("audience_id", BIGINT),
                ("code", TEXT),
                ("name_en", TEXT),
                ("name_es", TEXT),
                ("age_band", TEXT),
                ("kind", TEXT),
            ],
            unread: &[],
        },
        &[("audience_id", BIGINT)],
        "ads_audiences",
        "dim_audience",
        None,
    ),
    plain(
        Relation {
            name: "campaigns",
            columns: &[
                ("campaign_id", BIGINT),
                ("code", TEXT),
                ("name", TEXT),
                ("objective", TEXT),
                ("theme", TEXT),
                ("status", TEXT),
                ("market_code", TEXT),
                ("budget", MONEY),
                ("currency", TEXT),
                ("start_date", DATE),
                ("end_date", DATE),
                ("created_at", MOMENT),
            ],
            unread: &[],
        },
        &[("campaign_id", BIGINT)],
        "ads_campaigns",
        "dim_campaign",
        None,
    ),
    plain(
        Relation {
            name: "ads",
            columns: &[
                ("ad_id", BIGINT),
                ("campaign_id", BIGINT),
                ("channel_code", TEXT),
                ("audience_id", BIGINT),
                ("content_id", TEXT),
                ("name", TEXT),
                ("language", TEXT),
                ("status", TEXT),
                ("created_at", MOMENT),
            ],
            unread: &[],
        },
        &[("ad_id", BIGINT)],
        "ads_ads",
        "dim_ad",
        None,
    ),
    plain(
        Relation {
            name: "campaign_content",
            columns: &[
                ("campaign_id", BIGINT),
                ("content_id", TEXT),
                ("role", TEXT),
                ("first_used_on", DATE),
                ("last_used_on", DATE),
            ],
            unread: &[],
        },
        &[("campaign_id", BIGINT), ("content_id", TEXT)],
        "ads_campaign_content",
        "fact_content_use",
        None,
    ),
    plain(
        Relation {
            name: "ad_daily",
            columns: &[
                ("ad_id", BIGINT),
                ("day", DATE),
                ("impressions", BIGINT),
                ("clicks", BIGINT),
                ("conversions", BIGINT),
                ("cost", MONEY),
                ("currency", TEXT),
                ("reported_at", MOMENT),
                ("corrected_at", MOMENT),
            ],
            unread: &[],
        },
        &[("ad_id", BIGINT), ("day", DATE)],
        "ads_ad_daily",
        "fact_ad_daily",
        Some("cost"),
    ),
    plain(
        Relation {
            name: "reactions",
            columns: &[
                ("ad_id", BIGINT),
                ("day", DATE),
                ("kind", TEXT),
                ("reactions", BIGINT),
            ],
            unread: &[],
        },
        &[("ad_id", BIGINT), ("day", DATE), ("kind", TEXT)],
        "ads_reactions",
        "fact_reaction",
        Some("reactions"),
    ),
];
