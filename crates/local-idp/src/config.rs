//! What the server is told, and which of it makes sense.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use url::{Host, Url};

use crate::{LocalIdpError, RegisteredClient};

/// The longest that any token may live. A retired signing key stays published for this long.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How to set up a [`crate::LocalIdp`].
#[derive(Debug, Clone)]
pub struct LocalIdpConfig {
    /// Where the server is reached, such as `http://127.0.0.1:7400`: a loopback origin, no path.
    pub issuer: Url,
    /// Who may ask for tokens.
    pub clients: Vec<RegisteredClient>,
    /// The resources that tokens may be for; the first is the default.
    pub audiences: Vec<String>,
    /// How long a token from the token endpoint lives: 1 s to [`MAX_TOKEN_LIFETIME`].
    pub token_lifetime: Duration,
    /// Where the signing keys are kept; made with mode 0700 if it does not exist.
    pub key_dir: PathBuf,
}

impl LocalIdpConfig {
    pub(crate) fn validate(&self) -> Result<(), LocalIdpError> {
        validate_issuer(&self.issuer)?;
        if self.audiences.is_empty() || self.audiences.iter().any(String::is_empty) {
            return Err(LocalIdpError::config(
                "list of audiences",
                "expected at least one resource identifier, and none empty",
            ));
        }
        validate_lifetime("token lifetime", self.token_lifetime)?;
        let mut seen = BTreeSet::new();
        for client in &self.clients {
            validate_client(client, &self.audiences)?;
            if !seen.insert(&client.id) {
                return Err(LocalIdpError::config(
                    "list of clients",
                    format!("'{}' is registered twice; expected each id once", client.id),
                ));
            }
        }
        Ok(())
    }
}

pub(crate) fn validate_lifetime(
    setting: &'static str,
    lifetime: Duration,
) -> Result<(), LocalIdpError> {
    if (Duration::from_secs(1)..=MAX_TOKEN_LIFETIME).contains(&lifetime) {
        return Ok(());
    }
    let most = MAX_TOKEN_LIFETIME.as_secs();
    Err(LocalIdpError::config(
        setting,
        format!("{lifetime:?} given, expected 1 to {most} seconds"),
    ))
}

fn validate_issuer(issuer: &Url) -> Result<(), LocalIdpError> {
    let loopback = match issuer.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let origin_only = issuer.path() == "/"
        && issuer.query().is_none()
        && issuer.fragment().is_none()
        && issuer.username().is_empty()
        && issuer.password().is_none();
    if issuer.scheme() == "http" && loopback && origin_only {
        return Ok(());
    }
    // The URL itself stays out of the message: it may hold a password.
    Err(LocalIdpError::config(
        "issuer",
        "expected an http origin on loopback without a path, such as http://127.0.0.1:7400",
    ))
}

fn validate_client(client: &RegisteredClient, audiences: &[String]) -> Result<(), LocalIdpError> {
    let printable = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    if client.id.is_empty() || client.id.len() > 80 || !client.id.bytes().all(printable) {
        return Err(LocalIdpError::config(
            "list of clients",
            format!(
                "id {:?} given, expected 1 to 80 printable ASCII without ':'",
                client.id
            ),
        ));
    }
    match client
        .audiences
        .iter()
        .find(|audience| !audiences.contains(audience))
    {
        None => Ok(()),
        Some(foreign) => Err(LocalIdpError::config(
            "list of clients",
            format!(
                "'{}' may ask for {foreign}, which is not among the audiences",
                client.id
            ),
        )),
    }
}
