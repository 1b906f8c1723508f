//! Much use and many faults in one command: writes, reads, kills and restarts on a system of its own,
//! held against what must be true, and a comparison of all stores in the end.
//!
//! ```text
//! writers, readers ──HTTP──► content-api ──► embedder      faults: kill, stop, freeze, start again
//!        │                        └── PostgreSQL, Redis ◄──────┘
//!        └─ ledger: what was accepted; each answer is held against it, and at the end every store
//! ```
//!
//! Services run as processes of their own ([`part`]), so that a kill is a real one. A seed repeats
//! what is written and which faults come in which order; what meets what is up to the scheduler.

mod answers;
mod client;
mod compare;
mod dice;
mod faults;
mod ledger;
mod material;
mod outages;
pub mod part;
mod process;
mod readers;
mod settle;
mod system;
mod tally;
mod writers;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use content_api::{PostgresStore, cache::MemoryCache};
use serde::Serialize;
use service_kit::{CancellationToken, listen};
use tokio::task::JoinSet;

use self::{
    client::Client,
    ledger::{Facts, State},
    system::System,
    tally::Figures,
    writers::Writer,
};
use crate::{embedded::services, home::Home, output::Progress};

const WRITERS: u64 = 3;
const READERS: u64 = 3;

/// How to soak.
#[derive(Clone, Debug)]
pub struct Settings {
    /// An empty directory; what was made stays there.
    pub home: Home,
    /// Where provisioned parts are kept; the usual place when `None`.
    pub cache_dir: Option<PathBuf>,
    /// How long writes, reads and faults go on.
    pub load: Duration,
    /// Another seed, other writes and faults.
    pub seed: u64,
    /// Damage an index before the comparison, which must then tell.
    pub tamper: bool,
    /// The level of the parts' logs.
    pub log: String,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Seconds of load.
    pub seconds: u64,
    /// Gives the same writes and faults again.
    pub seed: u64,
    /// Requests that were answered.
    pub operations: u64,
    /// Servers and services started again.
    pub restarts: u64,
    /// Requests that failed although everything that they need was there.
    pub errors: u64,
    /// Requests that failed while something that they need was down.
    pub refused: u64,
    /// Answers that were not true; accepted writes that were lost are among them.
    pub wrong_answers: u64,
    /// What the stores do not agree on in the end.
    pub differences: Vec<String>,
    /// What stands behind the figures.
    pub detail: Detail,
}

/// What stands behind the figures.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    /// Requests by what they asked for.
    pub operations: BTreeMap<&'static str, u64>,
    /// Faults by what was done.
    pub faults: BTreeMap<&'static str, u64>,
    /// Documents at the end: content store first, then each index.
    pub documents: BTreeMap<String, u64>,
    /// Documents deleted during the run.
    pub deleted: u64,
    /// Answers from the cache that were compared with fresh ones at the end.
    pub cached_answers: u64,
    /// Seconds until everything was level after the load.
    pub settled_after: Option<f64>,
    /// The first errors.
    pub error_samples: Vec<String>,
    /// The first wrong answers.
    pub wrong_samples: Vec<String>,
    /// What could not be part of it.
    pub skipped: Vec<String>,
}

impl Report {
    /// No store differs, no answer was wrong, nothing failed without a reason.
    pub fn is_well(&self) -> bool {
        self.differences.is_empty() && self.wrong_answers == 0 && self.errors == 0
    }
}

/// Runs from an empty home to a report.
///
/// # Errors
/// When the system does not start, or does not start again after a fault.
pub async fn run(settings: Settings, progress: &Progress) -> anyhow::Result<Report> {
    refuse_used(&settings.home)?;
    let step = progress.step("Starting services, PostgreSQL and Redis");
    let (home, cache_dir) = (settings.home.clone(), settings.cache_dir.clone());
    let starting = System::start(home, cache_dir, settings.log.clone(), progress);
    let mut system = Box::pin(starting).await?;
    step.done("");
    let outcome = Box::pin(soak(&mut system, &settings, progress)).await;
    let stopped = system.stop().await;
    let report = outcome?;
    stopped?;
    Ok(report)
}

/// A soak writes, deletes and kills: never where somebody's contents are.
fn refuse_used(home: &Home) -> anyhow::Result<()> {
    let used = match std::fs::read_dir(home.path()) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(error).context("the data directory cannot be read"),
    };
    if used {
        bail!(
            "{} is not empty: a soak deletes and kills, so give it a directory of its own, or none \
             for a temporary one",
            home.path().display()
        );
    }
    Ok(())
}

