//! The PostgreSQL warehouse service.
//!
//! ```text
//! PromptAds, PromptCrm ─[source]─► staging ─[etl]─► core (star schema) ─► marts
//! ```
//!
//! [`Warehouse`] is its database, in layers that `migrations/` lays out; [`etl`] brings it level with its
//! sources every few minutes; [`freshness`] says how old it is, [`verify`] whether it is right. [`api`] has
//! the routes.

pub mod api;
pub mod etl;
pub mod freshness;
pub mod pii;
pub mod source;
pub mod sources;
pub mod verify;
mod warehouse;

use std::time::Duration;

use axum::Router;
use service_kit::http::{Bounds, standard_layers};

pub use warehouse::{Warehouse, WarehouseError};

/// Health alone, for a process that has no warehouse. [`api::service`] has every route.
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
