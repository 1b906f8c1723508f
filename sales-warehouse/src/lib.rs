//! The PostgreSQL warehouse service.
//!
//! Its place in the system is kept here: a router that says that the service is alive, and that it
//! holds nothing yet. The warehouse itself has not been built.

pub mod pii;
pub mod source;
pub mod sources;

use std::time::Duration;

use axum::Router;
use service_kit::http::{Bounds, standard_layers};

/// The service's routes: health only.
pub fn router() -> Router {
    let health =
        service_kit::health::router("sales-warehouse", env!("CARGO_PKG_VERSION"), || async {
            Vec::new()
        });
    let bounds = Bounds {
        max_body_bytes: contracts::limits::MAX_JSON_BODY_BYTES,
        deadline: Duration::from_secs(10),
    };
    standard_layers(health, bounds)
}
