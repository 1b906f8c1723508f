//! The warehouse on a real PostgreSQL: two sources, and a database of its own.

mod api;
mod closing;
mod content;
mod deltas;
mod drift;
mod faults;
pub mod fixture;
mod full_reads;
mod history;
mod landing;
mod loading;
mod locks;
mod logins;
mod marts;
mod metrics;
mod openapi;
mod pruning;
mod quarantine;
mod releases;
mod rereads;
mod roles;
mod schedule;
mod slow_sources;
