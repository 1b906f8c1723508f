//! What the service binary takes, and how it starts and stops.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc, thread, time::Duration};

use anyhow::Context;
use auth::{Issuer, Verifier, VerifierConfig};
use clap::Parser;
use embedder::{Config, Service, model::source::ModelSource, search::Fusion};
use secrecy::SecretString;
use service_kit::{CancellationToken, Clock, http_client, listen, settings::ServiceOptions};

/// Longest that fetching the issuer's keys may take.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Embeds texts, indexes documents and searches them, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "embedder", version)]
pub struct Options {
    /// Where to listen.
    #[arg(long, env = "EMBEDDER_LISTEN", default_value = "0.0.0.0:7410")]
    listen: SocketAddr,
    /// The model: bundled, dir:<path> or hub:<code>.
    #[arg(long, env = "EMBEDDER_MODEL", default_value = "bundled")]
    model: String,
    /// Where hub models are kept.
    #[arg(long, env = "EMBEDDER_HUB_CACHE", default_value = "models")]
    hub_cache: PathBuf,
    /// The ONNX Runtime shared library.
    #[arg(long, env = "EMBEDDER_ONNXRUNTIME")]
    onnxruntime: PathBuf,
    /// Workers with a single-threaded session each; one per core when absent.
    #[arg(long, env = "EMBEDDER_SESSIONS")]
    sessions: Option<NonZeroUsize>,
    /// PostgreSQL with pgvector; may hold a password.
    #[arg(long, env = "EMBEDDER_DATABASE_URL", hide_env_values = true)]
    database_url: SecretString,
    /// Who issues the tokens, exactly as in their `iss`.
    #[arg(long, env = "EMBEDDER_ISSUER")]
    issuer: Issuer,
    /// What this service is called in the tokens' `aud`.
    #[arg(long, env = "EMBEDDER_AUDIENCE")]
    audience: String,
}

impl Options {
    fn model_source(&self) -> Result<ModelSource, String> {
        ModelSource::parse(&self.model, self.hub_cache.clone())
    }
}

impl ServiceOptions for Options {
    const PREFIX: &'static str = "EMBEDDER";

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(fault) = self.model_source() {
            faults.push(format!("model: {fault}"));
        }
        if !self.onnxruntime.is_file() {
            let path = self.onnxruntime.display();
            faults.push(format!(
                "onnxruntime: {path} is no file: expected the shared library"
            ));
        }
        faults
    }
}

/// Serves until SIGINT or SIGTERM.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let clock = Clock::system();
    let http = http_client::build(CALL_DEADLINE).context("cannot set up the HTTP client")?;
    let expected = VerifierConfig::new(options.issuer.clone(), options.audience.clone());
    let verifier = Arc::new(Verifier::new(expected, http, clock.clone()));
    let address = options.listen;
    let service = Service::start(config(options)?, &clock).await?;
    let listener = listen::bind(address).await?;
    // Port 0 is a free port of the system's choice.
    tracing::info!(address = %listener.local_addr()?, "serving");
    let stop = CancellationToken::new();
    let serving = tokio::spawn(listen::serve(
        listener,
        service.router(verifier),
        stop.clone(),
    ));
    let repairing = tokio::spawn({
        let stop = stop.clone();
        async move { service.run_background(stop).await }
    });
    let signal = listen::shutdown_signal().await;
    stop.cancel();
    serving.await??;
    repairing.await?;
    Ok(signal?)
}

fn config(options: Options) -> anyhow::Result<Config> {
    let model = options.model_source().map_err(anyhow::Error::msg)?;
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(Config {
        model,
        onnxruntime: options.onnxruntime,
        sessions: options.sessions.unwrap_or(cores),
        database_url: options.database_url,
        edge_directory: None,
        fusion: Fusion::default(),
    })
}

#[cfg(test)]
mod tests {
    use service_kit::settings::reference;

    use super::Options;

    /// `embedder --print-config > embedder/embedder.toml`
    #[test]
    fn the_documented_configuration_is_up_to_date() {
        assert_eq!(reference::<Options>(), include_str!("../embedder.toml"));
    }
}
