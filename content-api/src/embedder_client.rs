//! The embedder, as this service calls it: over HTTP, as itself.

use std::{borrow::Cow, time::Duration};

use auth::{ClientCredentials, TokenError, TokenSource};
use contracts::{
    ImageId, Problem, Scope,
    index::{
        DeleteDocuments, DeleteDocumentsAnswer, Deletion, HeldDocument, HeldDocumentsAnswer,
        IndexDocument, IndexGenerationAnswer, IndexStatusAnswer, PutDocuments, PutDocumentsAnswer,
        ReconcileAnswer,
    },
    search::{SearchAnswer, SearchRequest},
};
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use service_kit::{Clock, metrics::HttpMetrics, outbound::Peer, with_causes};
use url::Url;

/// Who is called.
const PEER: &str = "embedder";
/// People wait for a search.
const SEARCH_DEADLINE: Duration = Duration::from_secs(5);
/// Nobody waits for a push, and a batch of documents takes a while to embed.
const INDEX_DEADLINE: Duration = Duration::from_secs(60);

/// Calls the embedder. Share it in an `Arc`.
#[derive(Debug)]
pub struct EmbedderClient {
    base: String,
    http: reqwest::Client,
    peer: Peer,
    reading: TokenSource,
    writing: TokenSource,
    search_deadline: Duration,
}

