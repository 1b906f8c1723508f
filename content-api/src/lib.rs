//! The OAuth-protected content API: getContent, documents, images and renditions.
//!
//! ```text
//! POST /v1/getContent ─► validate ─► cache ─► embedder (search) ─► store (documents) ─► answer
//! GET  /v1/content/{id}[/image] ─► store [─► renditions]
//! store ──publisher (outbox)──► embedder (indexes)
//! ```
//!
//! [`Service::build`] makes routes and publisher from a [`Config`] and its [`Deps`]; [`seed::seed`]
//! fills a store from the image catalogue. The ports are [`store::Store`] and
//! [`cache::AnswerCache`].

mod api;
mod app;
pub mod cache;
mod campaigns;
mod config;
mod embedder_client;
mod error;
mod finder;
mod housekeeping;
mod image_urls;
mod index_view;
mod lifecycle;
mod merge_patch;
mod messages;
mod metrics;
mod openapi;
mod publisher;
mod renditions;
mod requests;
pub mod seed;
pub mod store;
mod validate;

pub use app::{Deps, Service};
pub use config::{CacheBounds, Config, ConfigError, PublishingRhythm};
pub use embedder_client::{EmbedderClient, EmbedderError};
pub use error::ApiError;
pub use housekeeping::Housekeeping;
pub use index_view::IndexView;
pub use publisher::{Progress, Publisher, index_document};
pub use store::{MongoStore, PostgresStore};
