//! `serve`: the routes, and the scheduler beside them.

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use audit::{Audit, AuditConfig, Recording, record_requests};
use auth::{Issuer, TrustedGateways, Verifier, VerifierConfig};
use sales_warehouse::{
    api,
    etl::{self, SourceConfig},
    metrics,
    questions::Questions,
};
use service_kit::{Clock, Parts, http_client, listen, metrics::HttpMetrics, tls::Tls};
use url::Url;

use super::{commands, settings::WarehouseSettings};

/// Longest that the issuer may take to send its keys.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// What [`serve`] is told.
pub struct ServeSettings {
    /// The warehouse.
    pub warehouse: WarehouseSettings,
    /// What the scheduler reads; none to leave that to others.
    pub sources: Vec<SourceConfig>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate to serve with.
    pub tls: Option<Tls>,
    /// Where to serve the metrics.
    pub metrics: Option<SocketAddr>,
    /// Who issues the tokens.
    pub issuer: Issuer,
    /// What this service is called in them.
    pub audience: String,
    /// Who may say for whom they call.
    pub gateways: Option<TrustedGateways>,
    /// Where audit events go.
    pub audit: Option<AuditConfig>,
    /// Where callers reach this service.
    pub public_url: Url,
    /// Where they get tokens.
    pub token_url: Url,
}

/// Serves until SIGINT or SIGTERM.
pub async fn serve(settings: ServeSettings) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let warehouse = commands::connect(&settings.warehouse).await?;
    // Better no service than one whose every question fails.
    Questions::new(warehouse.clone(), clock.clone())
        .check()
        .await?;
    let http = http_client::build(CALL_DEADLINE).context("cannot set up the HTTP client")?;
    let mut expected = VerifierConfig::new(settings.issuer, settings.audience);
    expected.gateways = settings.gateways;
    let requests = HttpMetrics::default();
    let router = api::service(api::Deps {
        warehouse: warehouse.clone(),
        verifier: Arc::new(Verifier::new(expected, http, clock.clone())),
        clock: clock.clone(),
        public_url: settings.public_url,
        token_url: settings.token_url,
        requests: requests.clone(),
    });
    let audit = Audit::of(settings.audit, clock.clone())?;
    let router = record_requests(router, &audit, Recording::Writes);
    let listener = listen::bind(settings.listen).await?;
    // Port 0 is a free port of the system's choice.
    tracing::info!(address = %listener.local_addr()?, "serving");
    let mut parts = Parts::new();
    parts.serve_tls(listener, router, settings.tls);
    let mut metrics = metrics::all(warehouse.clone(), clock.clone(), &requests);
    audit.register(&mut metrics);
    parts.serve_metrics(settings.metrics, metrics).await?;
    let (watched, stop) = (warehouse.clone(), parts.stop());
    parts.spawn(async move { etl::watch(&watched, etl::WATCH_EVERY, &clock, &stop).await });
    let scheduled = !settings.sources.is_empty();
    if scheduled {
        let (warehouse, stop) = (warehouse.clone(), parts.stop());
        let sources = settings.sources.into_iter();
        let sources: Vec<_> = sources.map(|one| one.measured_by(&requests)).collect();
        parts.spawn(async move {
            etl::keep_running(&warehouse, &sources, etl::EVERY, &stop).await;
        });
    }
    let outcome = parts.run().await;
    if scheduled {
        commands::note_interrupted(&warehouse).await;
    }
    audit.flush().await;
    warehouse.close().await;
    tracing::info!("stopped");
    outcome?;
    Ok(ExitCode::SUCCESS)
}