async fn soak(
    system: &mut System,
    settings: &Settings,
    progress: &Progress,
) -> anyhow::Result<Report> {
    let client = Client::of(system)?;
    let store = PostgresStore::connect(&system.database_url()).await?;
    // The catalogue is there before, and nobody changes it.
    let (documents, (_, seen)) = client.list().await.context("the first list failed")?;
    for document in &documents {
        let there = State::There(Facts::of(document));
        client.ledger.begin(&document.id, there, seen);
    }
    let step = progress.step("Writing, reading, killing and starting again");
    let faults = load(system, &client, settings).await?;
    step.done(&format!("{} restarts", system.restarts));

    let step = progress.step("Waiting until everything is level");
    let settled = settle::wait(system, &store).await?;
    step.done("");
    let step = progress.step("Comparing all stores");
    let mut differences = Vec::new();
    if settled.is_none() {
        differences.push("the stores did not become level by themselves".to_owned());
    }
    let (stale, cached_answers) = compare_answers(system, &client).await?;
    differences.extend(stale);
    system.stop_services().await?;
    let holdings = settle::holdings(system, &client, &store, settings.tamper).await?;
    differences.extend(holdings.differences());
    differences.extend(settle::lost_images(&store, &holdings.stored).await?);
    store.close().await;
    step.done(&format!("{} differences", differences.len()));

    let mut counts = BTreeMap::from([("store".to_owned(), holdings.stored.len() as u64)]);
    let of_index = |(engine, manifest): &(String, _)| {
        (
            engine.clone(),
            embedder::index::Manifest::documents(manifest),
        )
    };
    counts.extend(holdings.indexes.iter().map(of_index));
    let gone = holdings.accepted.values();
    let detail = Detail {
        faults,
        documents: counts,
        deleted: gone.filter(|state| **state == State::Absent).count() as u64,
        cached_answers,
        settled_after: settled.map(|time| time.as_secs_f64()),
        skipped: skipped(system),
        ..Detail::of(&client.tally.read())
    };
    Ok(report(
        settings,
        system,
        &client.tally.read(),
        differences,
        detail,
    ))
}

fn skipped(system: &System) -> Vec<String> {
    let no_redis = "Redis: redis-server is not on the PATH; answers were kept in memory";
    let skipped = (!system.has_redis()).then(|| no_redis.to_owned());
    skipped.into_iter().collect()
}

impl Detail {
    fn of(figures: &Figures) -> Self {
        Self {
            operations: figures.operations.clone(),
            faults: BTreeMap::new(),
            documents: BTreeMap::new(),
            deleted: 0,
            cached_answers: 0,
            settled_after: None,
            error_samples: figures.error_samples.clone(),
            wrong_samples: figures.wrong_samples.clone(),
            skipped: Vec::new(),
        }
    }
}

fn report(
    settings: &Settings,
    system: &System,
    figures: &Figures,
    differences: Vec<String>,
    detail: Detail,
) -> Report {
    Report {
        seconds: settings.load.as_secs(),
        seed: settings.seed,
        operations: figures.operations.values().sum(),
        restarts: system.restarts,
        errors: figures.errors,
        refused: figures.refused,
        wrong_answers: figures.wrong_answers,
        differences,
        detail,
    }
}

/// Everybody at once, for as long as it was asked for.
async fn load(
    system: &mut System,
    client: &Client,
    settings: &Settings,
) -> anyhow::Result<BTreeMap<&'static str, u64>> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut users = JoinSet::new();
    for number in 1..=WRITERS {
        let writer = Writer::new(client.clone(), settings.seed, number);
        let stop = Arc::clone(&stop);
        users.spawn(async move { writer.run(&stop).await });
    }
    for number in 1..=READERS {
        let (client, seed, stop) = (client.clone(), settings.seed, Arc::clone(&stop));
        users.spawn(async move { readers::read(client, seed, number, &stop).await });
    }
    let until = Instant::now() + settings.load;
    let inflicted = faults::inflict(system, settings.seed, until).await;
    stop.store(true, Ordering::SeqCst);
    let faults = inflicted?;
    while let Some(ended) = users.join_next().await {
        ended.context("a writer or reader died")?;
    }
    Ok(faults)
}

/// A second content API over the same stores, with nothing kept, says what is true.
async fn compare_answers(system: &System, client: &Client) -> anyhow::Result<(Vec<String>, u64)> {
    let nothing_kept = MemoryCache::new(0, Duration::from_secs(1));
    let (service, _) = services::content_api(
        &system.common,
        &system.endpoints,
        system.database_url(),
        Some(Arc::new(nothing_kept)),
    )
    .await?;
    let listener = listen::bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).await?;
    let base = format!("http://{}", listener.local_addr()?).parse()?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(listen::serve(listener, service.router, stop.clone()));
    let compared = answers::differences(client, &client.at(base)).await;
    stop.cancel();
    serving.await??;
    compared
}
