//! The benchmark's own arithmetic, and what it does when something is missing.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod get_content;
mod peers;
mod report;
mod stats;
