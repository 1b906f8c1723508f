//! OAuth 2.0 on both sides of a service: who calls it, and as whom it calls others.
//!
//! As a resource server, a service builds one [`Verifier`], keeps it as `Arc<Verifier>` in its
//! state, and lets authority arrive as a type: a handler with an [`Authorized<scope::ContentRead>`]
//! may read content, and one with a [`Caller`] knows that the token is valid and no more. Refusals
//! are problems with the challenges of RFC 6750.
//!
//! As a client, a service builds one [`TokenSource`] for each resource that it calls and asks it for
//! a token before each call. Where it calls for somebody else, an [`AssertionSigner`] says for whom,
//! in a header that those whom it calls check: [`TrustedGateways`].
//!
//! To accept another algorithm, add it to [`SigningAlgorithm`] and say in `jwks` which keys fit it.

mod assertion;
mod caller;
mod challenge;
mod claims;
mod error;
mod fetch;
mod issuer;
mod jwks;
mod metadata;
mod options;
mod token_source;
mod verifier;

pub mod scope;

pub use assertion::{
    AssertedRequest, AssertionFault, AssertionKey, AssertionSigner, CALLER_HEADER,
    InvalidAssertionKey, KeySet, TrustedGateways,
};
pub use caller::{Authorized, Caller, require_valid_token};
pub use error::{AuthError, HeaderFault, TokenFault};
pub use fetch::FetchError;
pub use issuer::{InvalidIssuer, Issuer};
pub use jwks::SigningAlgorithm;
pub use metadata::{protected_resource_metadata, protected_resource_metadata_url};
pub use options::CallerOptions;
pub use token_source::{ClientCredentials, TokenError, TokenSource};
pub use verifier::{MAX_TOKEN_BYTES, TokenTypes, Verifier, VerifierConfig};
