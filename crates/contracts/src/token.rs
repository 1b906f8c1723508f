//! The token endpoint's answer, RFC 6749 section 5.1.

use serde::{Deserialize, Serialize};

/// A granted access token. `Debug` would show it, so there is none.
#[derive(Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The JWT itself.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// What was granted, space separated.
    pub scope: String,
}
