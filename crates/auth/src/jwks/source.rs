//! Where keys come from: an issuer that says so itself, an address, or a file.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use url::Url;

use super::{KeySet, KeySetDocument, SigningAlgorithm};
use crate::{
    Issuer,
    fetch::{self, FetchError},
};

/// Largest metadata document and key set, in bytes.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Where the keys come from.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// Where the issuer's metadata leads to.
    Issuer {
        issuer: Issuer,
        client: reqwest::Client,
    },
    /// A key set at an address.
    Url { url: Url, client: reqwest::Client },
    /// A key set in a file, read anew as often as one would be fetched: it may be replaced.
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer { issuer, .. } => issuer.fmt(f),
            Self::Url { url, .. } => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[derive(Deserialize)]
struct ServerMetadata {
    issuer: String,
    jwks_uri: Url,
}

impl KeySource {
    pub(super) async fn fetch(&self) -> Result<KeySet, FetchError> {
        let document: KeySetDocument = match self {
            Self::Issuer { issuer, client } => {
                let uri = discover(issuer, client).await?;
                fetch::json(client, &uri, MAX_DOCUMENT_BYTES).await?
            }
            Self::Url { url, client } => fetch::json(client, url, MAX_DOCUMENT_BYTES).await?,
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                read.map_err(|_| FetchError::Interrupted)??
            }
        };
        Ok(KeySet::new(document))
    }
}

/// Blocks.
fn read(path: &Path) -> Result<KeySetDocument, FetchError> {
    let unreadable = |source| FetchError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than may be there shows that there is more.
    let mut bounded = file.take(MAX_DOCUMENT_BYTES as u64 + 1);
    bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MAX_DOCUMENT_BYTES {
        let too_large = std::io::Error::other(format!("more than {MAX_DOCUMENT_BYTES} bytes"));
        return Err(unreadable(too_large));
    }
    serde_json::from_slice(&bytes).map_err(|error| unreadable(error.into()))
}

/// Whether what a file holds makes sense for that algorithm: a key, or none at all, which is how all trust is
/// withdrawn. Blocks.
pub(crate) fn fits(path: &Path, algorithm: SigningAlgorithm) -> Result<bool, FetchError> {
    let document = read(path)?;
    if document.keys.is_empty() {
        return Ok(true);
    }
    let keys = KeySet::new(document);
    Ok(keys.0.keys().any(|(_, known)| *known == algorithm))
}

async fn discover(issuer: &Issuer, client: &reqwest::Client) -> Result<Url, FetchError> {
    let [openid, oauth] = issuer.metadata_urls();
    match metadata(issuer, client, &openid).await {
        // Only a server that has no such document is asked for the other one.
        Err(FetchError::Status { .. } | FetchError::Malformed { .. }) => {
            metadata(issuer, client, &oauth).await
        }
        answer => answer,
    }
}

async fn metadata(issuer: &Issuer, client: &reqwest::Client, url: &Url) -> Result<Url, FetchError> {
    let found = fetch::json::<ServerMetadata>(client, url, MAX_DOCUMENT_BYTES).await?;
    found.keys_of(issuer, url)
}

impl ServerMetadata {
    /// Where the keys are, if this is the issuer's own document (RFC 8414 section 3.3).
    fn keys_of(self, issuer: &Issuer, url: &Url) -> Result<Url, FetchError> {
        if self.issuer != issuer.as_str() {
            let expected = issuer.to_string();
            return Err(FetchError::OtherIssuer {
                url: url.clone(),
                expected,
            });
        }
        if issuer.is_https() && self.jwks_uri.scheme() != "https" {
            return Err(FetchError::InsecureKeys { url: url.clone() });
        }
        Ok(self.jwks_uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_with_tls_cannot_have_keys_without() {
        let issuer: Issuer = "https://login.example".parse().unwrap();
        let url = issuer.metadata_urls()[0].clone();
        let keys = |jwks_uri: &str| {
            let found = ServerMetadata {
                issuer: issuer.to_string(),
                jwks_uri: jwks_uri.parse().unwrap(),
            };
            found.keys_of(&issuer, &url)
        };
        assert!(keys("https://keys.example/jwks").is_ok());
        assert!(matches!(
            keys("http://login.example/jwks"),
            Err(FetchError::InsecureKeys { .. })
        ));
    }
}
