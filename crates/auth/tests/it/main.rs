//! The verifier, the extractors and the token source against real issuers on real sockets.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod answers;
mod assertion_settings;
mod assertions;
mod harness;
mod keys;
mod log;
mod metadata;
mod refusals;
mod token_source;
