//! Settings, and counters that replicas share, on real servers.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod counters;
mod counters_without_redis;
mod settings;
mod support;
