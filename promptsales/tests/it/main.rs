//! End-to-end: the real binary, real processes, real ports, homes of their own in a temporary
//! directory, and the machine's shared cache of provisioned parts.
//!
//! The first test that needs a system makes a home, keeps what its first start printed, and stops
//! it; later homes are copies of it, which start in seconds. Tests that only read share one running
//! `up`. Where ONNX Runtime or PostgreSQL cannot be had, tests print `skipped:` and pass, except
//! under `CI=true`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod architecture;
mod campaign_story;
mod content_life;
mod eval;
mod find;
mod import;
mod lifecycle;
mod mcp;
mod restore;
mod route;
mod sales;
mod soak;
mod status;
mod support;
