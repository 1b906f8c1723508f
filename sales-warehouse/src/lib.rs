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
pub mod demo;
pub mod etl;
pub mod freshness;
pub mod pii;
pub mod questions;
pub mod runs;
pub mod source;
pub mod sources;
pub mod verify;
mod warehouse;

pub use warehouse::{Warehouse, WarehouseError};
