//! Who asks, told from one service to the next.
//!
//! A gateway calls with a token of its own. For whom it calls it says in a header beside the token:
//! a short-lived JWS, signed with a key of the gateway's and bound to that one request, so that it
//! proves nothing anywhere else. Whoever is called takes it from the clients that its settings name
//! ([`TrustedGateways`]) and from nobody else.
//!
//! ```text
//! Authorization: Bearer <the gateway's token>
//! Promptsales-Caller: <JWS of sub, client_id, scope; aud, exp, jti; ath, method, path>
//! ```
//!
//! An assertion never adds to what the token allows: what counts is what both allow.

mod check;
mod key;
mod seen;
mod signer;

use http::HeaderName;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::Duration;

pub use check::{AssertionFault, KeySet, TrustedGateways};
pub(crate) use check::{Assertions, Head, of};
pub use key::{AssertionKey, InvalidAssertionKey};
pub use signer::{AssertedRequest, AssertionSigner};

/// The header that an assertion travels in.
pub const CALLER_HEADER: HeaderName = HeaderName::from_static("promptsales-caller");

/// `typ` of an assertion: nothing else that some key signed can be taken for one.
const TYPE: &str = "promptsales-caller+jwt";
/// So long one holds.
const LIFETIME: Duration = Duration::seconds(30);
/// Longest lifetime that is believed.
const MAX_LIFETIME: Duration = Duration::seconds(60);

/// What an assertion says. Names as in RFC 9068 (`sub`, `client_id`, `scope`) and RFC 9449 (`ath`).
#[derive(Serialize, Deserialize)]
struct AssertionClaims {
    /// The gateway's client id.
    iss: String,
    /// The person that it calls for, or their program where that acts for nobody.
    sub: String,
    /// The program that they use.
    client_id: String,
    /// What their token allows, space-separated.
    scope: String,
    /// The resource that is called.
    aud: String,
    iat: i64,
    exp: i64,
    /// Never used twice.
    jti: String,
    /// SHA-256 of the token beside it, base64url.
    ath: String,
    /// Of the request, in capitals.
    method: String,
    /// Of the request, percent-encoded, as the service sees it: without its query.
    path: String,
}

/// RFC 9449 section 4.2: the hash that binds to an access token.
fn token_hash(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}
