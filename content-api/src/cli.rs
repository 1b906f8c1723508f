//! What the service binary takes, and how it starts and stops.

mod cache;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use audit::{Audit, AuditConfig, AuditOptions, Recording, record_requests};
use auth::{CallerOptions, ClientCredentials, Issuer, Verifier, VerifierConfig};
use clap::Parser;
use content_api::{
    Config, Deps, EmbedderClient, Service, seed,
    store::{AnyStore, Store},
};
use contracts::Scopes;
use secrecy::SecretString;
use service_kit::{
    Clock, Parts, http_client, listen, settings::ServiceOptions, telemetry::TraceOptions,
    tls::TlsOptions,
};
use url::Url;

use cache::CacheOptions;

/// Longest that any call to another service may take, unless it has a deadline of its own.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Finds campaign images by describing them, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "content-api", version = service_kit::VERSION)]
pub struct Options {
    /// Where to listen.
    #[arg(long, env = "CONTENT_API_LISTEN", default_value = "0.0.0.0:7420")]
    listen: SocketAddr,
    /// Where callers reach this service; image URLs begin with it.
    #[arg(long, env = "CONTENT_API_PUBLIC_URL")]
    public_url: Url,
    /// The database that keeps the documents: postgres://, mongodb:// or mongodb+srv://; may hold a
    /// password.
    #[arg(long, env = "CONTENT_API_DATABASE_URL", hide_env_values = true)]
    database_url: SecretString,
    /// The embedder.
    #[arg(long, env = "CONTENT_API_EMBEDDER_URL")]
    embedder_url: Url,
    /// Who issues the tokens, exactly as in their `iss`.
    #[arg(long, env = "CONTENT_API_ISSUER")]
    issuer: Issuer,
    /// The issuer's token endpoint.
    #[arg(long, env = "CONTENT_API_TOKEN_URL")]
    token_url: Url,
    /// What this service is called in the tokens' `aud`.
    #[arg(long, env = "CONTENT_API_AUDIENCE")]
    audience: String,
    #[command(flatten)]
    callers: CallerOptions,
    #[command(flatten)]
    audit: AuditOptions,
    /// What the embedder is called in the tokens' `aud`; the same as this service when absent.
    #[arg(long, env = "CONTENT_API_EMBEDDER_AUDIENCE")]
    embedder_audience: Option<String>,
    /// As which client this service calls the embedder.
    #[arg(long, env = "CONTENT_API_CLIENT_ID")]
    client_id: String,
    /// That client's secret. Give it through the environment or a file, where no process list shows it.
    #[arg(long, env = "CONTENT_API_CLIENT_SECRET", hide_env_values = true)]
    client_secret: SecretString,
    /// Where answers are cached.
    #[command(flatten)]
    cache: CacheOptions,
    #[command(flatten)]
    tls: TlsOptions,
    /// Where to serve `/metrics`, which takes no token: a port that only the cluster reaches. Off when absent.
    #[arg(long, env = "CONTENT_API_METRICS_ADDRESS", value_name = "ADDRESS")]
    metrics_address: Option<SocketAddr>,
    #[command(flatten)]
    pub traces: TraceOptions,
    /// Store the bundled catalogue before serving.
    #[arg(long, env = "CONTENT_API_SEED")]
    seed: bool,
}

impl Options {
    fn config(&self) -> Config {
        Config::new(self.public_url.clone(), self.token_url.clone())
    }

    fn audit(&self) -> Result<Option<AuditConfig>, String> {
        self.audit.config("content-api")
    }
}

impl ServiceOptions for Options {
    const PREFIX: &'static str = "CONTENT_API";

    fn faults(&self) -> Vec<String> {
        let config = self.config();
        let own = config.validate().err().map(|fault| fault.to_string());
        let database = AnyStore::check_url(&self.database_url);
        let database = database.err().map(|fault| fault.to_string());
        let faults = own
            .into_iter()
            .chain(database)
            .chain(self.callers.gateways().err());
        let faults = faults.chain(self.audit().err());
        let tls = self.tls.open().err().map(|fault| fault.to_string());
        let faults = faults.chain(tls);
        faults.chain(self.cache.faults(&config)).collect()
    }
}

/// Serves until SIGINT or SIGTERM.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let clock = Clock::system();
    let store = AnyStore::connect(&options.database_url).await?;
    if options.seed {
        let report = seed::seed(
            &*store.shared(),
            &images::Catalogue::bundled()?,
            clock.now(),
        )
        .await?;
        tracing::info!(?report, "catalogue stored");
    }
    let (address, metrics_address) = (options.listen, options.metrics_address);
    let audit = Audit::of(options.audit().map_err(anyhow::Error::msg)?, clock.clone())?;
    let tls = options.tls.open()?;
    let mut service = build(options, store.shared(), &clock).await?;
    audit.register(&mut service.metrics);
    let mut parts = Parts::new();
    let listener = listen::bind(address).await?;
    // Port 0 is a free port of the system's choice.
    tracing::info!(address = %listener.local_addr()?, "serving");
    let router = record_requests(service.router, &audit, Recording::Writes);
    parts.serve_tls(listener, router, tls);
    parts
        .serve_metrics(metrics_address, service.metrics)
        .await?;
    let (publisher, housekeeping) = (service.publisher, service.housekeeping);
    let stop = parts.stop();
    parts.spawn(async move { publisher.run(stop).await });
    let stop = parts.stop();
    parts.spawn(async move { housekeeping.run(stop).await });
    let outcome = parts.run().await;
    audit.flush().await;
    store.close().await;
    Ok(outcome?)
}

async fn build(options: Options, store: Arc<dyn Store>, clock: &Clock) -> anyhow::Result<Service> {
    let config = options.config();
    let http = http_client::build(CALL_DEADLINE).context("cannot set up the HTTP client")?;
    let gateways = options.callers.gateways().map_err(anyhow::Error::msg)?;
    let mut expected = VerifierConfig::new(options.issuer, options.audience.clone());
    expected.gateways = gateways;
    let credentials = ClientCredentials {
        token_url: options.token_url.clone(),
        client_id: options.client_id,
        client_secret: options.client_secret,
        scopes: Scopes::default(),
        resource: Some(options.embedder_audience.unwrap_or(options.audience)),
    };
    let deps = Deps {
        store,
        embedder: EmbedderClient::new(&options.embedder_url, http.clone(), credentials, clock),
        verifier: Arc::new(Verifier::new(expected, http, clock.clone())),
        clock: clock.clone(),
    };
    Ok(match options.cache.open(&config).await? {
        Some(cache) => Service::with_cache(config, deps, cache)?,
        None => Service::build(config, deps)?,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use service_kit::settings::reference;

    use super::Options;

    #[test]
    fn it_says_which_build_it_is() {
        let command = Options::command();
        assert_eq!(command.get_version(), Some(service_kit::VERSION));
    }

    /// `content-api --print-config > content-api/content-api.toml`
    #[test]
    fn the_documented_configuration_is_up_to_date() {
        assert_eq!(reference::<Options>(), include_str!("../content-api.toml"));
    }
}
