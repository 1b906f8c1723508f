//! The gateway as a service of its own.

mod options;

use std::{process::ExitCode, sync::Arc};

use anyhow::Context as _;
use auth::Verifier;
use mcp_gateway::{Gateway, http, stdio};
use options::{Command, HttpOptions, Options};
use service_kit::{CancellationToken, Clock, Parts, http_client, listen, settings, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = match settings::load::<Options>() {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    telemetry::init(options.log_format(), "info,rmcp=warn");
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
    match options.command {
        Command::Stdio => stdio::serve(gateway, stopped_by_signal()).await?,
        Command::Http(options) => serve_http(gateway, client, &options).await?,
    }
    audit.flush().await;
    Ok(ExitCode::SUCCESS)
}

async fn serve_http(
    gateway: Gateway,
    client: reqwest::Client,
    options: &HttpOptions,
) -> anyhow::Result<()> {
    let mut config = options.config()?;
    config.counters = options.rate_limit.open().await?;
    let mut checks = config.verifier_config();
    checks.jwks_uri = options.jwks_uri.clone();
    let verifier = Arc::new(Verifier::new(checks, client, Clock::system()));
    let metrics_router = http::metrics_router(&gateway, &config);
    let router = http::router(gateway, verifier, &config);
    let listener = listen::bind(options.listen).await?;
    tracing::info!(address = %listener.local_addr()?, resource = %config.resource(), "listening");
    let mut parts = Parts::new();
    parts.serve(listener, router);
    parts
        .serve_metrics(options.metrics_address, metrics_router)
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
