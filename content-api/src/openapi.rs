//! The OpenAPI 3.1 document. Paths come from the handlers that serve them; what is added here is
//! who may call, and the routes that every service has.

use url::Url;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme},
};

/// The document before the routes of `/v1` are added.
pub fn base(token_url: &Url, public_url: &Url) -> utoipa::openapi::OpenApi {
    let mut document = Base::openapi();
    TokenEndpoint(token_url).modify(&mut document);
    let server = public_url.as_str().trim_end_matches('/');
    document.servers = Some(vec![utoipa::openapi::Server::new(server)]);
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "PromptSales content API",
        description = "Finds campaign images by describing them, in Spanish or English.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(livez, readyz, openapi_json),
    tags(
        (name = "content", description = "Finding, fetching and writing content"),
        (name = "campaigns", description = "Campaigns, their log, and what changed"),
        (name = "service", description = "About the service itself; no token needed")
    )
)]
struct Base;

struct TokenEndpoint<'a>(&'a Url);

impl Modify for TokenEndpoint<'_> {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scopes = Scopes::from_iter([
            (
                "content:read",
                "Search content, read documents, images and campaigns",
            ),
            ("content:write", "Create, change and delete content"),
            (
                "content:approve",
                "Approve and retire content, and erase it",
            ),
            ("campaigns:write", "Register and change campaigns"),
        ]);
        let flow = Flow::ClientCredentials(ClientCredentials::new(self.0.as_str(), scopes));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("oauth2", SecurityScheme::OAuth2(OAuth2::new([flow])));
    }
}

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/livez",
    tag = "service",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain"))
)]
#[allow(dead_code)] // Documents a route of service-kit.
fn livez() {}

/// Can the service do its job?
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "`missing` says why not", body = Readiness),
    )
)]
#[allow(dead_code)] // Documents a route of service-kit.
fn readyz() {}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "service",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
#[allow(dead_code)] // Documents a route that serves fixed bytes.
fn openapi_json() {}

/// The shape of [`service_kit::health::Readiness`].
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Only its schema is used.
struct Readiness {
    /// The service's name.
    service: String,
    /// Its version.
    version: String,
    /// Can it do its job now?
    ready: bool,
    /// What is missing, when not.
    missing: Vec<String>,
}
