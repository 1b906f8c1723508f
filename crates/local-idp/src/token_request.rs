//! Reading a token request: the form, and who asks (RFC 6749 sections 2.3.1 and 4.4.2).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;

use crate::oauth_error::OAuthError;

/// A form without repeated parameters. No `Debug`: it may hold a secret.
pub(crate) struct Form(BTreeMap<String, String>);

/// What a client says of itself.
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: SecretString,
}

impl Form {
    /// Parses an `application/x-www-form-urlencoded` body.
    pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let is_form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| {
                kind.trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Err(OAuthError::invalid_request(
                "the body has to be application/x-www-form-urlencoded",
            ));
        }
        let mut form = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            // RFC 6749 section 3.2: without a value means omitted, twice means wrong.
            if !value.is_empty() && form.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(OAuthError::invalid_request(
                    "a parameter is given more than once",
                ));
            }
        }
        Ok(Self(form))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Credentials {
    /// From `Authorization: Basic` or from the form, never from both.
    pub(crate) fn read(headers: &HeaderMap, form: &Form) -> Result<Self, OAuthError> {
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        let Some(authorization) = authorizations.next() else {
            return Self::from_form(form);
        };
        if authorizations.next().is_some() || form.get("client_secret").is_some() {
            return Err(OAuthError::invalid_request(
                "the client authenticates in more than one way; use one",
            ));
        }
        let credentials = authorization
            .to_str()
            .ok()
            .and_then(Self::from_basic)
            .ok_or_else(|| OAuthError::invalid_client("the Authorization header is not Basic"))?;
        if form.get("client_id").is_some_and(|id| id != credentials.id) {
            return Err(OAuthError::invalid_request(
                "client_id in the body and in the Authorization header differ",
            ));
        }
        Ok(credentials)
    }

    fn from_form(form: &Form) -> Result<Self, OAuthError> {
        match (form.get("client_id"), form.get("client_secret")) {
            (Some(id), Some(secret)) => Ok(Self {
                id: id.to_owned(),
                secret: secret.into(),
            }),
            _ => Err(OAuthError::invalid_client(
                "the client did not authenticate; send its id and secret with HTTP Basic",
            )),
        }
    }

    fn from_basic(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded: SecretString = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?)
            .ok()?
            .into();
        let (id, secret) = decoded.expose_secret().split_once(':')?;
        Some(Self {
            id: form_decode(id),
            secret: form_decode(secret).into(),
        })
    }
}

/// RFC 6749 has both halves form-encoded. `curl -u` does not encode them; that makes no difference
/// to the ids and secrets that this server generates.
fn form_decode(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26"));
    let decoded = form_urlencoded::parse(pair.as_bytes()).next();
    decoded
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
