//! Calling the services behind, as the gateway.

use std::{fmt, sync::Arc, time::Duration};

use auth::{TokenError, TokenSource};
use contracts::{Problem, Scope};
use http::{StatusCode, header};
use reqwest::{Method, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::{metrics::HttpMetrics, outbound::Peer};
use url::Url;

use crate::origin::{Origin, Word};

/// Largest JSON answer, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A service behind the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// content-api: finds images.
    Content,
    /// content-api, where campaigns are registered.
    Campaigns,
    /// sales-warehouse: answers about sales.
    Warehouse,
    /// The embedder: makes vectors of texts.
    Embedder,
}

impl Service {
    /// Its name in logs and in documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::Content | Self::Campaigns => "content-api",
            Self::Warehouse => "sales-warehouse",
            Self::Embedder => "embedder",
        }
    }

    /// What an assistant knows it as.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Content => "Content search",
            Self::Campaigns => "The campaign register",
            Self::Warehouse => "The sales warehouse",
            Self::Embedder => "The embedder",
        }
    }

    /// What the gateway's token must allow there.
    pub(crate) fn scope(self) -> Scope {
        match self {
            Self::Content | Self::Embedder => Scope::ContentRead,
            Self::Campaigns => Scope::CampaignsWrite,
            Self::Warehouse => Scope::SalesRead,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A service gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{service}: {fault}")]
pub(crate) struct UpstreamError {
    pub(crate) service: Service,
    #[source]
    pub(crate) fault: Fault,
}

impl UpstreamError {
    /// What it was asked took longer than `limit`.
    pub(crate) fn late(service: Service, limit: Duration) -> Self {
        let cause = format!("it took longer than {limit:?}");
        let fault = Fault::Unavailable {
            cause,
            retry_after: None,
        };
        Self { service, fault }
    }
}

/// Why it gave none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It refused the request, and says why: in words that may quote the request, so they stay out of
    /// the log.
    #[error("it refused with {} ({})", .0.status, .0.title)]
    Refused(Box<Problem>),
    /// It refused the gateway itself, or its word about the caller: 401 or 403. Its log says why.
    #[error("it refused the gateway's own token, or its word about the caller, with {0}")]
    GatewayRefused(StatusCode),
    /// The gateway has no token.
    #[error("the gateway has no token of its own: {0}")]
    NoToken(#[source] Box<TokenError>),
    /// It does not answer, or says that it cannot just now.
    #[error("it is unavailable: {cause}")]
    Unavailable {
        /// What happened, for the log.
        cause: String,
        /// Seconds after which to try again, where it said so.
        retry_after: Option<u32>,
    },
    /// It answered with something else than agreed.
    #[error("it answered with {0}")]
    Unexpected(String),
}

/// One service's HTTP interface, and the gateway's own tokens for it.
pub(crate) struct Upstream {
    service: Service,
    base: Url,
    client: reqwest::Client,
    peer: Peer,
    tokens: Arc<TokenSource>,
    /// For telling it who asks.
    word: Option<Word>,
    deadline: Duration,
}

impl Upstream {
    /// `deadline` holds for each call that names no other.
    pub(crate) fn new(
        service: Service,
        base: Url,
        client: reqwest::Client,
        metrics: HttpMetrics,
        tokens: Arc<TokenSource>,
        deadline: Duration,
    ) -> Self {
        Self {
            service,
            base,
            client,
            peer: Peer::new(service.name(), metrics),
            tokens,
            word: None,
            deadline,
        }
    }

    /// The same, which tells the service who asks.
    pub(crate) fn saying(mut self, word: Option<Word>) -> Self {
        self.word = word;
        self
    }

    /// A request to a path below the base.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        self.client.request(method, url).timeout(self.deadline)
    }

    /// `POST` of JSON, answered with JSON.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
        origin: &Origin,
    ) -> Result<T, UpstreamError> {
        let request = self.request(Method::POST, segments).json(body);
        self.json(request, origin).await
    }

    /// Sends, and reads JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        origin: &Origin,
    ) -> Result<T, UpstreamError> {
        let response = self.send(request, origin).await?;
        let body = self.read(response, MAX_ANSWER_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| {
            self.failed(Fault::Unexpected(format!(
                "another JSON than agreed: {error}"
            )))
        })
    }

    /// Sends with the gateway's token; once more with a new one if the service refuses the first,
    /// as it does after the issuer changed its keys.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        origin: &Origin,
    ) -> Result<Response, UpstreamError> {
        let mut again = request.try_clone();
        let mut request = request;
        loop {
            let token = self
                .tokens
                .token()
                .await
                .map_err(|error| self.failed(Fault::NoToken(Box::new(error))))?;
            let (client, built) = request.bearer_auth(token.expose_secret()).build_split();
            let mut built = built.map_err(|error| self.unreachable(error))?;
            origin.mark(&mut built, token.expose_secret(), self.word.as_ref());
            let sent = self
                .peer
                .send(RequestBuilder::from_parts(client, built))
                .await;
            let response = sent.map_err(|error| self.unreachable(error))?;
            if response.status() == StatusCode::UNAUTHORIZED {
                let refused = Err(self.failed(Fault::GatewayRefused(response.status())));
                // What it says of the caller is no fault of the token, which others use too.
                if self.doubts_caller(response).await {
                    return refused;
                }
                self.tokens.forget(&token);
                if let Some(second) = again.take() {
                    request = second;
                    continue;
                }
                return refused;
            }
            return self.accept(response).await;
        }
    }

    /// Whether a 401 is about the word that came with the token. Its reason is in the service's log.
    async fn doubts_caller(&self, refusal: Response) -> bool {
        let body = self
            .read(refusal, MAX_ANSWER_BYTES)
            .await
            .unwrap_or_default();
        serde_json::from_slice(&body)
            .is_ok_and(|problem: Problem| problem.slug() == "invalid-caller")
    }

    /// Lets successes through and reads what the others say.
    async fn accept(&self, response: Response) -> Result<Response, UpstreamError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(self.failed(Fault::GatewayRefused(status)));
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let cause = format!("it answered {status}");
            return Err(self.failed(Fault::Unavailable { cause, retry_after }));
        }
        let body = self.read(response, MAX_ANSWER_BYTES).await?;
        Err(self.failed(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Fault::Refused(Box::new(problem)),
            Err(_) => Fault::Unexpected(format!("{status} without a problem document")),
        }))
    }

    /// The body, of at most so many bytes.
    pub(crate) async fn read(
        &self,
        mut response: Response,
        most: usize,
    ) -> Result<Vec<u8>, UpstreamError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(error))?
        {
            if body.len() + chunk.len() > most {
                return Err(self.failed(Fault::Unexpected(format!("more than {most} bytes"))));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    pub(crate) fn failed(&self, fault: Fault) -> UpstreamError {
        UpstreamError {
            service: self.service,
            fault,
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> UpstreamError {
        let error = error.without_url();
        let cause = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        self.failed(Fault::Unavailable {
            cause,
            retry_after: None,
        })
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("service", &self.service)
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}