/// Why the embedder gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum EmbedderError {
    /// There is no token to call it with.
    #[error("no token for the embedder: {}", with_causes(.0))]
    Token(#[from] TokenError),
    /// It was not reached, or not in time.
    #[error("the embedder was not reached: {}", with_causes(.0))]
    Unreachable(#[source] reqwest::Error),
    /// It answered something else than was agreed.
    #[error("the embedder's answer was not understood: {}", with_causes(.0))]
    Malformed(#[source] reqwest::Error),
    /// It refused, or failed.
    #[error("the embedder answered {status}: {detail}")]
    Refused {
        /// Of its answer.
        status: StatusCode,
        /// What it said.
        detail: String,
    },
}

impl EmbedderError {
    /// Does the fault lie in what was sent, so that sending it again will not help?
    pub fn blames_request(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if matches!(
            *status,
            StatusCode::BAD_REQUEST
                | StatusCode::UNPROCESSABLE_ENTITY
                | StatusCode::PAYLOAD_TOO_LARGE
        ))
    }
}

impl EmbedderClient {
    /// Calls the embedder at `base` with tokens for `credentials`; its scopes are replaced by
    /// `content:read` for reading and `index:write` for writing, never both in one token.
    pub fn new(
        base: &Url,
        http: reqwest::Client,
        credentials: ClientCredentials,
        clock: &Clock,
    ) -> Self {
        let tokens = |scope: Scope| {
            let scopes = [scope].into_iter().collect();
            let credentials = ClientCredentials {
                scopes,
                ..credentials.clone()
            };
            TokenSource::new(credentials, http.clone(), clock.clone())
        };
        Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
            reading: tokens(Scope::ContentRead),
            writing: tokens(Scope::IndexWrite),
            http,
            peer: Peer::new(PEER, HttpMetrics::default()),
            search_deadline: SEARCH_DEADLINE,
        }
    }

    /// Gives a search, and a question for the status, another deadline than five seconds.
    #[must_use]
    pub fn with_search_deadline(self, search_deadline: Duration) -> Self {
        Self {
            search_deadline,
            ..self
        }
    }

    /// The same; its calls are counted among these.
    #[must_use]
    pub fn measured_by(self, metrics: &HttpMetrics) -> Self {
        Self {
            peer: Peer::new(PEER, metrics.clone()),
            ..self
        }
    }

    /// `POST /v1/search`.
    pub async fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, EmbedderError> {
        let deadline = self.search_deadline;
        let call = Call {
            method: Method::POST,
            path: "/v1/search".into(),
            deadline,
        };
        self.call(&self.reading, call, Some(request)).await
    }

    /// `PUT /v1/documents`.
    pub async fn put(
        &self,
        documents: Vec<IndexDocument>,
    ) -> Result<PutDocumentsAnswer, EmbedderError> {
        let call = Call {
            method: Method::PUT,
            path: "/v1/documents".into(),
            deadline: INDEX_DEADLINE,
        };
        self.call(&self.writing, call, Some(&PutDocuments { documents }))
            .await
    }

    /// `DELETE /v1/documents`.
    pub async fn delete(
        &self,
        documents: Vec<Deletion>,
    ) -> Result<DeleteDocumentsAnswer, EmbedderError> {
        let call = Call {
            method: Method::DELETE,
            path: "/v1/documents".into(),
            deadline: INDEX_DEADLINE,
        };
        self.call(&self.writing, call, Some(&DeleteDocuments { documents }))
            .await
    }

    /// `GET /v1/index/status`.
    pub async fn status(&self) -> Result<IndexStatusAnswer, EmbedderError> {
        let deadline = self.search_deadline;
        let call = Call {
            method: Method::GET,
            path: "/v1/index/status".into(),
            deadline,
        };
        self.call(&self.reading, call, None::<&()>).await
    }

    /// `GET /v1/index/generation`.
    pub async fn generation(&self) -> Result<IndexGenerationAnswer, EmbedderError> {
        let deadline = self.search_deadline;
        let call = Call {
            method: Method::GET,
            path: "/v1/index/generation".into(),
            deadline,
        };
        self.call(&self.reading, call, None::<&()>).await
    }

    /// `GET /v1/index/documents`: up to `limit` with ids after `after`, none after the last one.
    pub async fn held(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<HeldDocument>, EmbedderError> {
        let after = after.map_or_else(String::new, |id| format!("&after={id}"));
        let call = Call {
            method: Method::GET,
            path: format!("/v1/index/documents?limit={limit}{after}").into(),
            deadline: INDEX_DEADLINE,
        };
        let answer: HeldDocumentsAnswer = self.call(&self.reading, call, None::<&()>).await?;
        Ok(answer.documents)
    }

    /// `POST /v1/index/reconcile`.
    pub async fn reconcile(&self) -> Result<ReconcileAnswer, EmbedderError> {
        let call = Call {
            method: Method::POST,
            path: "/v1/index/reconcile".into(),
            deadline: INDEX_DEADLINE,
        };
        self.call(&self.writing, call, None::<&()>).await
    }

    async fn call<B: Serialize + Sync, A: DeserializeOwned>(
        &self,
        tokens: &TokenSource,
        call: Call,
        body: Option<&B>,
    ) -> Result<A, EmbedderError> {
        let mut token = tokens.token().await?;
        let mut renewed = false;
        loop {
            let url = format!("{}{}", self.base, call.path);
            let mut request = self
                .http
                .request(call.method.clone(), url)
                .timeout(call.deadline)
                .bearer_auth(token.expose_secret());
            if let Some(body) = body {
                request = request.json(body);
            }
            let sent = self.peer.send(request).await;
            let response = sent.map_err(EmbedderError::Unreachable)?;
            let status = response.status();
            if status.is_success() {
                return response.json().await.map_err(EmbedderError::Malformed);
            }
            // The issuer may have changed its keys since: one more try with a new token.
            if status == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                tokens.forget(&token);
                token = tokens.token().await?;
                continue;
            }
            return Err(refusal(status, response).await);
        }
    }
}

struct Call {
    method: Method,
    path: Cow<'static, str>,
    deadline: Duration,
}

async fn refusal(status: StatusCode, response: reqwest::Response) -> EmbedderError {
    let detail = match response.json::<Problem>().await {
        Ok(problem) => format!("{} ({})", problem.detail, problem.slug()),
        Err(_) => "no problem document".to_owned(),
    };
    EmbedderError::Refused { status, detail }
}
