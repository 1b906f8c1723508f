//! The embedded edition's authorization server: loopback only, client credentials only.
//!
//! It stands in for a real issuer, so that a fresh clone can be called with `curl` and a token, and
//! it keeps a real issuer's rules: discovery (RFC 8414), a key set with rotation, client
//! authentication (RFC 6749), resource indicators (RFC 8707) and JWT access tokens (RFC 9068).
//! It refuses every address and every `Host` that is not loopback; it is no server for a network.
//!
//! ```text
//! ClientRegistry ─► LocalIdpConfig ─► LocalIdp::new ─► router() served on LocalIdp::bind(addr)
//! ```

mod clients;
mod config;
mod error;
mod host_guard;
mod idp;
mod keys;
mod metadata;
mod oauth_error;
mod private_file;
mod routes;
mod token_endpoint;
mod token_request;

pub use clients::{ClientRegistry, RegisteredClient};
pub use config::{LocalIdpConfig, MAX_TOKEN_LIFETIME};
pub use error::LocalIdpError;
pub use idp::LocalIdp;
pub use token_endpoint::MAX_TOKEN_REQUEST_BYTES;
