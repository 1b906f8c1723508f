//! Moving every envelope of `crm.customers` under the newest key.

use std::collections::BTreeSet;

use sqlx::{PgPool, Row, postgres::PgRow};

use super::{Custody, CustomerColumn, KeyId, Keyring, PiiError};

/// Customers locked and written in one transaction.
const BATCH: i64 = 1_000;

/// A rotation from its first step to its last.
#[derive(Debug)]
pub struct Rotation {
    /// Whether it went on with one that was broken off, instead of beginning with a new key.
    pub resumed: bool,
    /// The key that everything stands under now.
    pub newest: KeyId,
    /// What was sealed anew.
    pub rotated: Rotated,
    /// Keys that nothing used any more; the keyring has forgotten them.
    pub dropped: Vec<KeyId>,
    /// Older keys that something unreadable names.
    pub kept: Vec<KeyId>,
}

/// How far a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationProgress {
    /// Customers done.
    pub done: u64,
    /// Of so many.
    pub total: u64,
}

/// Called after each batch.
pub type OnRotation<'a> = &'a (dyn Fn(RotationProgress) + Send + Sync);

impl Custody {
    /// Adds a key, seals every envelope under it, and drops the keys that nothing uses any more. Killed at any
    /// point, it goes on when it is called again: the new key is on disk before anything stands under it, and
    /// an old one is dropped last.
    pub async fn rotate(
        &self,
        promptcrm: &PgPool,
        progress: OnRotation<'_>,
    ) -> Result<Rotation, PiiError> {
        let mut keyring = self.keyring(promptcrm).await?;
        if keyring.key_ids().nth(1).is_some() {
            let resumed = self.finish(promptcrm, &mut keyring, true, progress).await?;
            if resumed.rotated.envelopes > 0 || !resumed.dropped.is_empty() {
                return Ok(resumed);
            }
            // An earlier one got to its end, and left a key to what it could not read.
        }
        keyring.add_key()?;
        keyring.save(self.path())?;
        self.finish(promptcrm, &mut keyring, false, progress).await
    }

    async fn finish(
        &self,
        promptcrm: &PgPool,
        keyring: &mut Keyring,
        resumed: bool,
        progress: OnRotation<'_>,
    ) -> Result<Rotation, PiiError> {
        let rotated = rotate(promptcrm, keyring, progress).await?;
        let used = keys_in_use(promptcrm).await?;
        let newest = keyring.newest();
        let older = keyring.key_ids().filter(|id| *id != newest);
        let (kept, dropped): (Vec<_>, Vec<_>) = older.partition(|id| used.contains(id));
        for id in &dropped {
            keyring.remove_key(*id)?;
        }
        if !dropped.is_empty() {
            keyring.save(self.path())?;
        }
        Ok(Rotation {
            resumed,
            newest,
            rotated,
            dropped,
            kept,
        })
    }
}

/// What a rotation did.
#[derive(Debug, Default)]
pub struct Rotated {
    /// Customers that were written.
    pub customers: u64,
    /// Envelopes that were sealed anew.
    pub envelopes: u64,
    /// Envelopes that do not open and stay as they are.
    pub unreadable: u64,
    /// Why the first of these does not.
    pub first_unreadable: Option<PiiError>,
}

/// The envelopes of a batch, column by column as SQL takes them.
#[derive(Default)]
struct Batch {
    ids: Vec<i64>,
    columns: [Vec<Option<Vec<u8>>>; CustomerColumn::ALL.len()],
}

/// Seals every envelope that stands under another key anew under the newest, and moves no change
/// marker. Each batch is a transaction: a rotation that was stopped goes on where it is called again,
/// and other writers wait for a batch at most. Save the keyring before.
pub async fn rotate(
    promptcrm: &PgPool,
    keyring: &Keyring,
    progress: OnRotation<'_>,
) -> Result<Rotated, PiiError> {
    let total: i64 = sqlx::query_scalar(include_str!("rotate/pending.sql"))
        .bind(newest_as_bytes(keyring))
        .fetch_one(promptcrm)
        .await
        .map_err(database("count what is to be sealed anew"))?;
    let total = total.unsigned_abs();
    let (mut rotated, mut done) = (Rotated::default(), 0);
    let mut after = i64::MIN;
    loop {
        let failed = database("lock a batch of customers");
        let mut transaction = promptcrm.begin().await.map_err(failed)?;
        let rows = sqlx::query(include_str!("rotate/lock.sql"))
            .bind(after)
            .bind(newest_as_bytes(keyring))
            .bind(BATCH)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        let Some(last) = rows.last() else {
            return Ok(rotated);
        };
        after = last.try_get("customer_id").map_err(failed)?;
        let batch = resealed(&rows, keyring, &mut rotated)?;
        let mut write = sqlx::query(include_str!("rotate/write.sql")).bind(batch.ids);
        for column in batch.columns {
            write = write.bind(column);
        }
        let failed = database("write a batch of customers");
        let written = write.execute(&mut *transaction).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        rotated.customers += written.rows_affected();
        done += rows.len() as u64;
        progress(RotationProgress { done, total });
    }
}

/// The keys that envelopes stand under. Reads the whole table.
pub async fn keys_in_use(promptcrm: &PgPool) -> Result<BTreeSet<KeyId>, PiiError> {
    let ids: Vec<Vec<u8>> = sqlx::query_scalar(include_str!("rotate/keys_in_use.sql"))
        .fetch_all(promptcrm)
        .await
        .map_err(database("look for keys in use"))?;
    Ok(ids
        .iter()
        .filter_map(|id| id.as_slice().try_into().ok())
        .map(|id| KeyId(u32::from_be_bytes(id)))
        .collect())
}

fn resealed(rows: &[PgRow], keyring: &Keyring, rotated: &mut Rotated) -> Result<Batch, PiiError> {
    let read = database("read a customer");
    let mut batch = Batch::default();
    for row in rows {
        let id = row.try_get("customer_id").map_err(read)?;
        batch.ids.push(id);
        for (column, values) in CustomerColumn::ALL.into_iter().zip(&mut batch.columns) {
            let envelope: Option<&[u8]> = row.try_get(column.as_str()).map_err(read)?;
            let sealed = envelope.map(|envelope| keyring.reseal(column.of(id), envelope));
            match sealed.transpose() {
                Ok(sealed) => {
                    let sealed = sealed.flatten();
                    rotated.envelopes += u64::from(sealed.is_some());
                    values.push(sealed);
                }
                Err(error) => {
                    rotated.unreadable += 1;
                    rotated.first_unreadable.get_or_insert(error);
                    values.push(None);
                }
            }
        }
    }
    Ok(batch)
}

fn newest_as_bytes(keyring: &Keyring) -> Vec<u8> {
    keyring.newest().0.to_be_bytes().to_vec()
}

fn database(action: &'static str) -> impl Fn(sqlx::Error) -> PiiError + Copy {
    move |source| PiiError::Database { action, source }
}
