//! Why a request is refused. No message repeats anything of the token.

use std::sync::Arc;

use contracts::Scopes;
use http::StatusCode;
use service_kit::{ProblemResponse, with_causes};

use crate::{VerifierConfig, assertion::AssertionFault, challenge::challenge, fetch::FetchError};

/// A refusal. [`AuthError::into_problem`] turns it into an answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthError {
    /// No bearer token came with the request: 401.
    #[error("this needs an access token: send it as 'Authorization: Bearer <token>'")]
    MissingToken,
    /// The `Authorization` header cannot be read: 400.
    #[error(transparent)]
    InvalidHeader(HeaderFault),
    /// The token does not hold: 401.
    #[error(transparent)]
    InvalidToken(TokenFault),
    /// The token holds but does not allow this: 403.
    #[error("the token does not allow this: expected one with the scope {required}")]
    InsufficientScope {
        /// Everything that is needed, not only what is missing.
        required: Scopes,
    },
    /// What a gateway says about its caller does not hold: 401, or 400 where it cannot be read.
    #[error(transparent)]
    InvalidAssertion(AssertionFault),
    /// There are no keys to check a gateway's word with: 503.
    #[error("there are no keys to check the assertion of the caller with")]
    CallerKeysUnavailable(#[source] Arc<FetchError>),
    /// More assertions in a minute than can be remembered: 503.
    #[error("too many requests for others at once")]
    TooManyAssertions,
    /// There are no keys to check with, and the issuer gives none: 503.
    #[error("there are no keys of the issuer to check tokens with")]
    IssuerUnavailable(#[source] Arc<FetchError>),
}

/// What is wrong with the `Authorization` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Two credentials: neither is to be guessed at.
    #[error("more than one Authorization header; expected one")]
    Repeated,
    /// Not `Bearer`, a space and a token.
    #[error("malformed Authorization header; expected Bearer, one space and the token")]
    Malformed,
}

/// What is wrong with a token. The texts go out as `error_description`, so they keep to its
/// characters (RFC 6750 section 3: printable ASCII without quotation mark and backslash).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token is longer than 8192 bytes")]
    TooLong,
    /// Not three base64url parts whose first is the header of a signed JWT.
    #[error("the token is not a signed JWT of a known algorithm")]
    Malformed,
    /// Another `typ` than an access token's.
    #[error("the token is not an access token; expected typ at+jwt")]
    WrongType,
    /// Signed with an algorithm that is not on the allow-list.
    #[error("the token is signed with an algorithm that is not accepted here")]
    AlgorithmNotAllowed,
    /// A `crit` header: extensions that must be understood and are not.
    #[error("the token demands an extension that is not understood here")]
    CriticalExtension,
    /// No `kid`.
    #[error("the token does not name its signing key; expected a kid")]
    MissingKeyId,
    /// No key of that `kid` for that algorithm.
    #[error("the token is signed with a key that the issuer does not publish")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the token's signature does not match")]
    BadSignature,
    /// A claim that RFC 9068 requires is not there.
    #[error("the token lacks the claim {0}")]
    MissingClaim(&'static str),
    /// A claim's value makes no sense.
    #[error("the token's claim {0} is not well formed")]
    InvalidClaim(&'static str),
    /// Somebody else's `iss`.
    #[error("the token is from another issuer")]
    WrongIssuer,
    /// Somebody else's `aud`.
    #[error("the token is for another audience")]
    WrongAudience,
    /// `exp` is over.
    #[error("the token expired; get a new one")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` is to come.
    #[error("the token was issued in the future; check the clocks")]
    IssuedInFuture,
}

impl AuthError {
    /// The refusal as problem+json with its `WWW-Authenticate` challenge, which names what `resource`
    /// has for it: where its RFC 9728 document is, and its scopes.
    pub fn into_problem(self, resource: &VerifierConfig) -> ProblemResponse {
        let (status, slug, title) = match &self {
            Self::MissingToken => (StatusCode::UNAUTHORIZED, "missing-token", "Missing token"),
            Self::InvalidHeader(_) => (
                StatusCode::BAD_REQUEST,
                "invalid-authorization-header",
                "Invalid Authorization header",
            ),
            Self::InvalidToken(_) => (StatusCode::UNAUTHORIZED, "invalid-token", "Invalid token"),
            Self::InsufficientScope { .. } => (
                StatusCode::FORBIDDEN,
                "insufficient-scope",
                "Insufficient scope",
            ),
            Self::InvalidAssertion(fault) if fault.is_syntax() => (
                StatusCode::BAD_REQUEST,
                "invalid-caller-header",
                "Invalid Promptsales-Caller header",
            ),
            Self::InvalidAssertion(_) => {
                (StatusCode::UNAUTHORIZED, "invalid-caller", "Invalid caller")
            }
            Self::CallerKeysUnavailable(cause) => {
                return ProblemResponse::unavailable("The key set of callers", &with_causes(cause));
            }
            Self::TooManyAssertions => {
                return ProblemResponse::unavailable("The memory of callers", &self);
            }
            Self::IssuerUnavailable(cause) => {
                return ProblemResponse::unavailable(
                    "The authorization server",
                    &with_causes(cause),
                );
            }
        };
        tracing::info!(reason = %self, "request refused");
        ProblemResponse::new(status, slug, title, sentence(&self.to_string()))
            .with_challenge(challenge(&self, resource))
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
