//! The warehouse on a real PostgreSQL: two sources, and a database of its own.

mod api;
mod closing;
mod deltas;
mod drift;
mod faults;
pub mod fixture;
mod history;
mod loading;
mod quarantine;
mod roles;
mod schedule;
