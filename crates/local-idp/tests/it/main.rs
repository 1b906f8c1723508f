//! The authorization server over real sockets, with real files.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod clients;
mod configuration;
mod harness;
mod keys;
mod loopback;
mod metadata;
mod refusals;
mod tokens;
