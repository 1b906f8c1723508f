//! Campaigns in PostgreSQL: the campaign as jsonb, its use of documents and its log as rows.

use std::collections::BTreeSet;

use async_trait::async_trait;
use contracts::{
    ImageId,
    campaigns::{Campaign, CampaignEvent, CampaignStatus, LogEntry},
};
use sqlx::{PgConnection, Row, postgres::PgRow, types::Json};
use time::OffsetDateTime;

use super::{
    PostgresStore, backend, rows,
    writes::{Pen, next_position, not_written, take_pen},
};
use crate::store::{
    CampaignDraft, CampaignStore, Change, Page, PutOutcome, Stamp, StoreError, Write,
};

#[async_trait]
impl CampaignStore for PostgresStore {
    async fn register(
        &self,
        draft: &CampaignDraft,
        request: &str,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        self.try_register(draft, request, events, stamp)
            .await
            .map_err(backend("register a campaign"))
    }

    async fn change(
        &self,
        draft: &CampaignDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        self.try_change(draft, expected, events, stamp)
            .await
            .map_err(backend("change a campaign"))
    }

    async fn campaign(&self, id: &ImageId) -> Result<Option<Campaign>, StoreError> {
        let row = sqlx::query(include_str!("campaigns/get.sql"))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(backend("read a campaign"))?;
        row.as_ref().map(campaign).transpose()
    }

    async fn campaigns(
        &self,
        status: Option<CampaignStatus>,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Page<Campaign>, StoreError> {
        let rows = sqlx::query(include_str!("campaigns/page.sql"))
            .bind(after.map(ImageId::as_str))
            .bind(i64::from(limit))
            .bind(status.map(CampaignStatus::as_str))
            .fetch_all(&self.pool)
            .await
            .map_err(backend("read a page of campaigns"))?;
        rows::page(&rows, limit, campaign)
    }

    async fn log(
        &self,
        id: &ImageId,
        after: i64,
        since: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<LogEntry>, StoreError> {
        let failed = backend("read a campaign's log");
        let rows: Vec<(i64, OffsetDateTime, String, Json<CampaignEvent>)> =
            sqlx::query_as(include_str!("campaigns/log.sql"))
                .bind(id.as_str())
                .bind(after)
                .bind(since)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(failed)?;
        let entry = |(position, at, by, Json(event))| LogEntry {
            position,
            at,
            by,
            event,
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    async fn purge_log(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        let done = sqlx::query(include_str!("campaigns/purge.sql"))
            .bind(before)
            .execute(&self.pool)
            .await
            .map_err(backend("drop old log entries"))?;
        Ok(done.rows_affected())
    }
}

impl PostgresStore {
    async fn try_register(
        &self,
        draft: &CampaignDraft,
        request: &str,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> sqlx::Result<Write> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Others).await?;
        let written: Option<i64> = sqlx::query_scalar(include_str!("campaigns/register.sql"))
            .bind(draft.id.as_str())
            .bind(Json(draft))
            .bind(request)
            .bind(stamp.now)
            .bind(position)
            .fetch_optional(&mut *transaction)
            .await?;
        if written.is_none() {
            let (revision, creator) = current(&mut transaction, &draft.id)
                .await?
                .ok_or(sqlx::Error::RowNotFound)?;
            return Ok(if creator == request {
                Write::Repeated { revision }
            } else {
                Write::Conflict { revision }
            });
        }
        link(&mut transaction, draft, stamp).await?;
        note(&mut transaction, &draft.id, events, stamp).await?;
        transaction.commit().await?;
        Ok(Write::Done(PutOutcome {
            revision: 1,
            change: Change::Inserted,
        }))
    }

    async fn try_change(
        &self,
        draft: &CampaignDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> sqlx::Result<Write> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Others).await?;
        let written: Option<i64> = sqlx::query_scalar(include_str!("campaigns/change.sql"))
            .bind(draft.id.as_str())
            .bind(Json(draft))
            .bind(stamp.now)
            .bind(position)
            .bind(expected)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(revision) = written else {
            let found = current(&mut transaction, &draft.id).await?;
            return Ok(not_written(found.map(|(revision, _)| revision), expected));
        };
        link(&mut transaction, draft, stamp).await?;
        note(&mut transaction, &draft.id, events, stamp).await?;
        transaction.commit().await?;
        Ok(Write::Done(PutOutcome {
            revision,
            change: Change::Updated,
        }))
    }
}

/// Brings the links level with the campaign.
async fn link(
    connection: &mut PgConnection,
    draft: &CampaignDraft,
    stamp: &Stamp,
) -> sqlx::Result<()> {
    let linked: Vec<String> = sqlx::query_scalar(include_str!("campaigns/linked.sql"))
        .bind(draft.id.as_str())
        .fetch_all(&mut *connection)
        .await?;
    let linked: BTreeSet<&str> = linked.iter().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = draft.content_ids.iter().map(ImageId::as_str).collect();
    for (content_id, ended) in wanted
        .difference(&linked)
        .map(|id| (*id, false))
        .chain(linked.difference(&wanted).map(|id| (*id, true)))
    {
        set_link(connection, &draft.id, content_id, ended, stamp.now).await?;
    }
    Ok(())
}

pub(super) async fn set_link(
    connection: &mut PgConnection,
    campaign_id: &ImageId,
    content_id: &str,
    ended: bool,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let position = next_position(connection).await?;
    sqlx::query(include_str!("campaigns/link.sql"))
        .bind(campaign_id.as_str())
        .bind(content_id)
        .bind(now)
        .bind(ended)
        .bind(position)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes to a campaign's log.
pub(super) async fn note(
    connection: &mut PgConnection,
    campaign_id: &ImageId,
    events: &[CampaignEvent],
    stamp: &Stamp,
) -> sqlx::Result<()> {
    for event in events {
        sqlx::query(include_str!("campaigns/note.sql"))
            .bind(campaign_id.as_str())
            .bind(event.content_id().map(ImageId::as_str))
            .bind(stamp.now)
            .bind(&stamp.by)
            .bind(Json(event))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn current(
    connection: &mut PgConnection,
    id: &ImageId,
) -> sqlx::Result<Option<(i64, String)>> {
    sqlx::query_as(include_str!("campaigns/current.sql"))
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
}

/// A row with the columns of a campaign.
pub(super) fn campaign(row: &PgRow) -> Result<Campaign, StoreError> {
    let id = rows::id(row)?;
    let Json(draft) = row
        .try_get::<Json<CampaignDraft>, _>("body")
        .map_err(|source| StoreError::Damaged {
            id,
            source: source.into(),
        })?;
    let read = backend("read a campaign's columns");
    Ok(draft.into_campaign(
        row.try_get("revision").map_err(read)?,
        row.try_get("created_at").map_err(read)?,
        row.try_get("updated_at").map_err(read)?,
    ))
}
