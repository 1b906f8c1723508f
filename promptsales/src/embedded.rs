//! Every service in this process, on loopback, with embedded stores.
//!
//! The same routers as in production, on five ports: only the stores and the authorization server
//! differ. The order is the order of need: ports, runtime, PostgreSQL, identity, embedder,
//! content API with the catalogue, the rest.

mod auditing;
mod callers;
pub(crate) mod identity;
pub mod ports;
mod private;
pub(crate) mod services;

use std::{env, future::Future, io, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use audit::{Recording, record_requests};
use content_api::Publisher;
use local_runtime::{CacheDir, Options, Postgres, PostgresOptions, provision};
use sales_warehouse::Warehouse;
use secrecy::SecretString;
use service_kit::{CancellationToken, Clock, http_client};
use tokio::task::JoinSet;

use self::{auditing::Auditing, identity::Identity, ports::Ports};
use crate::{
    databases::Databases,
    home::{Endpoints, Home, HomeLock},
    output::Progress,
    sales::Sales,
};

pub use identity::{
    API_AUDIENCE, CLI_CLIENT, GATEWAY_CLIENT, SALES_CLIENT, credentials, mcp_resource,
};

/// The content API's and the embedder's database.
pub(crate) const DATABASE: &str = "promptsales";
/// How long indexing may take without any progress.
const INDEXING_PATIENCE: Duration = Duration::from_secs(180);

/// A running system. [`Self::stop`] ends it in order; dropping it lets PostgreSQL go down with the
/// process.
pub struct Embedded {
    endpoints: Endpoints,
    stop: CancellationToken,
    tasks: JoinSet<io::Result<()>>,
    postgres: Postgres,
    /// Once everything was published.
    publisher: Option<Publisher>,
    audit: Option<Auditing>,
    home: Home,
    _lock: HomeLock,
}

/// What [`Embedded::start`] is told.
pub struct Settings {
    /// The installation.
    pub home: Home,
    /// Where provisioned parts are kept; the usual place when `None`.
    pub cache_dir: Option<PathBuf>,
    /// First of five ports that must be free; when `None`, any free ones will do.
    pub port_base: Option<u16>,
    /// Tell other processes where to find this system.
    pub publish: bool,
    /// What becomes of the sales warehouse.
    pub sales: SalesStart,
}

/// When a system brings its sales warehouse level: that costs seconds, which a search need not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SalesStart {
    /// Before it serves, and from then on.
    First,
    /// While it serves already, and from then on.
    Meanwhile,
    /// Not at all, and its routes are not served.
    Never,
    /// Before it serves, and nothing but it and its sources is started: questions about sales need no search.
    Only,
}

impl Embedded {
    /// Starts everything and returns when the catalogue is indexed in every engine.
    pub async fn start(
        settings: Settings,
        lock: HomeLock,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let Settings {
            home,
            cache_dir,
            port_base,
            publish,
            sales,
        } = settings;
        home.withdraw()?;
        let clock = Clock::system();
        // Taken first: a port that is in use should be said before anything is downloaded.
        let ports = Ports::bind(port_base).await?;
        let (postgres, databases, onnxruntime) = start_stores(&home, cache_dir, progress).await?;
        let endpoints = ports.endpoints(databases)?;

        let mut system = Self {
            endpoints,
            stop: CancellationToken::new(),
            tasks: JoinSet::new(),
            postgres,
            publisher: None,
            audit: None,
            home,
            _lock: lock,
        };
        if let Err(error) = system
            .start_services(ports, onnxruntime, clock, sales, progress)
            .await
        {
            // A half-started system must not leave a server behind.
            let _already_failing = system.stop().await;
            return Err(error);
        }
        if publish {
            system.home.publish(&system.endpoints)?;
        }
        Ok(system)
    }

    /// Where it listens.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Waits until searches find what was written before.
    pub async fn settle(&self, progress: &Progress) -> anyhow::Result<()> {
        let Some(publisher) = &self.publisher else {
            return Ok(());
        };
        let step = progress.step("Indexing");
        indexed(publisher).await?;
        step.done("");
        Ok(())
    }

    /// Completes when a part has ended that should not have, and says which.
    pub async fn broken(&mut self) -> anyhow::Error {
        tokio::select! {
            reason = self.postgres.ended() => anyhow::anyhow!("PostgreSQL has stopped: {reason}"),
            Some(ended) = self.tasks.join_next() => {
                anyhow::anyhow!("a service has stopped: {ended:?}")
            }
        }
    }

