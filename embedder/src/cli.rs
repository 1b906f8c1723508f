//! What the service binary takes, and how it starts and stops.

mod indexes;

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, sync::Arc, thread, time::Duration};

use anyhow::Context;
use auth::{CallerOptions, Issuer, Verifier, VerifierConfig};
use clap::Parser;
use embedder::{Config, Service, model::source::ModelSource, search::Fusion};
use secrecy::SecretString;
use service_kit::{
    Clock, Parts, http_client, listen, settings::ServiceOptions, telemetry::TraceOptions,
    tls::TlsOptions,
};

use indexes::Indexes;

/// Longest that fetching the issuer's keys may take.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Embeds texts, indexes documents and searches them, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "embedder", version = service_kit::VERSION)]
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
    #[command(flatten)]
    indexes: Indexes,
    #[command(flatten)]
    tls: TlsOptions,
    /// Where to serve `/metrics`, which takes no token: a port that only the cluster reaches. Off when absent.
    #[arg(long, env = "EMBEDDER_METRICS_ADDRESS", value_name = "ADDRESS")]
    metrics_address: Option<SocketAddr>,
    #[command(flatten)]
    pub traces: TraceOptions,
    /// Who issues the tokens, exactly as in their `iss`.
    #[arg(long, env = "EMBEDDER_ISSUER")]
    issuer: Issuer,
    /// What this service is called in the tokens' `aud`.
    #[arg(long, env = "EMBEDDER_AUDIENCE")]
    audience: String,
    #[command(flatten)]
    callers: CallerOptions,
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
        faults.extend(self.indexes.faults());
        faults.extend(self.callers.gateways().err());
        faults.extend(self.tls.open().err().map(|fault| fault.to_string()));
        faults
    }
}

/// Serves until SIGINT or SIGTERM.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let clock = Clock::system();
    let http = http_client::build(CALL_DEADLINE).context("cannot set up the HTTP client")?;
    let mut expected = VerifierConfig::new(options.issuer.clone(), options.audience.clone());
    expected.gateways = options.callers.gateways().map_err(anyhow::Error::msg)?;
    let verifier = Arc::new(Verifier::new(expected, http, clock.clone()));
    let (address, metrics_address) = (options.listen, options.metrics_address);
    let tls = options.tls.open()?;
    let service = Service::start(config(options)?, &clock).await?;
    let mut parts = Parts::new();
    let listener = listen::bind(address).await?;
    // Port 0 is a free port of the system's choice.
    tracing::info!(address = %listener.local_addr()?, "serving");
    parts.serve_tls(listener, service.router(verifier), tls);
    parts
        .serve_metrics(metrics_address, service.metrics())
        .await?;
    let stop = parts.stop();
    parts.spawn(async move { service.run_background(stop).await });
    Ok(parts.run().await?)
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
        qdrant: options
            .indexes
            .qdrant()
            .map_err(|faults| anyhow::Error::msg(faults.join("; ")))?,
        hnsw: options.indexes.hnsw(),
        primary: options.indexes.primary(),
        fusion: Fusion::default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use clap::{CommandFactory as _, Parser};
    use service_kit::settings::{ServiceOptions, reference};

    use super::Options;

    #[test]
    fn it_says_which_build_it_is() {
        let command = Options::command();
        assert_eq!(command.get_version(), Some(service_kit::VERSION));
    }

    fn faults(more: &[&str]) -> Vec<String> {
        let needed = [
            "embedder",
            "--onnxruntime=Cargo.toml",
            "--database-url=postgres:///x",
            "--issuer=https://issuer.example",
            "--audience=embedder",
        ];
        let arguments = needed.iter().chain(more);
        Options::try_parse_from(arguments).unwrap().faults()
    }

    #[test]
    fn faults_of_the_indexes_are_told_together() {
        assert_eq!(faults(&[]), [""; 0]);
        let good = ["--qdrant-url=https://qdrant:6334", "--qdrant-api-key=key"];
        assert_eq!(faults(&good), [""; 0]);
        let bad = faults(&[
            "--qdrant-url=ftp://qdrant",
            "--qdrant-deadline-ms=1",
            "--qdrant-collection-prefix=No",
            "--hnsw-m=1",
            "--hnsw-ef-search=0",
        ]);
        assert_eq!(bad.len(), 5, "{bad:?}");
        let alone = faults(&["--qdrant-api-key=s3cret"]);
        assert!(alone[0].contains("qdrant_url"), "{alone:?}");
        assert!(!alone[0].contains("s3cret"), "{alone:?}");
    }

    /// `embedder --print-config > embedder/embedder.toml`
    #[test]
    fn the_documented_configuration_is_up_to_date() {
        assert_eq!(reference::<Options>(), include_str!("../embedder.toml"));
    }
}
