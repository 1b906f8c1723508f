//! Filling both sources.

mod first_rows;

use std::sync::Arc;

use sqlx::{PgConnection, PgPool};
use time::Date;
use tokio::sync::mpsc;

use super::{
    DemoError, ad_days::AdsChunk, copy::Rows, crm_rows::CrmChunks, database, plan::LoadPlan,
};
use crate::{pii::Keyring, sources::Sources};

/// Campaigns generated and sent at once; they bound the memory in use, with [`CUSTOMERS_AT_ONCE`].
const CAMPAIGNS_AT_ONCE: u32 = 40;
const CUSTOMERS_AT_ONCE: u32 = 2_500;

/// What to do with rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// [`DemoError::NotEmpty`].
    Refuse,
    /// Delete them, in the same transaction. Readers see a new epoch.
    Replace,
    /// Leave them, and fill what is empty: the two databases commit one after the other, so a load that is
    /// killed in between leaves one of them empty.
    Keep,
}

/// How far a load is, per database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// `promptads` or `promptcrm`.
    pub database: &'static str,
    /// Campaigns or customers done.
    pub done: u32,
    /// Of so many.
    pub total: u32,
    /// Rows sent, of every table.
    pub rows: u64,
}

/// What was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Each table with its rows, schema included.
    pub tables: Vec<(&'static str, u64)>,
}

impl Loaded {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// Whether both sources hold rows.
pub async fn loaded(sources: &Sources) -> Result<bool, DemoError> {
    for (pool, statement) in [
        (&sources.ads, include_str!("load/ads_empty.sql")),
        (&sources.crm, include_str!("load/crm_empty.sql")),
    ] {
        let empty: bool = sqlx::query_scalar(statement)
            .fetch_one(pool)
            .await
            .map_err(database("look at what the source holds"))?;
        if empty {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fills both sources, each in one transaction: a load that fails leaves what was there. Memory is
/// bounded by a few chunks, whatever the plan. `progress` is called after each chunk.
pub async fn load(
    sources: &Sources,
    keyring: &Arc<Keyring>,
    plan: &LoadPlan,
    existing: Existing,
    progress: &(dyn Fn(LoadProgress) + Send + Sync),
) -> Result<Loaded, DemoError> {
    let plan = of_the_day(*plan, sources, existing).await?;
    let ads_chunks = generate(ads_chunks(plan));
    let crm_chunks = generate(crm_chunks(plan, Arc::clone(keyring)));
    let ads = Filling::of(
        "promptads",
        &sources.ads,
        plan.campaigns(),
        existing,
        progress,
    );
    let crm = Filling::of(
        "promptcrm",
        &sources.crm,
        plan.customers,
        existing,
        progress,
    );
    // One after the other and to their ends: sqlx rolls back what is dropped while it is filled, but a
    // `begin` that is dropped on its way leaves its connection in a transaction, with its locks.
    let ads_room = ads
        .open(
            include_str!("load/ads_empty.sql"),
            include_str!("load/ads_truncate.sql"),
        )
        .await?;
    let crm_room = crm
        .open(
            include_str!("load/crm_empty.sql"),
            include_str!("load/crm_truncate.sql"),
        )
        .await?;
    let (ads, crm) = tokio::try_join!(
        ads.fill(ads_room, ads_chunks, include_str!("load/ads_finish.sql")),
        crm.fill(crm_room, crm_chunks, include_str!("load/crm_finish.sql")),
    )?;
    let (ads, mut tables) = ads;
    let (crm, crm_tables) = crm;
    ads.commit().await.map_err(database("commit promptads"))?;
    crm.commit().await.map_err(database("commit promptcrm"))?;
    tables.extend(crm_tables);
    for pool in [&sources.ads, &sources.crm] {
        sqlx::query("ANALYZE")
            .execute(pool)
            .await
            .map_err(database("analyse what was loaded"))?;
    }
    Ok(Loaded { tables })
}

/// What completes a load that was broken off goes by the day of the half that is there: a campaign must
/// not begin after the leads that it brings.
async fn of_the_day(
    plan: LoadPlan,
    sources: &Sources,
    existing: Existing,
) -> Result<LoadPlan, DemoError> {
    if existing != Existing::Keep {
        return Ok(plan);
    }
    let mut plan = plan;
    for (pool, statement) in [
        (&sources.ads, include_str!("load/ads_day.sql")),
        (&sources.crm, include_str!("load/crm_day.sql")),
    ] {
        let day: Option<Date> = sqlx::query_scalar(statement)
            .fetch_one(pool)
            .await
            .map_err(database("look for an earlier load"))?;
        plan.today = day.unwrap_or(plan.today);
    }
    Ok(plan)
}

/// Rows of several tables, parents first, with how many campaigns or customers are done then.
struct Chunk {
    done: u32,
    rows: Vec<Rows>,
}

type Chunks = mpsc::Receiver<Result<Chunk, DemoError>>;

/// Makes the next chunk on a thread of its own while one is sent. Ends early when nobody listens.
fn generate(chunks: impl Iterator<Item = Result<Chunk, DemoError>> + Send + 'static) -> Chunks {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        for chunk in chunks {
            let failed = chunk.is_err();
            if sender.blocking_send(chunk).is_err() || failed {
                break;
            }
        }
    });
    receiver
}

fn ads_chunks(plan: LoadPlan) -> impl Iterator<Item = Result<Chunk, DemoError>> + Send {
    let first = std::iter::once_with(|| Chunk {
        done: 0,
        rows: first_rows::ads(),
    });
    let total = plan.campaigns();
    let campaigns = (0..total).step_by(CAMPAIGNS_AT_ONCE as usize);
    first
        .chain(campaigns.map(move |before| {
            let done = (before + CAMPAIGNS_AT_ONCE).min(total);
            let rows = AdsChunk::of(&plan, before + 1..=done);
            Chunk { done, rows }
        }))
        .map(Ok)
}

fn crm_chunks(
    plan: LoadPlan,
    keyring: Arc<Keyring>,
) -> impl Iterator<Item = Result<Chunk, DemoError>> + Send {
    let first = std::iter::once_with(move || {
        Ok(Chunk {
            done: 0,
            rows: first_rows::crm(&plan),
        })
    });
    let mut generator = CrmChunks::new(plan, keyring);
    let customers = (0..plan.customers).step_by(CUSTOMERS_AT_ONCE as usize);
    first.chain(customers.map(move |before| {
        let done = (before + CUSTOMERS_AT_ONCE).min(plan.customers);
        let rows = generator.next(before + 1..=done)?;
        Ok(Chunk { done, rows })
    }))
}

/// One database that is being filled.
struct Filling<'a> {
    database: &'static str,
    pool: &'a PgPool,
    total: u32,
    existing: Existing,
    progress: &'a (dyn Fn(LoadProgress) + Send + Sync),
}

