//! What every service's OpenAPI 3.1 document has alike: who may call, the routes beside `/v1`, and how it is served.

use axum::{response::IntoResponse, routing::MethodRouter};
use http::header;
use url::Url;
use utoipa::{
    OpenApi as _,
    openapi::{
        InfoBuilder, License, OpenApi, Server,
        security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme},
        tag::TagBuilder,
    },
};

use crate::health::Readiness;

/// What is a service's own in its document.
pub struct About<'a> {
    /// The document's title.
    pub title: &'a str,
    /// What the service is for, in a sentence.
    pub description: &'a str,
    /// The service's version.
    pub version: &'a str,
    /// The tag of its own routes, and what it stands for.
    pub tags: &'a [(&'a str, &'a str)],
    /// The scopes that its routes ask for, and what each allows.
    pub scopes: &'a [(&'a str, &'a str)],
    /// Where callers reach it.
    pub public_url: &'a Url,
    /// Where they get tokens.
    pub token_url: &'a Url,
}

/// The document before the service's own routes are added.
pub fn base(about: &About<'_>) -> OpenApi {
    let mut document = Common::openapi();
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    document.info = InfoBuilder::new()
        .title(about.title)
        .description(Some(about.description))
        .version(about.version)
        .license(Some(license))
        .build();
    let own = about.tags.iter();
    let tags = own.map(|(name, meaning)| {
        TagBuilder::new()
            .name(*name)
            .description(Some(*meaning))
            .build()
    });
    document.tags.get_or_insert_default().splice(0..0, tags);
    let scopes = Scopes::from_iter(about.scopes.iter().copied());
    let flow = Flow::ClientCredentials(ClientCredentials::new(about.token_url.as_str(), scopes));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("oauth2", SecurityScheme::OAuth2(OAuth2::new([flow])));
    let server = about.public_url.as_str().trim_end_matches('/');
    document.servers = Some(vec![Server::new(server)]);
    document
}

/// Serves the finished document. It does not change while the service runs, so it is written once.
pub fn route<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> MethodRouter<S> {
    let text = serde_json::to_vec(document).expect("a document always serialises");
    let text = axum::body::Bytes::from(text);
    axum::routing::get(move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text).into_response() }
    })
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(livez, readyz, openapi_json),
    tags((name = "service", description = "About the service itself; no token needed"))
)]
struct Common;

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/livez",
    tag = "service",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain"))
)]
#[allow(dead_code)] // Documents a route of `health`.
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
#[allow(dead_code)] // Documents a route of `health`.
fn readyz() {}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "service",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
#[allow(dead_code)] // Documents `route`.
fn openapi_json() {}
