//! Filling both sources.

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
    random::{Dice, Topic},
    reference::{AUDIENCES, CHANNELS, MARKETS, PRODUCTS},
    tables,
};
use crate::{pii::Keyring, sources::Sources};

/// Campaigns generated and sent at once; they bound the memory in use, with [`CUSTOMERS_AT_ONCE`].
const CAMPAIGNS_AT_ONCE: u32 = 40;
const CUSTOMERS_AT_ONCE: u32 = 2_500;
/// Months of exchange rates before the current one.
const RATE_MONTHS: i32 = 48;

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

/// Fills both sources, each in one transaction: a load that fails leaves what was there. Memory is
/// bounded by a few chunks, whatever the plan. `progress` is called after each chunk.
pub async fn load(
    sources: &Sources,
    keyring: &Arc<Keyring>,
    plan: &LoadPlan,
    existing: Existing,
    progress: &(dyn Fn(LoadProgress) + Send + Sync),
) -> Result<Loaded, DemoError> {
    let plan = *plan;
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
        rows: ads_reference(),
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
            rows: crm_reference(&plan),
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
        self.make_room(&mut transaction, empty, truncate).await?;
        let mut tables: Vec<(&'static str, u64)> = Vec::new();
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

    /// Two loads at once would both find nothing, so the second waits here for the first to end.
    async fn make_room(
        &self,
        connection: &mut PgConnection,
        empty: &'static str,
        truncate: &'static str,
    ) -> Result<(), DemoError> {
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
            (true, _) => Ok(()),
            (false, Existing::Refuse) => Err(DemoError::NotEmpty {
                database: self.database,
            }),
            (false, Existing::Replace) => sqlx::query(truncate)
                .execute(connection)
                .await
                .map(drop)
                .map_err(database("delete what the source holds")),
        }
    }
}

fn ads_reference() -> Vec<Rows> {
    let mut channels = Rows::of(&tables::CHANNELS);
    for channel in &CHANNELS {
        channels
            .row()
            .text(channel.code)
            .text(channel.en)
            .text(channel.es);
    }
    let mut markets = Rows::of(&tables::MARKETS);
    for market in &MARKETS {
        markets
            .row()
            .text(market.code)
            .text(market.en)
            .text(market.es)
            .text(market.region)
            .text(market.currency)
            .text(market.language);
    }
    let mut audiences = Rows::of(&tables::AUDIENCES);
    for (id, (code, en, es, age, kind)) in (1..).zip(&AUDIENCES) {
        audiences
            .row()
            .int(id)
            .text(code)
            .text(en)
            .text(es)
            .maybe(*age, |row, age| row.text(age))
            .text(kind);
    }
    vec![channels, markets, audiences]
}

fn crm_reference(plan: &LoadPlan) -> Vec<Rows> {
    let mut products = Rows::of(&tables::PRODUCTS);
    for (id, product) in (1..).zip(&PRODUCTS) {
        products
            .row()
            .int(id)
            .text(product.sku)
            .text(product.en)
            .text(product.es)
            .text(product.category)
            .money((product.price * 100.0).round() as i64)
            .money((product.cost * 100.0).round() as i64)
            .text("USD")
            .bool(product.recurring)
            .bool(true)
            .time(plan.now() - 1_500 * 86_400);
    }
    let mut rates = Rows::of(&tables::EXCHANGE_RATES);
    for (entity, market) in (0..).zip(&MARKETS) {
        if MARKETS[..entity as usize]
            .iter()
            .any(|other| other.currency == market.currency)
        {
            continue;
        }
        let mut dice = Dice::new(plan.seed, Topic::Rates, entity);
        for back in 0..=RATE_MONTHS {
            let years = f64::from(back) / 12.0;
            let noise = if market.currency == "USD" {
                1.0
            } else {
                dice.uniform(0.985, 1.015)
            };
            rates
                .row()
                .text(market.currency)
                .date(months_before(plan.today, back))
                .decimal(market.fx * (1.0 + market.drift).powf(-years) * noise);
        }
    }
    vec![products, rates]
}

/// The first day of the month that was so many months before.
fn months_before(day: Date, months: i32) -> Date {
    let month = day.year() * 12 + i32::from(u8::from(day.month())) - 1 - months;
    let name = time::Month::try_from((month.rem_euclid(12) + 1) as u8).expect("1 to 12");
    Date::from_calendar_date(month.div_euclid(12), name, 1).expect("a year that calendars know")
}
