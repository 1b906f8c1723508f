//! The gateway behind real sockets: its own router and a local authorization server, with doubles
//! of the services behind whose faults a test can choose. The true content-api is tested with it end to end
//! in `promptsales`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod asking;
mod asking_both;
mod audited;
mod bad_arguments;
mod callers;
mod campaign_log;
mod conformance;
mod foreign_client;
mod gallery;
mod guards;
mod inspector;
mod legacy_era;
mod limits;
mod metrics;
mod modern_era;
mod process;
mod python_client;
mod registering;
mod resources;
mod results;
mod sales_tools;
mod scopes;
mod shared_limits;
mod stdio;
mod support;
mod tokens;
mod typescript_client;
mod untrusted;
mod upstream_faults;