/// A transaction that has looked at what is there.
struct Room {
    transaction: sqlx::Transaction<'static, sqlx::Postgres>,
    /// Whether the database is to be filled.
    is_open: bool,
}

type Filled = (
    sqlx::Transaction<'static, sqlx::Postgres>,
    Vec<(&'static str, u64)>,
);

impl<'a> Filling<'a> {
    fn of(
        database: &'static str,
        pool: &'a PgPool,
        total: u32,
        existing: Existing,
        progress: &'a (dyn Fn(LoadProgress) + Send + Sync),
    ) -> Self {
        Self {
            database,
            pool,
            total,
            existing,
            progress,
        }
    }

    async fn open(&self, empty: &'static str, truncate: &'static str) -> Result<Room, DemoError> {
        let mut transaction = self.pool.begin().await.map_err(database("begin a load"))?;
        let is_open = self.make_room(&mut transaction, empty, truncate).await?;
        Ok(Room {
            transaction,
            is_open,
        })
    }

    async fn fill(
        self,
        room: Room,
        mut chunks: Chunks,
        finish: &'static str,
    ) -> Result<Filled, DemoError> {
        let mut transaction = room.transaction;
        let mut tables: Vec<(&'static str, u64)> = Vec::new();
        if !room.is_open {
            return Ok((transaction, tables));
        }
        let mut complete = false;
        while let Some(chunk) = chunks.recv().await {
            let chunk = chunk?;
            for rows in &chunk.rows {
                rows.send(&mut transaction)
                    .await
                    .map_err(database("copy rows"))?;
                match tables.iter_mut().find(|(name, _)| *name == rows.table.name) {
                    Some((_, count)) => *count += rows.count,
                    None => tables.push((rows.table.name, rows.count)),
                }
            }
            complete = chunk.done == self.total;
            (self.progress)(LoadProgress {
                database: self.database,
                done: chunk.done,
                total: self.total,
                rows: tables.iter().map(|(_, rows)| rows).sum(),
            });
        }
        if !complete {
            return Err(DemoError::Generator(format!(
                "{} is not complete",
                self.database
            )));
        }
        sqlx::raw_sql(finish)
            .execute(&mut *transaction)
            .await
            .map_err(database("set sequences"))?;
        Ok((transaction, tables))
    }

    /// Whether the database is to be filled. Two loads at once would both find nothing, so the second waits
    /// here for the first to end.
    async fn make_room(
        &self,
        connection: &mut PgConnection,
        empty: &'static str,
        truncate: &'static str,
    ) -> Result<bool, DemoError> {
        let failed = database("look at what the source holds");
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('promptsales load'))")
            .execute(&mut *connection)
            .await
            .map_err(failed)?;
        let empty: bool = sqlx::query_scalar(empty)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        match (empty, self.existing) {
            (true, _) => Ok(true),
            (false, Existing::Keep) => Ok(false),
            (false, Existing::Refuse) => Err(DemoError::NotEmpty {
                database: self.database,
            }),
            (false, Existing::Replace) => sqlx::query(truncate)
                .execute(connection)
                .await
                .map(|_| true)
                .map_err(database("delete what the source holds")),
        }
    }
}
