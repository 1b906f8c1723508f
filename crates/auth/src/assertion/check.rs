//! The side of whoever is called: believing it.

use std::{fmt, path::PathBuf};

use contracts::Scopes;
use http::{HeaderMap, Method};
use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use service_kit::{Clock, with_causes};
use time::{Duration, OffsetDateTime};
use url::Url;

use super::{
    AssertionClaims, CALLER_HEADER, MAX_LIFETIME, TYPE,
    seen::{NotTaken, Seen},
    token_hash,
};
use crate::{
    AuthError, Caller, SigningAlgorithm, VerifierConfig,
    claims::is_name,
    issuer::is_exposed,
    jwks::{KeyCache, KeyError, KeySource, fits},
};

/// Longest assertion that is looked at, in bytes.
const MAX_BYTES: usize = 4 * 1024;

/// Whose word about the caller is taken.
#[derive(Debug, Clone)]
pub struct TrustedGateways {
    /// The clients whose tokens may come with an assertion.
    pub clients: Vec<String>,
    /// Where the keys are that they sign with.
    pub keys: KeySet,
}

/// Where a JWKS document is. It is read again every ten minutes, and when a key is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySet {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Url(Url),
}

impl KeySet {
    /// A file's path, or an http(s) address.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.username().is_empty() => {
                Ok(Self::Url(url))
            }
            _ => Err(
                "caller_keys is not usable: expected the path of a JWKS file, or an http(s) address \
                 without a user"
                    .to_owned(),
            ),
        }
    }

    /// A file has to be there, with a key that assertions are signed with if it has any. Blocks.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self::File(path) = self else {
            return Ok(());
        };
        let fault = match fits(path, SigningAlgorithm::Es256) {
            Ok(true) => return Ok(()),
            Ok(false) => format!("{} has other keys alone", path.display()),
            Err(error) => with_causes(&error),
        };
        Err(format!(
            "caller_keys: {fault}; expected a JWKS file with a P-256 key that has a kid"
        ))
    }
}

/// What is wrong with an assertion. No message repeats anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// Two of them: neither is to be guessed at.
    #[error("more than one Promptsales-Caller header; expected one or none")]
    Repeated,
    /// Not a compact JWS of ours, of at most 4 KiB.
    #[error("the Promptsales-Caller header is not a signed assertion of the expected kind")]
    Malformed,
    /// The token's client is not among those who may speak for others.
    #[error("the token's client may not say for whom it calls")]
    NotTrusted,
    /// No key of that `kid`.
    #[error("the assertion of the caller is signed with a key that is not known here")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature of the assertion of the caller does not match")]
    BadSignature,
    /// A claim is missing, or makes no sense.
    #[error("the assertion of the caller lacks a claim, or has one that is not well formed")]
    InvalidClaim,
    /// Signed by one client, sent with another one's token.
    #[error("the assertion of the caller is another client's than the token")]
    OtherClient,
    /// For another resource.
    #[error("the assertion of the caller is for another audience")]
    WrongAudience,
    /// Made for another token than the one beside it.
    #[error("the assertion of the caller belongs to another token")]
    OtherToken,
    /// Made for another method or path.
    #[error("the assertion of the caller belongs to another request")]
    OtherRequest,
    /// `exp` is over.
    #[error("the assertion of the caller expired")]
    Expired,
    /// `iat` is to come.
    #[error("the assertion of the caller was made in the future; check the clocks")]
    MadeInFuture,
    /// It was to hold longer than 60 s.
    #[error("the assertion of the caller is to hold longer than 60 seconds")]
    TooLong,
    /// It came before.
    #[error("the assertion of the caller was used before")]
    Replayed,
}

impl AssertionFault {
    /// Whether the request can be read at all; otherwise it is the caller that is not believed.
    pub(crate) fn is_syntax(self) -> bool {
        matches!(self, Self::Repeated | Self::Malformed)
    }
}

/// As much of a request as is signed.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// Checks assertions for one resource.
pub(crate) struct Assertions {
    gateways: TrustedGateways,
    keys: KeyCache,
    seen: Seen,
    audience: String,
    leeway: Duration,
    clock: Clock,
}

/// The one assertion of a request.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<&str>, AssertionFault> {
    let mut values = headers.get_all(CALLER_HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(AssertionFault::Repeated);
    }
    let text = value.to_str().map_err(|_| AssertionFault::Malformed)?;
    if text.len() > MAX_BYTES {
        return Err(AssertionFault::Malformed);
    }
    Ok(Some(text))
}

