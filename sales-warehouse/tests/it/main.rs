//! The sales warehouse from outside, against a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod binary;
mod demo_believable;
mod demo_completed;
mod demo_load;
mod demo_tick;
mod feed;
mod pii;
mod questions;
mod source_changes;
mod source_contract;
mod source_feed;
mod source_postgres;
mod warehouse;
mod world;
