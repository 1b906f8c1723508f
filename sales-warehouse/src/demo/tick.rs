//! Changes such as a few minutes of business bring.

use std::sync::Arc;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use time::OffsetDateTime;

use super::{
    DemoError,
    crm_rows::CrmChunks,
    database,
    plan::LoadPlan,
    random::{Dice, Topic},
};
use crate::{pii::Keyring, sources::Sources};

/// A kind of change.
struct Change {
    name: &'static str,
    /// Of all changes that are asked for, how many statements pick, one row each; sales bring more.
    share: f64,
    /// `$1` places from 0 to 1, `$2` other dice, `$3` now, `$4` most rows to pick.
    statement: &'static str,
}

macro_rules! change {
    ($name:literal, $share:literal) => {
        Change {
            name: $name,
            share: $share,
            statement: include_str!(concat!("tick/", $name, ".sql")),
        }
    };
}

static ADS: [Change; 6] = [
    change!("correct_days", 0.26),
    change!("report_today", 0.20),
    change!("late_days", 0.05),
    change!("campaign_status", 0.02),
    change!("new_campaigns", 0.01),
    change!("update_reactions", 0.03),
];
/// In a transaction of their own, so that a reader may see the row between update and deletion.
static ADS_AFTER: [Change; 1] = [change!("delete_reactions", 0.03)];
static CRM: [Change; 8] = [
    change!("new_leads", 0.09),
    change!("qualify_leads", 0.06),
    change!("new_sales", 0.025),
    change!("refunds", 0.02),
    change!("new_interactions", 0.05),
    change!("move_opportunities", 0.02),
    change!("cancel_subscriptions", 0.01),
    change!("update_interactions", 0.02),
];
static CRM_AFTER: [Change; 1] = [change!("delete_interactions", 0.02)];
const NEW_CUSTOMERS: f64 = 0.03;
/// Some places hold what was picked already or must not change, so more are offered than wanted.
const OFFERED: u64 = 4;

/// What a tick changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Each kind of change with the rows that it wrote or deleted.
    pub changes: Vec<(&'static str, u64)>,
}

impl Ticked {
    /// Rows inserted, updated and deleted. A row that is updated and then deleted counts twice.
    pub fn rows(&self) -> u64 {
        self.changes.iter().map(|(_, rows)| rows).sum()
    }
}

/// Changes about `changes` rows: new days and corrected older ones, days and sales that are entered
/// late, campaigns that pause or end, new customers and leads, leads that qualify and buy, refunds,
/// rows that are updated and then deleted. The same sources, seed and time give the same changes.
///
/// `now` should not be before the day that was loaded as `today`.
pub async fn tick(
    sources: &Sources,
    keyring: &Arc<Keyring>,
    changes: u64,
    seed: u64,
    now: OffsetDateTime,
) -> Result<Ticked, DemoError> {
    let tick = Tick { changes, seed, now };
    let mut ticked = Ticked::default();
    let mut crm = tick.begin(&sources.crm, "crm.customers").await?;
    let added = tick.add_customers(&mut crm, keyring).await?;
    ticked.changes.push(("new_customers", added));
    tick.run(&CRM, crm, &mut ticked).await?;
    let ads = tick.begin(&sources.ads, "ads.ads").await?;
    tick.run(&ADS, ads, &mut ticked).await?;
    let ads = tick.begin(&sources.ads, "ads.ads").await?;
    tick.run(&ADS_AFTER, ads, &mut ticked).await?;
    let crm = tick.begin(&sources.crm, "crm.customers").await?;
    tick.run(&CRM_AFTER, crm, &mut ticked).await?;
    Ok(ticked)
}

struct Tick {
    changes: u64,
    seed: u64,
    now: OffsetDateTime,
}

impl Tick {
    async fn begin(
        &self,
        pool: &PgPool,
        table: &'static str,
    ) -> Result<Transaction<'static, Postgres>, DemoError> {
        let failed = database("begin a tick");
        let mut transaction = pool.begin().await.map_err(failed)?;
        let loaded = match table {
            "ads.ads" => "SELECT EXISTS (SELECT FROM ads.ads)",
            _ => "SELECT EXISTS (SELECT FROM crm.customers)",
        };
        let loaded: bool = sqlx::query_scalar(loaded)
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed)?;
        if loaded {
            Ok(transaction)
        } else {
            Err(DemoError::Empty)
        }
    }

    /// Runs the changes in order and commits.
    async fn run(
        &self,
        changes: &'static [Change],
        mut transaction: Transaction<'static, Postgres>,
        ticked: &mut Ticked,
    ) -> Result<(), DemoError> {
        for change in changes {
            let rows = self.make(change, &mut transaction).await?;
            ticked.changes.push((change.name, rows));
        }
        transaction
            .commit()
            .await
            .map_err(database("commit a tick"))
    }

    async fn make(&self, change: &Change, connection: &mut PgConnection) -> Result<u64, DemoError> {
        // What is deleted is picked by the dice that picked it for its update.
        let (_, what) = change.name.split_once('_').unwrap_or_default();
        let paired =
            matches!(what, "reactions" | "interactions") && !change.name.starts_with("new");
        let dice_of = if paired { what } else { change.name };
        let mut dice = self.dice(dice_of);
        let wanted = dice.around(self.changes as f64 * change.share, 0.0);
        let mut draw = || -> Vec<f64> {
            (0..wanted.unsigned_abs() * OFFERED)
                .map(|_| dice.unit())
                .collect()
        };
        let (places, others) = (draw(), draw());
        let done = sqlx::query(change.statement)
            .bind(places)
            .bind(others)
            .bind(self.now)
            .bind(wanted)
            .execute(connection)
            .await
            .map_err(database(change.name))?;
        Ok(done.rows_affected())
    }

    async fn add_customers(
        &self,
        connection: &mut PgConnection,
        keyring: &Arc<Keyring>,
    ) -> Result<u64, DemoError> {
        let wanted = self
            .dice("new_customers")
            .around(self.changes as f64 * NEW_CUSTOMERS, 0.0);
        let ids: Vec<i64> = sqlx::query_scalar(
            "SELECT nextval('crm.customers_customer_id_seq') FROM generate_series(1, $1)",
        )
        .bind(wanted)
        .fetch_all(&mut *connection)
        .await
        .map_err(database("number new customers"))?;
        let plan = LoadPlan {
            campaigns_finished: 0,
            campaigns_active: 0,
            customers: 0,
            seed: self.seed,
            today: self.now.date(),
        };
        let rows =
            CrmChunks::new(plan, Arc::clone(keyring)).prospects(&ids, self.now.unix_timestamp())?;
        rows.send(connection)
            .await
            .map_err(database("copy new customers"))?;
        Ok(rows.count)
    }

    fn dice(&self, change: &str) -> Dice {
        let name = change
            .bytes()
            .fold(0_u64, |name, byte| name.wrapping_mul(31) + u64::from(byte));
        Dice::new(self.seed, Topic::Tick, name)
    }
}
