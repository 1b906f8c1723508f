//! The pages of the feed, over HTTP, as ourselves.

use std::{sync::Arc, time::Duration};

use auth::{ClientCredentials, TokenError, TokenSource};
use contracts::{Problem, Scope, changes::ChangesAnswer};
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value;
use service_kit::{Clock, metrics::HttpMetrics, outbound::Peer};
use time::OffsetDateTime;
use url::Url;

use crate::source::{SourceError, System};

const SYSTEM: System = System::PromptContent;
/// Who is called.
const PEER: &str = "content-api";
/// Longest that a page may take.
const PAGE_DEADLINE: Duration = Duration::from_secs(20);
/// Changes on a page.
const PAGE: u32 = 200;
/// Largest page: a document with all that it may hold is far below a hundredth of it.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;
/// Longest part of a refusal that is repeated, in characters.
const MAX_DETAIL: usize = 300;

/// Where the feed is, and as whom it is read.
#[derive(Clone, Debug)]
pub struct ChangeFeed {
    base: String,
    http: reqwest::Client,
    peer: Peer,
    tokens: Arc<TokenSource>,
    clock: Clock,
    deadline: Duration,
}

/// A page, as far as its things are not looked at.
#[derive(Deserialize)]
struct Page {
    changes: Vec<Value>,
    next: String,
}

impl ChangeFeed {
    /// The feed of the content API at `base`, read with tokens for `credentials`, whose scopes are replaced by
    /// `content:read`. Cheap to clone; clones share their token.
    pub fn new(
        base: &Url,
        http: reqwest::Client,
        credentials: ClientCredentials,
        clock: Clock,
    ) -> Self {
        let credentials = ClientCredentials {
            scopes: [Scope::ContentRead].into_iter().collect(),
            ..credentials
        };
        Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
            tokens: Arc::new(TokenSource::new(credentials, http.clone(), clock.clone())),
            http,
            peer: Peer::new(PEER, HttpMetrics::default()),
            clock,
            deadline: PAGE_DEADLINE,
        }
    }

    /// The same with another deadline for each page than 20 seconds.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The same; its calls are counted among these.
    #[must_use]
    pub fn measured_by(self, metrics: &HttpMetrics) -> Self {
        Self {
            peer: Peer::new(PEER, metrics.clone()),
            ..self
        }
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Everything after a position, page by page, up to the first empty one.
    pub(super) fn pages(&self, after: i64) -> Pages<'_> {
        Pages {
            feed: self,
            cursor: ChangesAnswer::cursor_after(after),
            asked_at: self.now(),
        }
    }

    async fn page(&self, cursor: &str) -> Result<Page, SourceError> {
        let mut token = self.tokens.token().await.map_err(no_token)?;
        let mut renewed = false;
        loop {
            let request = self
                .http
                .get(format!("{}/v1/changes", self.base))
                .query(&[("after", cursor), ("limit", &PAGE.to_string())])
                .timeout(self.deadline)
                .bearer_auth(token.expose_secret());
            let sent = self.peer.send(request).await;
            let response = sent.map_err(|error| self.broken(error))?;
            match response.status() {
                StatusCode::OK => return self.read(response).await,
                // The issuer may have changed its keys since: one more try with a new token.
                StatusCode::UNAUTHORIZED if !renewed => {
                    renewed = true;
                    self.tokens.forget(&token);
                    token = self.tokens.token().await.map_err(no_token)?;
                }
                StatusCode::NOT_FOUND => {
                    return Err(SourceError::Drifted {
                        system: SYSTEM,
                        faults: vec!["GET /v1/changes is gone".to_owned()],
                    });
                }
                status => {
                    let body = self.bytes(response).await.unwrap_or_default();
                    let detail = match serde_json::from_slice::<Problem>(&body) {
                        Ok(problem) => problem.detail.chars().take(MAX_DETAIL).collect(),
                        Err(_) => "no problem document".to_owned(),
                    };
                    return Err(SourceError::Refused {
                        system: SYSTEM,
                        action: "reading its change feed".to_owned(),
                        detail: format!("{status}, {detail}"),
                    });
                }
            }
        }
    }

    async fn read(&self, response: reqwest::Response) -> Result<Page, SourceError> {
        let body = self.bytes(response).await?;
        serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))
    }

    async fn bytes(&self, mut response: reqwest::Response) -> Result<Vec<u8>, SourceError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > MAX_PAGE_BYTES {
                let most = MAX_PAGE_BYTES / 1024 / 1024;
                return Err(malformed(format!("it has more than {most} MiB")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn broken(&self, error: reqwest::Error) -> SourceError {
        let action = "reading its change feed".to_owned();
        // The URL says nothing that the system's name does not, and could hold a password.
        let error = error.without_url();
        if error.is_connect() {
            SourceError::Unreachable {
                system: SYSTEM,
                source: error.into(),
            }
        } else if error.is_timeout() {
            SourceError::Stalled {
                system: SYSTEM,
                action,
                seconds: self.deadline.as_secs(),
            }
        } else {
            SourceError::Read {
                system: SYSTEM,
                action,
                source: error.into(),
            }
        }
    }
}

/// A reading of the feed.
pub(super) struct Pages<'a> {
    feed: &'a ChangeFeed,
    cursor: String,
    asked_at: OffsetDateTime,
}

impl Pages<'_> {
    /// The next page; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, SourceError> {
        self.asked_at = self.feed.now();
        let page = self.feed.page(&self.cursor).await?;
        if page.changes.is_empty() {
            return Ok(None);
        }
        if page.next == self.cursor {
            return Err(malformed("its pages do not go on".to_owned()));
        }
        self.cursor = page.next;
        Ok(Some(page.changes))
    }

    /// When the page before was asked for: what was written by then is in it or in those before it.
    pub fn asked_at(&self) -> OffsetDateTime {
        self.asked_at
    }
}

pub(super) fn malformed(detail: String) -> SourceError {
    SourceError::Malformed {
        system: SYSTEM,
        detail,
    }
}

fn no_token(error: TokenError) -> SourceError {
    match error {
        TokenError::Unreachable { .. } => SourceError::Unreachable {
            system: SYSTEM,
            source: error.into(),
        },
        refused => SourceError::Refused {
            system: SYSTEM,
            action: "asking for a token".to_owned(),
            detail: refused.to_string(),
        },
    }
}
