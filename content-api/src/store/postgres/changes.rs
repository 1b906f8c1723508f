//! The change feed in PostgreSQL.

use async_trait::async_trait;
use contracts::{
    ImageId,
    changes::{Change, ChangedItem},
};
use sqlx::{Row, postgres::PgRow};

use super::{PostgresStore, backend, campaigns::campaign, rows};
use crate::store::{ChangeFeed, StoreError};

#[async_trait]
impl ChangeFeed for PostgresStore {
    async fn changes(&self, mut after: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
        loop {
            let rows = sqlx::query(include_str!("changes/page.sql"))
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(backend("read changes"))?;
            let found = rows::readable(&rows, change)?;
            match rows.last() {
                // A page of nothing but unreadable ones is no end.
                Some(last) if found.is_empty() => after = position(last)?,
                _ => return Ok(found),
            }
        }
    }
}

fn position(row: &PgRow) -> Result<i64, StoreError> {
    let read = backend("read a change's columns");
    row.try_get("position").map_err(read)
}

fn change(row: &PgRow) -> Result<Change, StoreError> {
    let read = backend("read a change's columns");
    let (kind, ended): (&str, bool) = (
        row.try_get("kind").map_err(read)?,
        row.try_get("ended").map_err(read)?,
    );
    let item = match (kind, ended) {
        ("content", false) => ChangedItem::Content {
            document: Box::new(rows::document(row)?),
        },
        ("content", true) => ChangedItem::ContentDeleted {
            id: image_id(row, "id")?,
            revision: row.try_get("revision").map_err(read)?,
        },
        ("campaign", _) => ChangedItem::Campaign {
            campaign: Box::new(campaign(row)?),
        },
        (_, false) => ChangedItem::ContentUse {
            campaign_id: image_id(row, "campaign_id")?,
            content_id: image_id(row, "id")?,
        },
        (_, true) => ChangedItem::ContentUseDeleted {
            campaign_id: image_id(row, "campaign_id")?,
            content_id: image_id(row, "id")?,
        },
    };
    Ok(Change {
        position: position(row)?,
        at: row.try_get("at").map_err(read)?,
        item,
    })
}

fn image_id(row: &PgRow, column: &str) -> Result<ImageId, StoreError> {
    let text: String = row
        .try_get(column)
        .map_err(backend("read a change's columns"))?;
    text.parse().map_err(|source| StoreError::Damaged {
        id: text,
        source: Box::new(source),
    })
}
