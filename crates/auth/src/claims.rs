//! The claims of an RFC 9068 access token, and when they hold.

use std::time::Duration;

use contracts::Scopes;
use serde::{Deserialize, Deserializer, de};
use time::OffsetDateTime;

use crate::{Caller, TokenFault, VerifierConfig};

/// Longest subject, client id and token id, in bytes: they end up in log lines.
const MAX_NAME_BYTES: usize = 256;

/// Every claim is optional here, so that a missing one can be named in the refusal.
#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    client_id: Option<String>,
    jti: Option<String>,
    scope: Option<String>,
}

/// RFC 7519 section 4.1.3: one string or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Seconds since 1970, RFC 7519 section 2; fractions are cut off.
#[derive(Clone, Copy)]
struct NumericDate(OffsetDateTime);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..1e12).contains(&seconds) {
            return Err(de::Error::custom("a date out of range"));
        }
        // In range, so the cast loses only the fraction.
        let date = OffsetDateTime::from_unix_timestamp(seconds as i64);
        date.map(Self)
            .map_err(|_| de::Error::custom("a date out of range"))
    }
}

impl Claims {
    /// Checks everything that RFC 9068 section 4 has checked after the signature.
    pub(crate) fn check(
        self,
        config: &VerifierConfig,
        now: OffsetDateTime,
    ) -> Result<Caller, TokenFault> {
        let issuer = required(self.iss, "iss")?;
        if issuer != config.issuer.as_str() {
            return Err(TokenFault::WrongIssuer);
        }
        let for_us = match required(self.aud, "aud")? {
            Audience::One(audience) => audience == config.audience,
            Audience::Several(audiences) => audiences.contains(&config.audience),
        };
        if !for_us {
            return Err(TokenFault::WrongAudience);
        }
        let expires_at = required(self.exp, "exp")?.0;
        let issued_at = required(self.iat, "iat")?.0;
        check_times(
            issued_at,
            self.nbf.map(|date| date.0),
            expires_at,
            now,
            config.leeway,
        )?;
        let subject = name(required(self.sub, "sub")?, "sub")?;
        let client_id = name(required(self.client_id, "client_id")?, "client_id")?;
        let token_id = self.jti.map(|id| name(id, "jti")).transpose()?;
        let scopes = self
            .scope
            .as_deref()
            .map(Scopes::from_claim)
            .unwrap_or_default();
        Ok(Caller::new(
            subject, client_id, scopes, token_id, expires_at,
        ))
    }
}

fn check_times(
    issued_at: OffsetDateTime,
    not_before: Option<OffsetDateTime>,
    expires_at: OffsetDateTime,
    now: OffsetDateTime,
    leeway: Duration,
) -> Result<(), TokenFault> {
    // The leeway goes to `now`: a date of the token's may be the last one that there is.
    if now - leeway >= expires_at {
        return Err(TokenFault::Expired);
    }
    if not_before.is_some_and(|not_before| now + leeway < not_before) {
        return Err(TokenFault::NotYetValid);
    }
    if now + leeway < issued_at {
        return Err(TokenFault::IssuedInFuture);
    }
    if expires_at <= issued_at {
        return Err(TokenFault::InvalidClaim("exp"));
    }
    Ok(())
}

fn required<T>(claim: Option<T>, name: &'static str) -> Result<T, TokenFault> {
    claim.ok_or(TokenFault::MissingClaim(name))
}

/// Is it short and plain enough for a log line?
pub(crate) fn is_name(value: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&value.len()) && !value.chars().any(|letter| letter.is_control())
}

fn name(value: String, claim: &'static str) -> Result<String, TokenFault> {
    if is_name(&value) {
        Ok(value)
    } else {
        Err(TokenFault::InvalidClaim(claim))
    }
}
