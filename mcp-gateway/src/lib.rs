//! The MCP front door: tools for assistants over stdio and streamable HTTP.
//!
//! ```text
//! http::router ─► token ─► scopes of the tool ─┐                                   ┌─► content-api
//!                                              ├─► Server (protocol) ─► tools ─► routing, clients ─► sales-warehouse
//! stdio::serve ────────────────────────────────┘                                   └─► embedder
//! ```
//!
//! A [`Gateway`] holds what the tools need and speaks no transport. [`http`] guards it as an OAuth
//! resource server; [`stdio`] serves the person who started the process. What a tool calls, it calls
//! as the gateway itself: a caller's token is checked here and goes no further. Who the caller is, it
//! says in a signed header ([`auth::AssertionSigner`]).
//!
//! To add a tool: a variant of `tools::GatewayTool` with its name, scopes and definition, and a
//! module beside `tools::get_content` that does the work.

mod campaign_client;
mod completions;
mod confirmation;
mod content_client;
mod embedder_client;
mod gallery;
mod gateway;
pub mod http;
mod metrics;
mod origin;
mod prompts;
mod resources;
pub mod routing;
mod server;
pub mod stdio;
mod tools;
mod upstream;
mod warehouse_client;

pub use gateway::{Config, Gateway, TellingCallers, Tokens};
pub use upstream::Service;
