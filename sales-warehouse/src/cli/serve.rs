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
use service_kit::{CancellationToken, Clock, http_client, listen};
use tokio::task::JoinSet;
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
    let router = api::service(api::Deps {
        warehouse: warehouse.clone(),
        verifier: Arc::new(Verifier::new(expected, http, clock.clone())),
        clock: clock.clone(),
        public_url: settings.public_url,
        token_url: settings.token_url,
    });
    let audit = Audit::of(settings.audit, clock.clone())?;
    let router = record_requests(router, &audit, Recording::Writes);
    let listener = listen::bind(settings.listen).await?;
    // Port 0 is a free port of the system's choice.
    tracing::info!(address = %listener.local_addr()?, "serving");
    let stop = CancellationToken::new();
    let mut parts = JoinSet::new();
    parts.spawn(listen::serve(listener, router, stop.clone()));
    if let Some(address) = settings.metrics {
        let listener = listen::bind(address).await?;
        tracing::info!(address = %listener.local_addr()?, "serving metrics");
        let router = metrics::router(warehouse.clone(), clock.clone());
        parts.spawn(listen::serve(listener, router, stop.clone()));
    }
    let scheduled = !settings.sources.is_empty();
    if scheduled {
        let (warehouse, clock, stop) = (warehouse.clone(), clock.clone(), stop.clone());
        let sources = settings.sources;
        parts.spawn(async move {
            etl::keep_running(&warehouse, &sources, etl::EVERY, &clock, &stop).await;
            Ok(())
        });
    }
    let outcome = tokio::select! {
        signal = listen::shutdown_signal() => signal.map_err(Into::into),
        Some(ended) = parts.join_next() => match ended {
            Ok(Err(error)) => Err(anyhow::Error::from(error).context("a part of the service stopped")),
            ended => Err(anyhow::anyhow!("a part of the service stopped: {ended:?}")),
        },
    };
    stop.cancel();
    while let Some(ended) = parts.join_next().await {
        if !matches!(ended, Ok(Ok(()))) {
            tracing::error!(error = ?ended, "a part of the service did not stop in order");
        }
    }
    if scheduled {
        commands::note_interrupted(&warehouse).await;
    }
    audit.flush().await;
    warehouse.close().await;
    tracing::info!("stopped");
    outcome.map(|()| ExitCode::SUCCESS)
}