    /// Lets open requests finish, then stops the services, and PostgreSQL last.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.home.withdraw()?;
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a service did not stop in order");
            }
        }
        if let Some(audit) = &self.audit {
            audit.flush().await;
        }
        self.postgres
            .stop()
            .await
            .context("PostgreSQL did not stop in order")
    }

    async fn start_services(
        &mut self,
        ports: Ports,
        onnxruntime: PathBuf,
        clock: Clock,
        sales: SalesStart,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let http = http_client::build(Duration::from_secs(10))?;
        let identity = Identity::start(&self.home, &self.endpoints, clock.clone(), http.clone())?;
        self.serve(ports.identity, identity.router());
        let audit = Auditing::open(&self.home, &clock)?;
        self.audit = Some(audit.clone());
        let common = services::Common {
            identity: Arc::new(identity),
            http,
            clock,
        };

        if sales == SalesStart::Only {
            // What is said of images is one of the warehouse's sources. Nobody searches, so nothing is indexed.
            let (content, _) =
                services::content_api(&common, &self.endpoints, self.database_url(), None).await?;
            let router = record_requests(content.router, &audit.content, Recording::Writes);
            self.serve(ports.content_api, router);
            let warehouse = self
                .start_sales(SalesStart::First, &common.clock, progress)
                .await?;
            let router = services::sales_warehouse(&common, &self.endpoints, warehouse).await?;
            let router = record_requests(router, &audit.sales, Recording::Writes);
            self.serve(ports.sales_warehouse, router);
            return Ok(());
        }
        let step = progress.step("Loading the embedding model and the search indexes");
        let config =
            services::embedder_config(onnxruntime, self.database_url(), self.home.qdrant_edge());
        let embedder = embedder::Service::start(config, &common.clock).await?;
        step.done("");
        self.serve(
            ports.embedder,
            embedder.router(common.identity.api_verifier()),
        );
        let stop = self.stop.clone();
        self.spawn(async move { embedder.run_background(stop).await });

        let step = progress.step("Storing and indexing the catalogue");
        let (content, report) =
            services::content_api(&common, &self.endpoints, self.database_url(), None).await?;
        let router = record_requests(content.router.clone(), &audit.content, Recording::Writes);
        self.serve(ports.content_api, router);
        let (publisher, stop) = (content.publisher.clone(), self.stop.clone());
        self.spawn(async move { publisher.run(stop).await });
        let (housekeeping, stop) = (content.housekeeping.clone(), self.stop.clone());
        self.spawn(async move { housekeeping.run(stop).await });
        indexed(&content.publisher).await?;
        self.publisher = Some(content.publisher);
        step.done(&format!(
            "{} new, {} changed, {} as before",
            report.inserted,
            report.updated,
            report.unchanged + report.kept
        ));

        if sales != SalesStart::Never {
            let warehouse = self.start_sales(sales, &common.clock, progress).await?;
            let router = services::sales_warehouse(&common, &self.endpoints, warehouse).await?;
            let router = record_requests(router, &audit.sales, Recording::Writes);
            self.serve(ports.sales_warehouse, router);
        }
        self.serve(
            ports.mcp_gateway,
            services::mcp_gateway(&common, &self.endpoints, audit.gateway)?,
        );
        Ok(())
    }

    /// Sample data where there are none, the warehouse level with them, and kept so.
    async fn start_sales(
        &mut self,
        start: SalesStart,
        clock: &Clock,
        progress: &Progress,
    ) -> anyhow::Result<Warehouse> {
        let sales = Sales::open(&self.endpoints, &self.home).await?;
        if start == SalesStart::First {
            let step = progress.step("Bringing the sales warehouse level");
            let levelled = sales.level(clock).await?;
            step.done(&levelled.done);
            for fault in &levelled.faults {
                progress.note(&format!("! {fault}"));
            }
        }
        let warehouse = sales.warehouse.clone();
        let (clock, stop) = (clock.clone(), self.stop.clone());
        self.spawn(async move {
            let level = async {
                if start == SalesStart::Meanwhile
                    && let Err(error) = sales.level(&clock).await
                {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "the sales warehouse is not level"
                    );
                }
            };
            if stop.run_until_cancelled(level).await.is_some() {
                sales.keep_level(&clock, &stop).await;
            }
            sales.close().await;
        });
        Ok(warehouse)
    }

    fn database_url(&self) -> SecretString {
        self.postgres.url(DATABASE).into()
    }

    fn serve(&mut self, listener: tokio::net::TcpListener, router: axum::Router) {
        self.tasks.spawn(service_kit::listen::serve(
            listener,
            router,
            self.stop.clone(),
        ));
    }

    fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            work.await;
            Ok(())
        });
    }
}

/// Waits for the indexes, however much there is to do for them, as long as it becomes less.
async fn indexed(publisher: &Publisher) -> anyhow::Result<()> {
    let mut waiting = publisher.unpublished().await?;
    while tokio::time::timeout(INDEXING_PATIENCE, publisher.drained())
        .await
        .is_err()
    {
        let left = publisher.unpublished().await?;
        if left >= waiting {
            bail!("nothing was indexed for three minutes; see the log with --log info");
        }
        waiting = left;
    }
    Ok(())
}

/// Provisions what is missing and starts PostgreSQL.
async fn start_stores(
    home: &Home,
    cache_dir: Option<PathBuf>,
    progress: &Progress,
) -> anyhow::Result<(Postgres, Databases, PathBuf)> {
    let variable = |name: &str| env::var(name).ok();
    let cache = CacheDir::resolve(cache_dir, &variable)?;
    let options = Options::from_env(&variable);
    let bars = progress.provisioning();
    let provisioned = provision(&cache, &options, bars.as_ref()).await?;

    let step = progress.step("Starting PostgreSQL");
    let mut options = PostgresOptions::new(home.postgres());
    options.runtime_dir = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let postgres = Postgres::start(&provisioned.postgres, options).await?;
    let databases = async {
        postgres.ensure_database(DATABASE).await?;
        Databases::on(&postgres).await
    };
    let databases = match databases.await {
        Ok(databases) => databases,
        Err(error) => {
            let _already_failing = postgres.stop().await;
            bail!(error);
        }
    };
    step.done(postgres.version());
    Ok((postgres, databases, provisioned.onnxruntime))
}
