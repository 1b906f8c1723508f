//! Checking access tokens.

use std::time::Duration;

use contracts::Scopes;
use jsonwebtoken::{Algorithm, Header, Validation, errors::ErrorKind};
use service_kit::{Clock, ProblemResponse};
use url::Url;

use crate::{
    AuthError, Caller, Issuer, SigningAlgorithm, TokenFault, TrustedGateways,
    assertion::{self, AssertionFault, Assertions, Head},
    claims::Claims,
    jwks::{KeyCache, KeyError, KeySource},
};

/// Longest wait for the callers' keys where there are none yet: who probes gives up after a second.
const DEGRADED_WITHIN: Duration = Duration::from_millis(200);

/// Longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Which `typ` headers count as access tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenTypes {
    /// `at+jwt` or `application/at+jwt`, as RFC 9068 section 2.1 has it.
    #[default]
    AccessTokenOnly,
    /// Also `JWT` and none at all, for issuers that do not know RFC 9068. Only the audience then
    /// tells an access token from an ID token.
    AlsoPlainJwt,
}

/// What a resource server expects of a token.
#[derive(Debug, Clone)]
pub struct VerifierConfig {
    /// Who issues the tokens.
    pub issuer: Issuer,
    /// What this resource is called in `aud`.
    pub audience: String,
    /// The signature algorithms to accept.
    pub algorithms: Vec<SigningAlgorithm>,
    /// The clock skew to forgive.
    pub leeway: Duration,
    /// The `typ` headers to accept.
    pub token_types: TokenTypes,
    /// Where the keys are; without it the issuer's metadata says so.
    pub jwks_uri: Option<Url>,
    /// Where this resource's RFC 9728 document is, for the challenges.
    pub resource_metadata: Option<Url>,
    /// What a challenge names to who comes without a valid token, so that a client knows what to ask
    /// for; nothing when empty.
    pub scopes: Scopes,
    /// Who may say for whom it calls; nobody when absent.
    pub gateways: Option<TrustedGateways>,
}

impl VerifierConfig {
    /// RS256 and ES256, 30 s of skew, `at+jwt` only, keys by discovery.
    pub fn new(issuer: Issuer, audience: impl Into<String>) -> Self {
        Self {
            issuer,
            audience: audience.into(),
            algorithms: vec![SigningAlgorithm::Rs256, SigningAlgorithm::Es256],
            leeway: Duration::from_secs(30),
            token_types: TokenTypes::AccessTokenOnly,
            jwks_uri: None,
            resource_metadata: None,
            scopes: Scopes::default(),
            gateways: None,
        }
    }
}

/// Checks tokens of one issuer for one resource. Share it as `Arc<Verifier>`.
#[derive(Debug)]
pub struct Verifier {
    config: VerifierConfig,
    keys: KeyCache,
    assertions: Option<Assertions>,
    clock: Clock,
}

impl Verifier {
    /// Fetches nothing yet: the first token makes it ask for the keys.
    pub fn new(config: VerifierConfig, client: reqwest::Client, clock: Clock) -> Self {
        if config.issuer.is_exposed() {
            tracing::warn!(
                issuer = %config.issuer,
                "the issuer is reached without TLS: whoever is on the way can forge tokens"
            );
        }
        let assertions = Assertions::new(&config, &client, &clock);
        let source = match config.jwks_uri.clone() {
            Some(url) => KeySource::Url { url, client },
            None => KeySource::Issuer {
                issuer: config.issuer.clone(),
                client,
            },
        };
        Self {
            assertions,
            keys: KeyCache::new(source, clock.clone()),
            config,
            clock,
        }
    }

