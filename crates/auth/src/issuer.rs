//! The issuer's identifier.

use std::{fmt, str::FromStr};

use serde::Deserialize;
use url::Url;

/// An authorization server's identifier, letter by letter as it stands in a token's `iss`.
///
/// A `Url` would not do: it writes `https://issuer.example` with a slash at its end, and issuers
/// are compared as strings (RFC 8414 section 3.3, RFC 9068 section 4).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Issuer {
    text: String,
    url: Url,
}

/// Why a text is not an issuer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the issuer is not usable: expected an http(s) URL without user, query and fragment, spelt \
     exactly as in the tokens' iss claim, such as https://login.example/realms/main"
)]
pub struct InvalidIssuer;

impl Issuer {
    /// Exactly as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Is its metadata fetched over a network without TLS?
    pub(crate) fn is_exposed(&self) -> bool {
        is_exposed(&self.url)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Where its metadata may be, in the order to try: OpenID Connect Discovery 1.0 section 4
    /// appends the well-known name, RFC 8414 section 3.1 puts it before the path.
    pub(crate) fn metadata_urls(&self) -> [Url; 2] {
        let path = self.url.path().trim_end_matches('/');
        let mut openid = self.url.clone();
        openid.set_path(&format!("{path}/.well-known/openid-configuration"));
        let mut oauth = self.url.clone();
        oauth.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
        [openid, oauth]
    }
}

/// Is what is fetched there carried over a network without TLS?
pub(crate) fn is_exposed(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() != "https" && !loopback
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer)?;
        let usable = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && text.trim() == text;
        if usable {
            Ok(Self {
                text: text.to_owned(),
                url,
            })
        } else {
            Err(InvalidIssuer)
        }
    }
}

impl TryFrom<String> for Issuer {
    type Error = InvalidIssuer;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
