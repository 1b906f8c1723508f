//! How each service is built here: the embedded choices, one function per service.

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, thread};

use audit::Audit;
use auth::Verifier;
use axum::Router;
use content_api::cache::AnswerCache;
use contracts::Scope;
use embedder::{Primary, index::pgvector::HnswOptions, model::source::ModelSource, search::Fusion};
use sales_warehouse::{Warehouse, questions::Questions};
use secrecy::SecretString;
use service_kit::{Clock, metrics::HttpMetrics};

use super::identity::{CONTENT_CLIENT, GATEWAY_CLIENT, Identity};
use crate::home::Endpoints;

/// What every service needs.
pub struct Common {
    /// Tokens and their checking.
    pub identity: Arc<Identity>,
    /// The shared HTTP client.
    pub http: reqwest::Client,
    /// The time.
    pub clock: Clock,
}

/// The embedding service over the bundled model, Qdrant Edge and pgvector.
pub fn embedder_config(
    onnxruntime: PathBuf,
    database_url: SecretString,
    qdrant_edge: PathBuf,
) -> embedder::Config {
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    embedder::Config {
        model: ModelSource::Bundled,
        onnxruntime,
        // More sessions cost 60 MB each and help only large batches.
        sessions: cores.min(NonZeroUsize::new(4).unwrap_or(cores)),
        database_url,
        edge_directory: cfg!(feature = "edge").then_some(qdrant_edge),
        qdrant: None,
        hnsw: HnswOptions::default(),
        primary: Primary::default(),
        fusion: Fusion::default(),
    }
}

/// The content API on PostgreSQL documents, with the bundled catalogue stored; it keeps its answers in
/// its own memory, or in `cache`.
pub async fn content_api(
    common: &Common,
    endpoints: &Endpoints,
    database_url: SecretString,
    cache: Option<Arc<dyn AnswerCache>>,
) -> anyhow::Result<(content_api::Service, content_api::seed::SeedReport)> {
    let store = content_api::PostgresStore::connect(&database_url).await?;
    let catalogue = images::Catalogue::bundled()?;
    let report = content_api::seed::seed(&store, &catalogue, common.clock.now()).await?;
    let credentials = common
        .identity
        .credentials(CONTENT_CLIENT, &[Scope::ContentRead, Scope::IndexWrite])?;
    let embedder = content_api::EmbedderClient::new(
        &endpoints.embedder,
        common.http.clone(),
        credentials,
        &common.clock,
    );
    let config =
        content_api::Config::new(endpoints.content_api.clone(), common.identity.token_url()?);
    let deps = content_api::Deps {
        store: Arc::new(store),
        embedder,
        verifier: common.identity.api_verifier(),
        clock: common.clock.clone(),
    };
    let service = match cache {
        Some(cache) => content_api::Service::with_cache(config, deps, cache)?,
        None => content_api::Service::build(config, deps)?,
    };
    Ok((service, report))
}

/// The warehouse service; it fails when the warehouse lacks what questions read.
pub async fn sales_warehouse(
    common: &Common,
    endpoints: &Endpoints,
    warehouse: Warehouse,
) -> anyhow::Result<Router> {
    Questions::new(warehouse.clone(), common.clock.clone())
        .check()
        .await?;
    Ok(sales_warehouse::api::service(sales_warehouse::api::Deps {
        warehouse,
        verifier: common.identity.api_verifier(),
        clock: common.clock.clone(),
        public_url: endpoints.sales_warehouse.clone(),
        token_url: common.identity.token_url()?,
        requests: HttpMetrics::default(),
    }))
}

/// The MCP gateway over HTTP.
pub fn mcp_gateway(common: &Common, endpoints: &Endpoints, audit: Audit) -> anyhow::Result<Router> {
    let tokens = |scope: Scope| {
        common.identity.tokens(
            GATEWAY_CLIENT,
            &[scope],
            common.http.clone(),
            common.clock.clone(),
        )
    };
    let content = tokens(Scope::ContentRead)?;
    let mut config = mcp_gateway::Config::new(
        endpoints.content_api.clone(),
        endpoints.sales_warehouse.clone(),
        endpoints.embedder.clone(),
    );
    config.callers = Some(common.identity.callers());
    config.audit = audit;
    let gateway = mcp_gateway::Gateway::new(
        config,
        common.http.clone(),
        mcp_gateway::Tokens {
            embedder: Arc::clone(&content),
            campaigns: tokens(Scope::CampaignsWrite)?,
            content,
            sales: tokens(Scope::SalesRead)?,
        },
    );
    let config = mcp_gateway::http::HttpConfig::new(
        &endpoints.mcp_gateway,
        common.identity.issuer()?,
        &[],
        &[],
    )?;
    let verifier = Verifier::new(
        config.verifier_config(),
        common.http.clone(),
        common.clock.clone(),
    );
    Ok(mcp_gateway::http::router(
        gateway,
        Arc::new(verifier),
        &config,
    ))
}
