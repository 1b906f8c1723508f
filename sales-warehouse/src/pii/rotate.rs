//! Moving every envelope of `crm.customers` under the newest key.

use std::collections::BTreeSet;

use sqlx::{PgPool, Row, postgres::PgRow};

use super::{CustomerColumn, KeyId, Keyring, PiiError};

/// Customers locked and written in one transaction.
const BATCH: i64 = 1_000;

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
pub async fn rotate(promptcrm: &PgPool, keyring: &Keyring) -> Result<Rotated, PiiError> {
    let mut rotated = Rotated::default();
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
