//! MCP over streamable HTTP, as an OAuth resource server.
//!
//! One endpoint, `/mcp`, serves both eras of the protocol: 2026-07-28 and its predecessors, which
//! get the same stateless treatment (no session id, no GET stream). Every request is authenticated.
//!
//! ```text
//! request ─► bounds ─► token (401) ─► rate (429) ─► scopes of what is asked for (403) ─► Host, Origin (403) ─► MCP
//! ```

mod admission;
mod config;
mod limits;

use std::{sync::Arc, time::Duration};

use audit::{Recording, record_requests};
use auth::Verifier;
use axum::{Json, Router, middleware, routing::get};
use contracts::limits::MAX_JSON_BODY_BYTES;
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use service_kit::{
    health,
    http::{Bounds, standard_layers},
    metrics::{HttpMetrics, Metrics},
};

use crate::{
    Gateway,
    server::{Access, Server},
    tools::GatewayTool,
};
pub use config::{HttpConfig, HttpConfigError};
pub use limits::Limits;

/// Where MCP is served.
pub const MCP_PATH: &str = "/mcp";
const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";
/// The keys with which the gateway signs what it says about its callers.
const KEYS_PATH: &str = "/.well-known/jwks.json";
const MCP_METADATA_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// Longest that a request may take. Tools have shorter deadlines of their own.
const DEADLINE: Duration = Duration::from_secs(30);

/// `/mcp`, the RFC 9728 documents, the keys that callers are asserted with, `/livez` and `/readyz`.
///
/// `verifier` must check for the audience and with the metadata address that
/// [`HttpConfig::verifier_config`] gives.
pub fn router(gateway: Gateway, verifier: Arc<Verifier>, config: &HttpConfig) -> Router {
    let server = Server::new(gateway.clone(), Access::Token);
    let ready = Arc::clone(&verifier);
    let requests = gateway.metrics().requests.clone();
    let audit = gateway.config().audit.clone();
    let callers = gateway.config().callers.as_ref();
    let keys = callers.map(|callers| callers.signer.public_keys());
    let keys = keys.map_or_else(Router::new, |keys| {
        Router::new().route(KEYS_PATH, get(move || async move { Json(keys) }))
    });
    let health = health::router("mcp-gateway", env!("CARGO_PKG_VERSION"), move || {
        missing(gateway.clone(), Arc::clone(&ready))
    });
    let router = router_around(server, verifier, config, health.merge(keys), &requests);
    // Calls of tools have events of their own; what is refused before them gets one here.
    record_requests(router, &audit, Recording::NotedOnly)
}

/// The same guards and bounds around another handler of the protocol: the conformance suite wants
/// tools, resources and prompts of its own, and is to meet them behind what production has. `more`
/// are routes that take no token.
pub fn router_around<S>(
    handler: S,
    verifier: Arc<Verifier>,
    config: &HttpConfig,
    more: Router,
    requests: &HttpMetrics,
) -> Router
where
    S: ServerHandler + Clone,
{
    let service = StreamableHttpService::new(
        move || Ok(handler.clone()),
        Arc::new(NeverSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_allowed_hosts(config.allowed_hosts())
            .with_allowed_origins(config.allowed_origins())
            .enforce_origin_validation()
            .with_max_request_body_bytes(MAX_JSON_BODY_BYTES),
    );
    // The layer that is added last is the first to see a request.
    let mcp = Router::new()
        .route_service(MCP_PATH, service)
        .route_layer(middleware::from_fn_with_state(
            admission::Gate {
                verifier: Arc::clone(&verifier),
                limiters: Arc::new(limits::Limiters::new(
                    config.limits,
                    config.counters.as_ref(),
                )),
            },
            admission::admit,
        ))
        .route_layer(middleware::from_fn_with_state(
            verifier,
            auth::require_valid_token,
        ));
    let metadata = config.metadata(&GatewayTool::all_scopes());
    let describe = get(move || {
        let metadata = metadata.clone();
        async move { Json(metadata) }
    });
    let router = Router::new()
        .route(METADATA_PATH, describe.clone())
        .route(MCP_METADATA_PATH, describe)
        .merge(mcp)
        .merge(more);
    standard_layers(
        router,
        Bounds {
            max_body_bytes: MAX_JSON_BODY_BYTES,
            deadline: DEADLINE,
        },
        requests,
    )
}

/// What the gateway measures, for an address of its own.
pub fn metrics(gateway: &Gateway, config: &HttpConfig) -> Metrics {
    let mut metrics = gateway.metrics().all(config.counters.as_ref());
    gateway.config().audit.register(&mut metrics);
    metrics
}

/// What the gateway cannot do without. The services behind are not among it: that one is away
/// is an answer that the gateway gives, and better than none. Nor is leave to register campaigns,
/// which one tool needs.
async fn missing(gateway: Gateway, verifier: Arc<Verifier>) -> Vec<String> {
    let mut missing = Vec::new();
    if let Err(error) = verifier.ready().await {
        tracing::warn!(%error, "not ready");
        missing.push("the authorization server's keys".to_owned());
    }
    let tokens = gateway.tokens();
    for (service, source) in [
        ("content-api", &tokens.content),
        ("embedder", &tokens.embedder),
        ("sales-warehouse", &tokens.sales),
    ] {
        if let Err(error) = source.token().await {
            tracing::warn!(%error, service, "not ready");
            missing.push(format!("a token of the gateway's own for {service}"));
        }
    }
    missing
}
