//! What every service does alike, over real sockets.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod collector;
mod connections;
mod hop;
mod tls;
mod traces;
