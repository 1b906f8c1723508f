//! Bounded answers from the authorization server.

use std::path::PathBuf;

use reqwest::{Client, Response, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;

/// Longest that one answer of the authorization server may take.
pub(crate) const FETCH_DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);

/// Why something could not be fetched from the authorization server.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, no answer in time, or an answer cut short.
    #[error("{url} does not answer")]
    Unreachable {
        /// What was asked for.
        url: Url,
        /// What happened.
        source: reqwest::Error,
    },
    /// An answer other than 200.
    #[error("{url} answered {status}, expected 200 OK")]
    Status {
        /// What was asked for.
        url: Url,
        /// What came.
        status: StatusCode,
    },
    /// More than any such document holds.
    #[error("{url} answered with more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: Url,
        /// The bound, in bytes.
        limit: usize,
    },
    /// Not the expected JSON.
    #[error("{url} answered with something else than the expected JSON")]
    Malformed {
        /// What was asked for.
        url: Url,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// Metadata of some other issuer (RFC 8414 section 3.3).
    #[error("{url} describes another issuer than the configured {expected}; spell them alike")]
    OtherIssuer {
        /// What was asked for.
        url: Url,
        /// The configured issuer.
        expected: String,
    },
    /// An issuer reached by TLS that wants its keys fetched without.
    #[error("{url} names a jwks_uri that is not https, though the issuer is")]
    InsecureKeys {
        /// What was asked for.
        url: Url,
    },
    /// A file that cannot be read, or is not the expected JSON.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// The fetch ended without an answer, because its runtime was shut down.
    #[error("the fetch was interrupted")]
    Interrupted,
}

/// GETs a JSON document of at most `limit` bytes.
pub(crate) async fn json<T: DeserializeOwned>(
    client: &Client,
    url: &Url,
    limit: usize,
) -> Result<T, FetchError> {
    let response = client
        .get(url.clone())
        .header(http::header::ACCEPT, "application/json")
        .timeout(FETCH_DEADLINE)
        .send()
        .await
        .map_err(|source| FetchError::Unreachable {
            url: url.clone(),
            source,
        })?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status {
            url: url.clone(),
            status: response.status(),
        });
    }
    let bytes = body(response, url, limit).await?;
    serde_json::from_slice(&bytes).map_err(|source| FetchError::Malformed {
        url: url.clone(),
        source,
    })
}

/// Reads a body of at most `limit` bytes, and stops reading when it is longer.
pub(crate) async fn body(
    mut response: Response,
    url: &Url,
    limit: usize,
) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|source| FetchError::Unreachable {
            url: url.clone(),
            source,
        })?
    {
        if bytes.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge {
                url: url.clone(),
                limit,
            });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
