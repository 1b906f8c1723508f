//! What the OpenAPI 3.1 document says besides the handlers' own descriptions.

use service_kit::openapi::{About, base as common};
use url::Url;

/// The document before the routes of `/v1` are added.
pub fn base(token_url: &Url, public_url: &Url) -> utoipa::openapi::OpenApi {
    common(&About {
        title: "PromptSales sales warehouse",
        description: "Questions about sales, how fresh the data are, and how the runs went that brought them.",
        version: env!("CARGO_PKG_VERSION"),
        tags: &[
            (
                "questions",
                "Questions in Spanish or English, and metric queries",
            ),
            ("warehouse", "The data and where they come from"),
        ],
        scopes: &[("sales:read", "Read what the warehouse holds")],
        public_url,
        token_url,
    })
}
