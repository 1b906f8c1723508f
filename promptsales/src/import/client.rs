//! The content API's life cycle, called with patience.

use std::{sync::Arc, time::Duration};

use auth::TokenSource;
use contracts::{
    ContentDocument, ImageId, Problem,
    lifecycle::{ContentMetadata, StoredContent},
};
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::ETAG,
    multipart::{Form, Part},
};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

/// Tries of one request, and the pause after the first; each further pause is twice as long. A service
/// that is restarted is waited for.
const TRIES: u32 = 7;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Writes content as the command line's client.
pub struct ContentClient {
    base: Url,
    http: reqwest::Client,
    tokens: Arc<TokenSource>,
}

/// Why a row is not in.
#[derive(Debug)]
pub enum Failure {
    /// The service says no to it.
    Refused(Problem),
    /// The service does not answer, or not yet.
    Away(String),
    /// Nothing that another try or another row would mend.
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// A document with its entity tag.
pub struct Tagged {
    pub document: ContentDocument,
    pub etag: String,
}

impl ContentClient {
    /// A client of the content API at `base`; what the tokens allow, it can do.
    pub fn new(base: Url, http: reqwest::Client, tokens: Arc<TokenSource>) -> Self {
        Self { base, http, tokens }
    }

    /// The document, unless there is none or none any more.
    pub(super) async fn get(&self, id: &ImageId) -> Result<Option<Tagged>, Failure> {
        let url = self.url(id, "")?;
        match self.send(|| Ok(self.http.get(url.clone()))).await {
            Ok((document, etag)) => Ok(Some(Tagged { document, etag })),
            Err(Failure::Refused(problem)) if problem.status == StatusCode::NOT_FOUND => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A new draft, once for each key.
    pub(super) async fn create(
        &self,
        key: &str,
        image: &[u8],
        metadata: &ContentMetadata,
    ) -> Result<StoredContent, Failure> {
        let url = self.base.join("/v1/content")?;
        let metadata = serde_json::to_string(metadata)?;
        let request = || {
            let part = Part::text(metadata.clone()).mime_str("application/json")?;
            let request = self.http.post(url.clone()).header("Idempotency-Key", key);
            Ok(request.multipart(form(image).part("metadata", part)))
        };
        Ok(self.send(request).await?.0)
    }

    /// Merges a patch into what is said about it.
    pub(super) async fn patch(
        &self,
        of: &Tagged,
        patch: &impl Serialize,
    ) -> Result<Tagged, Failure> {
        let url = self.url(&of.document.id, "")?;
        let patch = serde_json::to_vec(patch)?;
        let request = || {
            let request = self.if_unchanged(Method::PATCH, &url, of);
            Ok(request
                .header("Content-Type", "application/merge-patch+json")
                .body(patch.clone()))
        };
        let (document, etag) = self.send(request).await?;
        Ok(Tagged { document, etag })
    }

    /// Gives it another image.
    pub(super) async fn new_version(&self, of: &Tagged, image: &[u8]) -> Result<Tagged, Failure> {
        let url = self.url(&of.document.id, "/versions")?;
        let request = || {
            Ok(self
                .if_unchanged(Method::POST, &url, of)
                .multipart(form(image)))
        };
        let (stored, etag): (StoredContent, _) = self.send(request).await?;
        Ok(Tagged {
            document: stored.document,
            etag,
        })
    }

    /// Lets searches find it.
    pub(super) async fn approve(&self, of: &Tagged) -> Result<Tagged, Failure> {
        let url = self.url(&of.document.id, "/approve")?;
        let request = || Ok(self.if_unchanged(Method::POST, &url, of));
        let (document, etag) = self.send(request).await?;
        Ok(Tagged { document, etag })
    }

    fn url(&self, id: &ImageId, what: &str) -> Result<Url, url::ParseError> {
        self.base.join(&format!("/v1/content/{id}{what}"))
    }

    fn if_unchanged(&self, method: Method, url: &Url, of: &Tagged) -> RequestBuilder {
        self.http
            .request(method, url.clone())
            .header("If-Match", &of.etag)
    }

    /// Sends it until there is an answer. Every request here may be repeated.
    async fn send<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> reqwest::Result<RequestBuilder>,
    ) -> Result<(T, String), Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.send_once(request()?).await {
                Err(Failure::Away(_)) => {}
                answered => return answered,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.send_once(request()?).await
    }

    async fn send_once<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<(T, String), Failure> {
        let away = |error: anyhow::Error| Failure::Away(format!("{error:#}"));
        let token = self.tokens.token().await.map_err(|e| away(e.into()))?;
        let answer = request.bearer_auth(token.expose_secret()).send().await;
        let answer = answer.map_err(|error| away(error.into()))?;
        let status = answer.status();
        let etag = answer.headers().get(ETAG);
        let etag = etag.and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let etag = etag.to_owned();
        let body = answer.bytes().await.map_err(|error| away(error.into()))?;
        if status.is_success() {
            return Ok((serde_json::from_slice(&body)?, etag));
        }
        let problem: Problem = serde_json::from_slice(&body).map_err(|_| {
            anyhow::anyhow!("an unreadable error: {}", String::from_utf8_lossy(&body))
        })?;
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => {
                Failure::Away(format!("{}: {}", problem.title, problem.detail))
            }
            _ => Failure::Refused(problem),
        })
    }
}

fn form(image: &[u8]) -> Form {
    Form::new().part("image", Part::bytes(image.to_vec()).file_name("image"))
}
