//! Three databases with the sample as of the day that the kept questions are asked, for as long as needed.

use std::{str::FromStr, sync::Arc};

use sales_questions::eval::REFERENCE_DAY;
use secrecy::{ExposeSecret, SecretString};
use service_kit::Clock;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};
use time::Time;
use url::Url;

use super::super::Questions;
use crate::{
    Warehouse, WarehouseError,
    demo::{self, DemoError, Existing, LoadPlan, SampleContent},
    etl::{self, EtlError},
    pii::{Keyring, PiiError},
    source::{PostgresSource, Source, System},
    sources::{Sources, SourcesError},
};

/// The seed of the sample that every home begins with.
const SEED: u64 = 42;
/// What they are called.
const NAMES: [&str; 3] = ["eval_promptads", "eval_promptcrm", "eval_warehouse"];

/// A warehouse to ask.
pub struct Scratch {
    /// Answers as of [`REFERENCE_DAY`].
    pub questions: Questions,
    server: PgConnectOptions,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// A database could not be made or removed.
    #[error("no databases of its own: the login needs CREATEDB")]
    Database(#[from] sqlx::Error),
    /// The server's address is none.
    #[error("the server's address is no URL")]
    Url,
    /// A step of the load.
    #[error(transparent)]
    Sources(#[from] SourcesError),
    /// A step of the load.
    #[error(transparent)]
    Keys(#[from] PiiError),
    /// A step of the load.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A step of the load.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// A step of the load.
    #[error(transparent)]
    Etl(#[from] EtlError),
}

impl Scratch {
    /// Makes and fills them on the server of a database, whose login must be allowed to.
    pub async fn load(database: &SecretString) -> Result<Self, ScratchError> {
        let server = PgConnectOptions::from_str(database.expose_secret())?;
        remove(&server).await?;
        for name in NAMES {
            administer(
                &server,
                &format!("CREATE DATABASE {name} TEMPLATE template0"),
            )
            .await?;
        }
        let [ads, crm, warehouse] = NAMES.map(|name| url(database, name));
        let (ads, crm, warehouse) = (ads?, crm?, warehouse?);
        let sources = Sources::connect(&ads, &crm).await?;
        let plan = LoadPlan::small(SEED, REFERENCE_DAY);
        let keyring = Arc::new(Keyring::generate()?);
        demo::load(&sources, &keyring, &plan, Existing::Refuse, &|_| {}).await?;
        sources.close().await;
        let warehouse = Warehouse::connect(&warehouse).await?;
        warehouse.migrate().await?;
        let sources: [Box<dyn Source>; 3] = [
            Box::new(PostgresSource::new(System::PromptAds, ads)),
            Box::new(PostgresSource::new(System::PromptCrm, crm)),
            Box::new(SampleContent),
        ];
        etl::run(&warehouse, &sources).await?;
        let clock = Clock::from_fn(|| REFERENCE_DAY.with_time(Time::MIDNIGHT).assume_utc());
        Ok(Self {
            questions: Questions::new(warehouse, clock),
            server,
        })
    }

    /// Removes them.
    pub async fn remove(self) -> Result<(), ScratchError> {
        self.questions.warehouse.close().await;
        remove(&self.server).await
    }
}

async fn remove(server: &PgConnectOptions) -> Result<(), ScratchError> {
    for name in NAMES {
        administer(
            server,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await?;
    }
    Ok(())
}

async fn administer(server: &PgConnectOptions, statement: &str) -> Result<(), ScratchError> {
    let mut connection = server.connect().await?;
    sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

fn url(database: &SecretString, name: &str) -> Result<SecretString, ScratchError> {
    let mut url = Url::parse(database.expose_secret()).map_err(|_| ScratchError::Url)?;
    url.set_path(name);
    Ok(url.to_string().into())
}
