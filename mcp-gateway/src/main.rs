//! The gateway as a service of its own.

mod options;

use std::{process::ExitCode, sync::Arc};

use anyhow::Context as _;
use auth::Verifier;
use mcp_gateway::{Gateway, http, stdio};
use options::{Command, HttpOptions, Options};
use service_kit::{
    CancellationToken, Clock, Parts, http_client, listen, settings, telemetry::Telemetry,
};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = match settings::load::<Options>() {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    let telemetry = Telemetry {
        service: "mcp-gateway",
        version: env!("CARGO_PKG_VERSION"),
        format: options.log_format(),
        filter: "info,rmcp=warn",
        traces: options.traces.clone(),
    };
    telemetry
        .around(run(options))
        .await?
        .map(|()| ExitCode::SUCCESS)
}

async fn run(options: Options) -> anyhow::Result<()> {
    let client = http_client::build(options::DEADLINE).context("cannot set up the HTTP client")?;
    let tokens = options.upstream.tokens(&client);
    let audit = options.upstream.audit()?;
    let mut config = options.upstream.gateway();
    config.audit = audit.clone();
    let gateway = Gateway::new(config, client.clone(), tokens);
    if gateway.tells_callers() {
        tracing::info!("the services behind are told who asks");
    } else {
        tracing::warn!("the services behind are not told who asks: there is no caller_key");
    }
    let outcome = match options.command {
        Command::Stdio => stdio::serve(gateway, stopped_by_signal())
            .await
            .map_err(anyhow::Error::from),
        Command::Http(options) => serve_http(gateway, client, &options).await,
    };
    audit.flush().await;
    outcome
}

async fn serve_http(
    gateway: Gateway,
    client: reqwest::Client,
    options: &HttpOptions,
) -> anyhow::Result<()> {
    let mut config = options.config()?;
    config.counters = options.rate_limit.open().await?;
    let tls = options.tls.open()?;
    let mut checks = config.verifier_config();
    checks.jwks_uri = options.jwks_uri.clone();
    let verifier = Arc::new(Verifier::new(checks, client, Clock::system()));
    let metrics = http::metrics(&gateway, &config);
    let router = http::router(gateway, verifier, &config);
    let listener = listen::bind(options.listen).await?;
    tracing::info!(address = %listener.local_addr()?, resource = %config.resource(), "listening");
    let mut parts = Parts::new();
    parts.serve_tls(listener, router, tls);
    parts
        .serve_metrics(options.metrics_address, metrics)
        .await?;
    Ok(parts.run().await?)
}

fn stopped_by_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        drop(listen::shutdown_signal().await);
        stopped.cancel();
    });
    stop
}
