//! Erasing in PostgreSQL, in one transaction, and the ledger of it.

use async_trait::async_trait;
use contracts::{
    ImageId,
    campaigns::CampaignEvent,
    lifecycle::{ErasedFromStore, Erasure, ErasureRecord, ErasureStage},
};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

use super::{
    PostgresStore, backend,
    campaigns::{note, set_link},
    writes::{Pen, next_position, take_pen},
};
use crate::store::{Erased, ErasureLedger, Stamp, StoreError};

#[async_trait]
impl ErasureLedger for PostgresStore {
    async fn erase(&self, id: &ImageId, stamp: &Stamp) -> Result<Erased, StoreError> {
        self.try_erase(id, stamp)
            .await
            .map_err(backend("erase a document"))
    }

    async fn note_erasure(&self, erasure: Erasure) -> Result<ErasureRecord, StoreError> {
        let noted = async {
            let mut transaction = self.pool.begin().await?;
            take_pen(&mut transaction, Pen::Others).await?;
            let record = append(&mut transaction, erasure).await?;
            transaction.commit().await?;
            Ok(record)
        };
        noted.await.map_err(backend("write to the erasure ledger"))
    }

    async fn erasures_of(&self, id: &ImageId) -> Result<Vec<ErasureRecord>, StoreError> {
        let records: Vec<Json<ErasureRecord>> = sqlx::query_scalar(include_str!("erasures/of.sql"))
            .bind(id.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(backend("read the erasure ledger"))?;
        Ok(records.into_iter().map(|Json(record)| record).collect())
    }

    async fn erasures(&self, after: i64, limit: u32) -> Result<Vec<ErasureRecord>, StoreError> {
        let records: Vec<Json<ErasureRecord>> =
            sqlx::query_scalar(include_str!("erasures/page.sql"))
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(&self.pool)
                .await
                .map_err(backend("read the erasure ledger"))?;
        Ok(records.into_iter().map(|Json(record)| record).collect())
    }

    async fn deletion_acknowledged(&self, id: &ImageId) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar(include_str!("erasures/acknowledged.sql"))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(backend("read a deletion"))
    }
}

impl PostgresStore {
    async fn try_erase(&self, id: &ImageId, stamp: &Stamp) -> sqlx::Result<Erased> {
        let mut transaction = self.pool.begin().await?;
        let position = take_pen(&mut transaction, Pen::Contents).await?;
        let found: Option<(Value, i64, bool, bool)> =
            sqlx::query_as(include_str!("erasures/find.sql"))
                .bind(id.as_str())
                .fetch_optional(&mut *transaction)
                .await?;
        let Some((body, _, _, erased)) = found else {
            return Ok(Erased::Unknown);
        };
        if erased {
            return Ok(Erased::Before);
        }
        let revision = sqlx::query_scalar(include_str!("erasures/empty.sql"))
            .bind(id.as_str())
            .bind(stamp.now)
            .bind(position)
            .fetch_one(&mut *transaction)
            .await?;
        let image_files = sqlx::query(include_str!("erasures/files.sql"))
            .bind(files_of(&body))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        let log_entries = drop_rows(&mut transaction, include_str!("erasures/log.sql"), id).await?;
        let campaign_links = detach(&mut transaction, id, stamp).await?;
        let kept_answers =
            drop_rows(&mut transaction, include_str!("erasures/keys.sql"), id).await?;
        sqlx::query(include_str!("erasures/claim.sql"))
            .bind(id.as_str())
            .bind(stamp.now)
            .execute(&mut *transaction)
            .await?;
        let erasure = Erasure {
            id: id.clone(),
            at: stamp.now,
            by: stamp.by.clone(),
            stage: ErasureStage::Store(ErasedFromStore {
                revision,
                documents: 1,
                image_files,
                campaign_links,
                log_entries,
                kept_answers,
            }),
        };
        let record = append(&mut transaction, erasure).await?;
        transaction.commit().await?;
        Ok(Erased::Now(Box::new(record)))
    }
}

/// Hashes of its image files, also where the rest of the body cannot be read.
fn files_of(body: &Value) -> Vec<String> {
    let former = body["former_images"].as_array().into_iter().flatten();
    former
        .chain([&body["image"]])
        .filter_map(|image| image["sha256"].as_str())
        .map(str::to_owned)
        .collect()
}

async fn drop_rows(
    connection: &mut PgConnection,
    statement: &'static str,
    id: &ImageId,
) -> sqlx::Result<u64> {
    let done = sqlx::query(statement)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// Ends the links from campaigns, and says in their logs that there was one.
async fn detach(connection: &mut PgConnection, id: &ImageId, stamp: &Stamp) -> sqlx::Result<u64> {
    let campaigns: Vec<String> = sqlx::query_scalar(include_str!("erasures/links.sql"))
        .bind(id.as_str())
        .fetch_all(&mut *connection)
        .await?;
    for campaign in &campaigns {
        let campaign: ImageId = campaign
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let position = next_position(connection).await?;
        sqlx::query(include_str!("erasures/detach.sql"))
            .bind(campaign.as_str())
            .bind(id.as_str())
            .bind(stamp.now)
            .bind(position)
            .execute(&mut *connection)
            .await?;
        set_link(connection, &campaign, id.as_str(), true, stamp.now).await?;
        note(
            connection,
            &campaign,
            &[CampaignEvent::ContentErased],
            stamp,
        )
        .await?;
    }
    Ok(campaigns.len() as u64)
}

/// Seals a record onto the last one. Only who holds the pen may.
async fn append(connection: &mut PgConnection, erasure: Erasure) -> sqlx::Result<ErasureRecord> {
    let last: Option<Json<ErasureRecord>> = sqlx::query_scalar(include_str!("erasures/last.sql"))
        .fetch_optional(&mut *connection)
        .await?;
    let record = ErasureRecord::after(last.as_ref().map(|Json(last)| last), erasure);
    sqlx::query(include_str!("erasures/note.sql"))
        .bind(record.sequence)
        .bind(record.erasure.id.as_str())
        .bind(Json(&record))
        .execute(connection)
        .await?;
    Ok(record)
}
