//! One service as a process of its own, so that it can be killed: what `soak` starts and restarts.

use std::{fs, io::Write, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use content_api::cache::{AnswerCache, RedisCache, RedisSettings};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use service_kit::{CancellationToken, Clock, http_client, listen};
use tokio::{io::AsyncReadExt, net::TcpListener, task::JoinSet};
use url::Url;

use super::process::SERVING;
use crate::{
    embedded::{identity::Identity, services},
    home::{Endpoints, Home},
    output,
};

/// A service that is killed and started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The embedding service.
    Embedder,
    /// The content API.
    ContentApi,
}

impl Part {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::ContentApi => "content-api",
        }
    }
}

/// What a part is told, through a file in the home.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Where everything listens.
    pub endpoints: Endpoints,
    /// The database of contents and pgvector; a Unix socket's, without a password.
    pub database_url: String,
    /// ONNX Runtime's shared library.
    pub onnxruntime: PathBuf,
    /// The Redis that answers are kept in.
    pub redis: Option<Url>,
}

impl Plan {
    fn path(home: &Home) -> PathBuf {
        home.path().join("soak.json")
    }

    /// For the parts to read.
    pub fn write(&self, home: &Home) -> anyhow::Result<()> {
        Ok(fs::write(Self::path(home), serde_json::to_vec(self)?)?)
    }

    fn read(home: &Home) -> anyhow::Result<Self> {
        let json = fs::read(Self::path(home)).context("only `promptsales soak` starts parts")?;
        Ok(serde_json::from_slice(&json)?)
    }
}

/// Serves one part until standard input ends.
pub async fn run(home: &Home, part: Part) -> anyhow::Result<()> {
    let plan = Plan::read(home)?;
    let (clock, http) = (
        Clock::system(),
        http_client::build(Duration::from_secs(10))?,
    );
    let identity = Identity::start(home, &plan.endpoints, clock.clone(), http.clone())?;
    let common = services::Common {
        identity: Arc::new(identity),
        http,
        clock,
    };
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let database: SecretString = plan.database_url.clone().into();
    match part {
        Part::Embedder => {
            let config = services::embedder_config(plan.onnxruntime, database, home.qdrant_edge());
            let service = embedder::Service::start(config, &common.clock).await?;
            let router = service.router(common.identity.api_verifier());
            serve(&mut tasks, &plan.endpoints.embedder, router, &stop).await?;
            let stop = stop.clone();
            tasks.spawn(async move { service.run_background(stop).await });
        }
        Part::ContentApi => {
            let cache = match &plan.redis {
                Some(redis) => Some(redis_cache(redis, &plan.endpoints.content_api).await?),
                None => None,
            };
            let (service, _) =
                services::content_api(&common, &plan.endpoints, database, cache).await?;
            serve(
                &mut tasks,
                &plan.endpoints.content_api,
                service.router,
                &stop,
            )
            .await?;
            let (publisher, housekeeping) = (service.publisher, service.housekeeping);
            let stops = (stop.clone(), stop.clone());
            tasks.spawn(async move { publisher.run(stops.0).await });
            tasks.spawn(async move { housekeeping.run(stops.1).await });
        }
    }
    let mut out = output::out();
    writeln!(out, "{SERVING}")?;
    out.flush()?;
    // Whoever started us is gone, or wants us to end in order.
    let mut nothing = [0];
    while !matches!(tokio::io::stdin().read(&mut nothing).await, Ok(0) | Err(_)) {}
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    Ok(())
}

async fn serve(
    tasks: &mut JoinSet<()>,
    url: &Url,
    router: Router,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let address = address(url)?;
    let listener: TcpListener = listen::bind(address).await?;
    let stop = stop.clone();
    tasks.spawn(async move {
        if let Err(error) = listen::serve(listener, router, stop).await {
            tracing::error!(%error, "serving ended");
        }
    });
    Ok(())
}

fn address(url: &Url) -> anyhow::Result<SocketAddr> {
    let addresses = url.socket_addrs(|| None)?;
    addresses
        .first()
        .copied()
        .context("no address to listen on")
}

async fn redis_cache(redis: &Url, public_url: &Url) -> anyhow::Result<Arc<dyn AnswerCache>> {
    let settings = RedisSettings::new(redis.as_str().into(), public_url.clone());
    Ok(Arc::new(RedisCache::start(settings.check()?).await?))
}
