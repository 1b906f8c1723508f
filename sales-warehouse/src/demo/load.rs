//! Filling both sources.

mod first_rows;

use std::sync::Arc;

use sqlx::{PgConnection, PgPool};
use time::Date;
use tokio::sync::mpsc;

use super::{
    DemoError,
    ad_days::AdsChunk,
    campaign::midnight,
    copy::{Rows, Seconds},
    customers::CrmChunks,
    database,
};
use crate::{pii::Keyring, sources::Sources};

/// Campaigns generated and sent at once; they bound the memory in use, with [`CUSTOMERS_AT_ONCE`].
const CAMPAIGNS_AT_ONCE: u32 = 40;
const CUSTOMERS_AT_ONCE: u32 = 2_500;

/// How much to load. The same plan gives the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadPlan {
    /// Campaigns that are over; about 510 daily rows each.
    pub campaigns_finished: u32,
    /// Campaigns that run on `today`; about 300 daily rows each.
    pub campaigns_active: u32,
    /// Customers and prospects.
    pub customers: u32,
    /// Another seed, other rows.
    pub seed: u64,
    /// Everything has happened before this day begins, UTC.
    pub today: Date,
}

impl LoadPlan {
    /// What `up` loads: some 18,000 daily rows, in a few seconds.
    pub fn small(seed: u64, today: Date) -> Self {
        Self {
            campaigns_finished: 12,
            campaigns_active: 40,
            customers: 2_000,
            seed,
            today,
        }
    }

    /// The size that the product is made for: about 2 million daily rows.
    pub fn full(seed: u64, today: Date) -> Self {
        Self {
            campaigns_finished: 1_000,
            campaigns_active: 5_000,
            customers: 500_000,
            seed,
            today,
        }
    }

    /// What completes a load that was broken off goes by the day of the half that is there: a campaign must
    /// not begin after the leads that it brings.
    async fn of_the_day(self, sources: &Sources, existing: Existing) -> Result<Self, DemoError> {
        if existing != Existing::Keep {
            return Ok(self);
        }
        let mut plan = self;
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

    pub(super) fn campaigns(&self) -> u32 {
        self.campaigns_finished + self.campaigns_active
    }

    pub(super) fn now(&self) -> Seconds {
        midnight(self.today)
    }
}

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
    let plan = plan.of_the_day(sources, existing).await?;
    let ads_chunks = generate(ads_chunks(plan));
    let crm_chunks = generate(crm_chunks(plan, Arc::clone(keyring)));
    let (ads, crm) = tokio::try_join!(
        Filling::of(
            "promptads",
            &sources.ads,
            plan.campaigns(),
            existing,
            progress
        )
        .fill(
            ads_chunks,
            include_str!("load/ads_empty.sql"),
            include_str!("load/ads_truncate.sql"),
            include_str!("load/ads_finish.sql")
        ),
        Filling::of(
            "promptcrm",
            &sources.crm,
            plan.customers,
            existing,
            progress
        )
        .fill(
            crm_chunks,
            include_str!("load/crm_empty.sql"),
            include_str!("load/crm_truncate.sql"),
            include_str!("load/crm_finish.sql")
        ),
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

    async fn fill(
        self,
        mut chunks: Chunks,
        empty: &'static str,
        truncate: &'static str,
        finish: &'static str,
    ) -> Result<Filled, DemoError> {
        let mut transaction = self.pool.begin().await.map_err(database("begin a load"))?;
        let mut tables: Vec<(&'static str, u64)> = Vec::new();
        if !self.make_room(&mut transaction, empty, truncate).await? {
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
