//! The sources and the warehouse of one home, as the commands use them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use contracts::Scopes;
use sales_warehouse::{
    Warehouse,
    demo::{self, Existing, LoadPlan},
    etl::{self, RunReport, RunStatus, SourceConfig, SourceReport},
    pii::{Custody, Keyring, PiiError},
    source::{ChangeFeed, System},
    sources::Sources,
};
use secrecy::SecretString;
use service_kit::{CancellationToken, Clock, http_client, with_causes};
use url::Url;

use crate::{
    embedded::{API_AUDIENCE, SALES_CLIENT, credentials},
    home::{Endpoints, Home},
};

/// The seed of the sample that every home begins with.
pub const SAMPLE_SEED: u64 = 42;

/// Connections to all of them.
pub struct Sales {
    /// The operational databases, for writing.
    pub sources: Sources,
    /// The same and PromptContent's change feed, as the warehouse reads them.
    pub configs: Vec<SourceConfig>,
    /// The warehouse.
    pub warehouse: Warehouse,
    /// The file of the keys that seal personal data.
    pub keys: PathBuf,
}

/// How [`Sales::level`] went.
pub struct Levelled {
    /// What was done, for a person.
    pub done: String,
    /// What a person must see to. The system serves all the same.
    pub faults: Vec<String>,
}

/// How many minutes a command waits for a run that is under way, which may be a first one over everything.
const TURNS: u32 = 30;
/// Longest that a token may take.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

impl Sales {
    /// Connects and brings all schemas level.
    pub async fn open(endpoints: &Endpoints, home: &Home) -> anyhow::Result<Self> {
        let databases = &endpoints.databases;
        let secret = |url: &Url| SecretString::from(url.as_str());
        let sources =
            Sources::connect(&secret(&databases.promptads), &secret(&databases.promptcrm)).await?;
        let warehouse = Warehouse::connect(&secret(&databases.warehouse)).await?;
        warehouse.migrate().await?;
        let config = |system, url| SourceConfig::Postgres {
            system,
            url: secret(url),
        };
        let configs = vec![
            config(System::PromptAds, &databases.promptads),
            config(System::PromptCrm, &databases.promptcrm),
            SourceConfig::ChangeFeed(change_feed(endpoints, home)?),
        ];
        Ok(Self {
            sources,
            configs,
            warehouse,
            keys: home.personal_data_keys(),
        })
    }

    /// The keys, for as long as nobody else seals or rotates. The first time, it makes them.
    pub async fn keyring(&self) -> Result<(Custody, Arc<Keyring>), PiiError> {
        let custody = Custody::take(&self.keys)?;
        let keyring = custody.keyring(&self.sources.crm).await?;
        Ok((custody, Arc::new(keyring)))
    }

    /// Loads the sample into sources that hold nothing yet, and says how many rows it has. Of a load that
    /// was killed between its two databases it makes up the second.
    pub async fn load_sample(&self, clock: &Clock) -> anyhow::Result<Option<u64>> {
        if demo::loaded(&self.sources).await? {
            return Ok(None);
        }
        let plan = LoadPlan::small(SAMPLE_SEED, clock.now().date());
        let loaded = async {
            let (_custody, keyring) = self.keyring().await?;
            demo::load(&self.sources, &keyring, &plan, Existing::Keep, &|_| {}).await
        };
        let loaded = loaded.await.context("the sample could not be loaded")?;
        Ok(Some(loaded.rows()))
    }

    /// The sample where there is none, and one run.
    pub async fn level(&self, clock: &Clock) -> anyhow::Result<Levelled> {
        let sample = self.load_sample(clock).await?;
        let report = self.run_etl(|| {}).await?;
        let read: i64 = report.sources.iter().map(|source| source.rows_read).sum();
        let done = match sample {
            Some(rows) => format!("{rows} sample rows loaded, {read} read"),
            None => format!("{read} changed rows read"),
        };
        let failed = |source: &SourceReport| source.error.clone();
        let mut faults: Vec<_> = report.sources.iter().filter_map(failed).collect();
        // Without a source that failed it is the marts that did.
        if faults.is_empty() {
            faults.extend(report.message);
        }
        faults.extend(self.fault_of_keys().await.map(|fault| with_causes(&fault)));
        for fault in &faults {
            tracing::error!(error = fault, "the sales warehouse is not level");
        }
        Ok(Levelled { done, faults })
    }

    /// What is wrong with the keys, if anything is. Nothing but sealing needs them.
    async fn fault_of_keys(&self) -> Option<PiiError> {
        match self.keyring().await {
            Ok(_) | Err(PiiError::InUse { .. }) => None,
            Err(fault) => Some(fault),
        }
    }

    /// One run of the ETL, after the one that may be under way. `waiting` is called when there is one that
    /// takes longer than a minute.
    pub async fn run_etl(&self, waiting: impl Fn()) -> anyhow::Result<RunReport> {
        for _ in 0..TURNS {
            let report = etl::run_in_turn(&self.warehouse, &self.configs).await?;
            if report.status != RunStatus::Skipped {
                return Ok(report);
            }
            waiting();
        }
        bail!(
            "another run has been at work for {TURNS} minutes: see etl.runs, and try again when it is done"
        )
    }

    /// Runs the ETL every four minutes, the first time after that, and warns of sources that are stale.
    pub async fn keep_level(&self, clock: &Clock, stop: &CancellationToken) {
        let every: Duration = etl::EVERY;
        let runs = async {
            let slept = stop.run_until_cancelled(tokio::time::sleep(every));
            if slept.await.is_some() {
                etl::keep_running(&self.warehouse, &self.configs, every, stop).await;
            }
        };
        tokio::join!(
            runs,
            etl::watch(&self.warehouse, etl::WATCH_EVERY, clock, stop)
        );
    }

    /// Closes all connections.
    pub async fn close(self) {
        self.sources.close().await;
        self.warehouse.close().await;
    }
}

/// The content API's change feed, read as the warehouse's own client.
fn change_feed(endpoints: &Endpoints, home: &Home) -> anyhow::Result<ChangeFeed> {
    let credentials = credentials(
        home,
        &endpoints.identity,
        SALES_CLIENT,
        Scopes::default(),
        API_AUDIENCE,
    )?;
    let http = http_client::build(CALL_DEADLINE)?;
    let clock = Clock::system();
    Ok(ChangeFeed::new(
        &endpoints.content_api,
        http,
        credentials,
        clock,
    ))
}
