//! Writing documents. One writer at a time: see `take_pen.sql`.

use std::collections::BTreeSet;

use contracts::{ImageId, campaigns::CampaignEvent};
use sqlx::{PgConnection, types::Json};
use time::OffsetDateTime;

use super::PostgresStore;
use crate::store::{Change, ContentDraft, PutOutcome, Stamp, Write};

/// What a write of a transaction changes for readers.
#[derive(Clone, Copy)]
pub(super) enum Pen {
    /// Documents: cached answers are not found any more.
    Contents,
    /// Anything else.
    Others,
}

/// Waits until no other writer writes, and returns the place in the feed for a first change. To be
/// called before anything else of a transaction: whoever holds rows and then waits here may wait
/// for one who waits for the rows.
pub(super) async fn take_pen(connection: &mut PgConnection, pen: Pen) -> sqlx::Result<i64> {
    let versions: i64 = match pen {
        Pen::Contents => 1,
        Pen::Others => 0,
    };
    sqlx::query_scalar(include_str!("take_pen.sql"))
        .bind(versions)
        .fetch_one(connection)
        .await
}

/// The place for a further change of the same transaction.
pub(super) async fn next_position(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar(include_str!("next_position.sql"))
        .fetch_one(connection)
        .await
}

/// Writes events to the logs of the campaigns that use a document.
async fn tell_campaigns(
    connection: &mut PgConnection,
    id: &ImageId,
    events: &[CampaignEvent],
    stamp: &Stamp,
) -> sqlx::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let events: Vec<Json<&CampaignEvent>> = events.iter().map(Json).collect();
    sqlx::query(include_str!("tell_campaigns.sql"))
        .bind(id.as_str())
        .bind(stamp.now)
        .bind(&stamp.by)
        .bind(events)
        .execute(connection)
        .await?;
    Ok(())
}

/// In any language, in small letters, each once.
fn hashtags(draft: &ContentDraft) -> Vec<String> {
    let tags = draft.text.values().flat_map(|text| &text.hashtags);
    let tags: BTreeSet<String> = tags.map(|tag| tag.to_lowercase()).collect();
    tags.into_iter().collect()
}

/// As PostgreSQL counts its bits.
pub(super) fn perceptual_bits(hash: &str) -> Option<i64> {
    let bits = (hash.len() == 16).then(|| u64::from_str_radix(hash, 16).ok())?;
    bits.map(u64::cast_signed)
}

impl PostgresStore {
    pub(super) async fn try_put(
        &self,
        draft: &ContentDraft,
        now: OffsetDateTime,
    ) -> sqlx::Result<PutOutcome> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Contents).await?;
        let written: Option<i64> = sqlx::query_scalar(include_str!("put.sql"))
            .bind(draft.id.as_str())
            .bind(Json(draft))
            .bind(now)
            .bind(position)
            .bind(hashtags(draft))
            .bind(perceptual_bits(&draft.image.perceptual_hash))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(revision) = written else {
            let revision = sqlx::query_scalar(include_str!("revision.sql"))
                .bind(draft.id.as_str())
                .fetch_one(&mut *transaction)
                .await?;
            return Ok(PutOutcome {
                revision,
                change: Change::Unchanged,
            });
        };
        transaction.commit().await?;
        Ok(written_as(revision))
    }

    pub(super) async fn try_create(
        &self,
        draft: &ContentDraft,
        request: &str,
        stamp: &Stamp,
    ) -> sqlx::Result<Write> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Contents).await?;
        let written: Option<i64> = sqlx::query_scalar(include_str!("create.sql"))
            .bind(draft.id.as_str())
            .bind(Json(draft))
            .bind(stamp.now)
            .bind(position)
            .bind(hashtags(draft))
            .bind(perceptual_bits(&draft.image.perceptual_hash))
            .bind(request)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(revision) = written {
            transaction.commit().await?;
            return Ok(Write::Done(written_as(revision)));
        }
        let Some((revision, creator)) = current(&mut transaction, &draft.id).await? else {
            return Ok(Write::Erased);
        };
        Ok(if creator.as_deref() == Some(request) {
            Write::Repeated { revision }
        } else {
            Write::Conflict { revision }
        })
    }

    pub(super) async fn try_replace(
        &self,
        draft: &ContentDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> sqlx::Result<Write> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Contents).await?;
        let written: Option<i64> = sqlx::query_scalar(include_str!("replace.sql"))
            .bind(draft.id.as_str())
            .bind(Json(draft))
            .bind(stamp.now)
            .bind(position)
            .bind(hashtags(draft))
            .bind(perceptual_bits(&draft.image.perceptual_hash))
            .bind(expected)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(revision) = written else {
            let found = current(&mut transaction, &draft.id).await?;
            return Ok(not_written(found.map(|(revision, _)| revision), expected));
        };
        tell_campaigns(&mut transaction, &draft.id, events, stamp).await?;
        transaction.commit().await?;
        Ok(Write::Done(PutOutcome {
            revision,
            change: Change::Updated,
        }))
    }

    pub(super) async fn try_delete(
        &self,
        id: &ImageId,
        expected: Option<i64>,
        stamp: &Stamp,
    ) -> sqlx::Result<Write> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Contents).await?;
        let deleted: Option<i64> = sqlx::query_scalar(include_str!("delete.sql"))
            .bind(id.as_str())
            .bind(stamp.now)
            .bind(position)
            .bind(expected)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(revision) = deleted else {
            let found = current(&mut transaction, id).await?;
            return Ok(found.map_or(Write::Absent, |(revision, _)| Write::Conflict { revision }));
        };
        let content_id = id.clone();
        let event = [CampaignEvent::ContentDeleted { content_id }];
        tell_campaigns(&mut transaction, id, &event, stamp).await?;
        transaction.commit().await?;
        Ok(Write::Done(PutOutcome {
            revision,
            change: Change::Updated,
        }))
    }

    pub(super) async fn try_raise(&self, held: &[(ImageId, i64)]) -> sqlx::Result<u64> {
        let (ids, revisions): (Vec<&str>, Vec<i64>) = held
            .iter()
            .map(|(id, revision)| (id.as_str(), *revision))
            .unzip();
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Contents).await?;
        let raised = sqlx::query(include_str!("raise_revision.sql"))
            .bind(ids)
            .bind(revisions)
            .bind(position)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if raised > 0 {
            // The first one's is taken already.
            sqlx::query(include_str!("skip_positions.sql"))
                .bind(raised.cast_signed() - 1)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(raised)
    }
}

async fn current(
    connection: &mut PgConnection,
    id: &ImageId,
) -> sqlx::Result<Option<(i64, Option<String>)>> {
    sqlx::query_as(include_str!("current.sql"))
        .bind(id.as_str())
        .fetch_optional(connection)
        .await
}

/// Why an update of the revision `expected` changed nothing, given the revision that is there.
pub(super) fn not_written(found: Option<i64>, expected: i64) -> Write {
    match found {
        None => Write::Absent,
        Some(revision) if revision == expected => Write::Done(PutOutcome {
            revision,
            change: Change::Unchanged,
        }),
        Some(revision) => Write::Conflict { revision },
    }
}

fn written_as(revision: i64) -> PutOutcome {
    let change = if revision == 1 {
        Change::Inserted
    } else {
        Change::Updated
    };
    PutOutcome { revision, change }
}
