//! What the OpenAPI 3.1 document says besides the handlers' own descriptions.

use service_kit::openapi::{About, base as common};
use url::Url;

/// The document before the routes of `/v1` are added.
pub fn base(token_url: &Url, public_url: &Url) -> utoipa::openapi::OpenApi {
    common(&About {
        title: "PromptSales content API",
        description: "Finds campaign images by describing them, in Spanish or English.",
        version: env!("CARGO_PKG_VERSION"),
        tags: &[
            ("content", "Finding, fetching and writing content"),
            ("campaigns", "Campaigns, their log, and what changed"),
        ],
        scopes: &[
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
        ],
        public_url,
        token_url,
    })
}