impl Assertions {
    /// None where nobody is trusted to speak for others.
    pub(crate) fn new(
        config: &VerifierConfig,
        client: &reqwest::Client,
        clock: &Clock,
    ) -> Option<Self> {
        let gateways = config.gateways.clone()?;
        if let KeySet::Url(url) = &gateways.keys
            && is_exposed(url)
        {
            tracing::warn!(
                from = %url,
                "the callers' keys are fetched without TLS: whoever is on the way can say for whom anybody calls"
            );
        }
        let source = match &gateways.keys {
            KeySet::File(path) => KeySource::File(path.clone()),
            KeySet::Url(url) => KeySource::Url {
                url: url.clone(),
                client: client.clone(),
            },
        };
        let leeway = Duration::try_from(config.leeway).unwrap_or(Duration::MAX / 4);
        Some(Self {
            gateways,
            keys: KeyCache::new(source, clock.clone()),
            // From the earliest moment at which one is taken to the latest.
            seen: Seen::new(MAX_LIFETIME + leeway * 2),
            audience: config.audience.clone(),
            leeway,
            clock: clock.clone(),
        })
    }

    /// The caller for whom `bearer` calls, whose own `token` has been checked.
    pub(crate) async fn check(
        &self,
        bearer: Caller,
        token: &str,
        head: Head<'_>,
        assertion: &str,
    ) -> Result<Caller, AuthError> {
        let invalid = AuthError::InvalidAssertion;
        if !self
            .gateways
            .clients
            .iter()
            .any(|id| id == bearer.client_id())
        {
            return Err(invalid(AssertionFault::NotTrusted));
        }
        let kid = key_id(assertion).map_err(invalid)?;
        let key = self.keys.find(&kid, SigningAlgorithm::Es256).await;
        let key = key.map_err(|error| match error {
            KeyError::Unknown => invalid(AssertionFault::UnknownKey),
            KeyError::Unavailable(cause) => AuthError::CallerKeysUnavailable(cause),
        })?;
        let mut validation = Validation::new(Algorithm::ES256);
        // Everything that is claimed is checked below, with a reason for the refusal.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode::<AssertionClaims>(assertion, &key, &validation);
        let claims = decoded.map_err(|error| {
            invalid(match error.kind() {
                ErrorKind::InvalidSignature => AssertionFault::BadSignature,
                ErrorKind::Json(_) => AssertionFault::InvalidClaim,
                _ => AssertionFault::Malformed,
            })
        })?;
        let claims = claims.claims;
        let now = self.clock.now();
        self.belongs(&claims, &bearer, token, head)
            .and_then(|()| self.is_timely(&claims, now))
            .map_err(invalid)?;
        // Last: what is refused for another reason is not used up.
        self.seen
            .take(claims.jti, now)
            .map_err(|reason| match reason {
                NotTaken::Before => invalid(AssertionFault::Replayed),
                NotTaken::NoRoom => AuthError::TooManyAssertions,
            })?;
        Ok(bearer.speaking_for(
            claims.sub,
            claims.client_id,
            &Scopes::from_claim(&claims.scope),
        ))
    }

    fn belongs(
        &self,
        claims: &AssertionClaims,
        bearer: &Caller,
        token: &str,
        head: Head<'_>,
    ) -> Result<(), AssertionFault> {
        let names = [&claims.sub, &claims.client_id, &claims.jti];
        if !names.into_iter().all(|name| is_name(name)) {
            return Err(AssertionFault::InvalidClaim);
        }
        if claims.iss != bearer.client_id() {
            return Err(AssertionFault::OtherClient);
        }
        if claims.aud != self.audience {
            return Err(AssertionFault::WrongAudience);
        }
        if claims.ath != token_hash(token) {
            return Err(AssertionFault::OtherToken);
        }
        if claims.method != head.method.as_str() || claims.path != head.path {
            return Err(AssertionFault::OtherRequest);
        }
        Ok(())
    }

    fn is_timely(
        &self,
        claims: &AssertionClaims,
        now: OffsetDateTime,
    ) -> Result<(), AssertionFault> {
        let date = |seconds| {
            OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| AssertionFault::InvalidClaim)
        };
        let (made, expires) = (date(claims.iat)?, date(claims.exp)?);
        if now - self.leeway >= expires {
            return Err(AssertionFault::Expired);
        }
        if now + self.leeway < made {
            return Err(AssertionFault::MadeInFuture);
        }
        if expires - made > MAX_LIFETIME {
            return Err(AssertionFault::TooLong);
        }
        Ok(())
    }

    /// Are there keys to check with?
    pub(crate) async fn has_keys(&self) -> bool {
        self.keys.ready().await.is_ok()
    }
}

impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertions")
            .field("gateways", &self.gateways)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// The key that an assertion says it was signed with; everything else that its header may say is
/// fixed.
fn key_id(assertion: &str) -> Result<String, AssertionFault> {
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| AssertionFault::Malformed)?;
    let ours = header.alg == Algorithm::ES256
        && header.typ.as_deref() == Some(TYPE)
        && header.crit.is_none();
    match header.kid {
        Some(kid) if ours => Ok(kid),
        _ => Err(AssertionFault::Malformed),
    }
}