    /// Checks a token as RFC 9068 section 4 demands: header, signature, issuer, audience, times.
    /// What it allows is for [`Caller::require`] or [`crate::Authorized`] to say.
    pub async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        let (algorithm, kid) = self.check_header(token).map_err(AuthError::InvalidToken)?;
        let key = self.keys.find(&kid, algorithm).await.map_err(no_key)?;
        let mut validation = Validation::new(algorithm.into());
        // Times are checked against our clock, issuer and audience with a reason for the refusal.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoded =
            jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|error| {
                AuthError::InvalidToken(match error.kind() {
                    ErrorKind::InvalidSignature => TokenFault::BadSignature,
                    ErrorKind::Json(_) => TokenFault::InvalidClaim("set"),
                    _ => TokenFault::Malformed,
                })
            })?;
        decoded
            .claims
            .check(&self.config, self.clock.now())
            .map_err(AuthError::InvalidToken)
    }

    /// Who calls, once the assertion that may have come with the token is checked. Without one it is
    /// the token's own subject; one that does not hold, or that nobody asked for, is refused.
    pub(crate) async fn asserted(
        &self,
        bearer: Caller,
        token: &str,
        head: Head<'_>,
    ) -> Result<Caller, AuthError> {
        let invalid = AuthError::InvalidAssertion;
        match (
            assertion::of(head.headers).map_err(invalid)?,
            &self.assertions,
        ) {
            (None, _) => Ok(bearer),
            (Some(assertion), Some(checks)) => checks.check(bearer, token, head, assertion).await,
            (Some(_), None) => Err(invalid(AssertionFault::NotTrusted)),
        }
    }

    /// A refusal as an answer, with this resource's metadata and scopes in the challenge.
    pub fn problem(&self, error: AuthError) -> ProblemResponse {
        error.into_problem(&self.config)
    }

    /// Are there keys to check with? Asks the issuer when there are none yet; for `/readyz`.
    pub async fn ready(&self) -> Result<(), AuthError> {
        self.keys.ready().await.map_err(no_key)
    }

    /// What `/readyz` calls degraded: who calls for themselves is served without it. Asks for the callers' keys where
    /// there are none yet, and waits for them for a moment.
    pub async fn degraded(&self) -> Vec<String> {
        let Some(assertions) = &self.assertions else {
            return Vec::new();
        };
        match tokio::time::timeout(DEGRADED_WITHIN, assertions.has_keys()).await {
            Ok(true) => Vec::new(),
            Ok(false) | Err(_) => vec!["the callers' keys".to_owned()],
        }
    }

    /// Everything that can be refused before any key is looked up.
    fn check_header(&self, token: &str) -> Result<(SigningAlgorithm, String), TokenFault> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLong);
        }
        // `none` is no algorithm to the decoder, so such a header is malformed.
        let header: Header =
            jsonwebtoken::decode_header(token).map_err(|_| TokenFault::Malformed)?;
        let algorithm = match header.alg {
            Algorithm::RS256 => SigningAlgorithm::Rs256,
            Algorithm::ES256 => SigningAlgorithm::Es256,
            _ => return Err(TokenFault::AlgorithmNotAllowed),
        };
        if !self.config.algorithms.contains(&algorithm) {
            return Err(TokenFault::AlgorithmNotAllowed);
        }
        if !self.accepts_type(header.typ.as_deref()) {
            return Err(TokenFault::WrongType);
        }
        if header.crit.is_some() {
            return Err(TokenFault::CriticalExtension);
        }
        Ok((algorithm, header.kid.ok_or(TokenFault::MissingKeyId)?))
    }

    fn accepts_type(&self, typ: Option<&str>) -> bool {
        let plain = self.config.token_types == TokenTypes::AlsoPlainJwt;
        match typ.map(str::to_ascii_lowercase).as_deref() {
            Some("at+jwt" | "application/at+jwt") => true,
            Some("jwt") | None => plain,
            Some(_) => false,
        }
    }
}

fn no_key(error: KeyError) -> AuthError {
    match error {
        KeyError::Unknown => AuthError::InvalidToken(TokenFault::UnknownKey),
        KeyError::Unavailable(cause) => AuthError::IssuerUnavailable(cause),
    }
}
