//! The sales warehouse from outside, against a real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod binary;
mod demo_completed;
mod demo_load;
mod demo_tick;
mod pii;
mod questions;
mod source_changes;
mod warehouse;
mod world;
