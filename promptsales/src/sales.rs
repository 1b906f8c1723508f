//! The two operational databases and the warehouse of one home, as the commands use them.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use local_runtime::Postgres;
use sales_warehouse::{
    Warehouse,
    demo::{self, DemoError, Existing, LoadPlan},
    etl::{self, RunReport, SourceConfig},
    pii::Keyring,
    source::System,
    sources::Sources,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service_kit::{CancellationToken, Clock};
use url::Url;

use crate::home::Home;

/// The seed of the sample that every home begins with.
pub const SAMPLE_SEED: u64 = 42;

/// Where the databases are. The URLs hold no secret: the socket's directory is its owner's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Databases {
    /// Campaigns and advertising.
    pub promptads: Url,
    /// Customers and sales.
    pub promptcrm: Url,
    /// What both become.
    pub warehouse: Url,
}

impl Databases {
    const PROMPTADS: &str = "promptads";
    const PROMPTCRM: &str = "promptcrm";
    const WAREHOUSE: &str = "warehouse";

    /// Creates what is missing of them on a server.
    pub async fn on(postgres: &Postgres) -> anyhow::Result<Self> {
        for name in [Self::PROMPTADS, Self::PROMPTCRM, Self::WAREHOUSE] {
            postgres.ensure_database(name).await?;
        }
        let url = |name| Url::parse(&postgres.url(name));
        Ok(Self {
            promptads: url(Self::PROMPTADS)?,
            promptcrm: url(Self::PROMPTCRM)?,
            warehouse: url(Self::WAREHOUSE)?,
        })
    }
}

/// Connections to all of them.
pub struct Sales {
    /// The operational databases, for writing.
    pub sources: Sources,
    /// The same, as the warehouse reads them.
    pub configs: Vec<SourceConfig>,
    /// The warehouse.
    pub warehouse: Warehouse,
    /// Seals personal data.
    pub keyring: Arc<Keyring>,
}

impl Sales {
    /// Connects and brings all schemas level. The first time, it makes the home's keys.
    pub async fn open(databases: &Databases, home: &Home) -> anyhow::Result<Self> {
        let secret = |url: &Url| SecretString::from(url.as_str());
        let sources =
            Sources::connect(&secret(&databases.promptads), &secret(&databases.promptcrm)).await?;
        let warehouse = Warehouse::connect(&secret(&databases.warehouse)).await?;
        warehouse.migrate().await?;
        let config = |system, url| SourceConfig {
            system,
            url: secret(url),
        };
        let configs = vec![
            config(System::PromptAds, &databases.promptads),
            config(System::PromptCrm, &databases.promptcrm),
        ];
        let keyring = Arc::new(Keyring::load_or_create(&home.personal_data_keys())?);
        Ok(Self {
            sources,
            configs,
            warehouse,
            keyring,
        })
    }

    /// Loads the sample into sources that hold nothing yet, and says how many rows it has.
    pub async fn load_sample(&self, clock: &Clock) -> anyhow::Result<Option<u64>> {
        let plan = LoadPlan::small(SAMPLE_SEED, clock.now().date());
        let loaded = demo::load(
            &self.sources,
            &self.keyring,
            &plan,
            Existing::Refuse,
            &|_| {},
        );
        match loaded.await {
            Ok(loaded) => Ok(Some(loaded.rows())),
            Err(DemoError::NotEmpty { .. }) => Ok(None),
            Err(error) => Err(error).context("the sample could not be loaded"),
        }
    }

    /// One run of the ETL.
    pub async fn run_etl(&self) -> anyhow::Result<RunReport> {
        Ok(etl::run_once(&self.warehouse, &self.configs).await?)
    }

    /// Runs the ETL every four minutes, the first time after that.
    pub async fn keep_level(&self, clock: &Clock, stop: &CancellationToken) {
        let every: Duration = etl::EVERY;
        if stop
            .run_until_cancelled(tokio::time::sleep(every))
            .await
            .is_some()
        {
            etl::keep_running(&self.warehouse, &self.configs, every, clock, stop).await;
        }
    }

    /// Closes all connections.
    pub async fn close(self) {
        self.sources.close().await;
        self.warehouse.close().await;
    }
}
