//! PromptContent, as content-api's change feed tells of it. A relation's columns are made of a thing's JSON; `unread`
//! are the fields that are known and made nothing of.

use super::{BIGINT, DATE, MOMENT, Relation, Rows, TEXT, TEXTS, Table};

pub(super) const TABLES: &[Table] = &[
    Table {
        relation: Relation {
            name: "contents",
            columns: &[
                ("content_id", TEXT),
                ("title_en", TEXT),
                ("title_es", TEXT),
                ("status", TEXT),
                ("hashtags", TEXTS),
                ("revision", BIGINT),
                ("created_at", MOMENT),
            ],
            unread: &[
                "origin",
                "missing_languages",
                "themes",
                "campaign_themes",
                "channels",
                "audience",
                "rights",
                "image",
                "former_images",
                "updated_at",
            ],
        },
        key: &[("content_id", TEXT)],
        joined: &[],
        rows: Rows::Plain,
        landing: "content_contents",
        target: "content_document",
        measure: Some("revision"),
    },
    Table {
        relation: Relation {
            name: "campaigns",
            columns: &[
                ("campaign_slug", TEXT),
                ("name", TEXT),
                ("status", TEXT),
                ("markets", TEXTS),
                ("starts_on", DATE),
                ("ends_on", DATE),
                ("revision", BIGINT),
                ("created_at", MOMENT),
            ],
            unread: &[
                "objective",
                "audience",
                "channels",
                "budget",
                "content_ids",
                "updated_at",
            ],
        },
        key: &[("campaign_slug", TEXT)],
        joined: &[],
        rows: Rows::Plain,
        landing: "content_campaigns",
        target: "content_campaign",
        measure: Some("revision"),
    },
    Table {
        relation: Relation {
            name: "campaign_contents",
            columns: &[
                ("campaign_slug", TEXT),
                ("content_id", TEXT),
                ("attached_at", MOMENT),
            ],
            unread: &[],
        },
        key: &[("campaign_slug", TEXT), ("content_id", TEXT)],
        joined: &[],
        rows: Rows::Plain,
        landing: "content_campaign_contents",
        target: "campaign_content",
        measure: None,
    },
];
