//! The warehouse on a real PostgreSQL: two sources, and a database of its own.

mod closing;
mod deltas;
mod drift;
mod faults;
mod fixture;
mod history;
mod loading;
mod quarantine;
mod roles;
