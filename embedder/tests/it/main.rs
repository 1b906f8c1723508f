//! The embedder, tested with real parts: ONNX Runtime and the bundled model, PostgreSQL with
//! pgvector, Qdrant Edge (feature `edge`), a real authorization server and real sockets.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod damage;
mod failover;
mod harness;
mod held;
mod http;
mod http_bounds;
mod index_adapters;
mod index_contract;
mod index_filters;
mod indexing;
mod indexing_property;
mod learning;
mod lexical;
mod metrics;
mod model;
mod one_language;
mod pgvector;
mod pgvector_late;
mod qdrant;
mod restart;
mod search;
