//! Text to vectors, documents to Qdrant and pgvector, queries to hits.
//!
//! A request's way: [`api`] takes it in; a write goes to [`indexing`], which embeds with [`model`],
//! weighs words with [`lexical`] and stores in every [`index`]; a search goes to [`search`], which
//! retrieves from one index and scores. This service alone knows models and vectors.

pub mod api;
pub mod config;
pub mod eval;
pub mod index;
pub mod indexing;
pub mod lexical;
pub mod metrics;
pub mod model;
pub mod search;
pub mod service;
pub mod state;

pub use config::{Config, Primary};
pub use service::{Service, StartError};
