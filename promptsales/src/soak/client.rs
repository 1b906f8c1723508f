//! The HTTP API as a client uses it, with a judgement of each answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use auth::TokenSource;
use contracts::{ContentDocument, ImageId, Problem, Scope, lifecycle::ContentPage};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use service_kit::{Clock, http_client};
use url::Url;

use super::{
    ledger::{Facts, Ledger},
    outages::{Need, Outages},
    system::System,
    tally::Tally,
};
use crate::embedded::{API_AUDIENCE, CLI_CLIENT, credentials};

/// Longer than any deadline of the API's.
const DEADLINE: Duration = Duration::from_secs(70);
/// Between tries of a request that failed.
const PAUSE: Duration = Duration::from_millis(150);
/// What documents need.
pub const STORE: &[Need] = &[Need::ContentApi, Need::Postgres];
/// What searches need.
pub const SEARCH: &[Need] = &[Need::ContentApi, Need::Embedder, Need::Postgres];

/// Asks, and notes what came of it. Clones share everything.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    tokens: Arc<TokenSource>,
    base: Url,
    outages: Arc<Outages>,
    pub ledger: Arc<Ledger>,
    pub tally: Arc<Tally>,
}

/// An answer that says something about what was asked: no 5xx.
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
    /// From sending to having it all.
    pub during: (Instant, Instant),
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        let shown = || format!("{}: {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).with_context(shown)
    }
}

impl Client {
    pub fn of(system: &System) -> anyhow::Result<Self> {
        let http = http_client::build(DEADLINE)?;
        let scopes = [
            Scope::ContentRead,
            Scope::ContentWrite,
            Scope::ContentApprove,
        ];
        let credentials = credentials(
            &system.home,
            &system.endpoints.identity,
            CLI_CLIENT,
            scopes.into_iter().collect(),
            API_AUDIENCE,
        )?;
        Ok(Self {
            tokens: Arc::new(TokenSource::new(credentials, http.clone(), Clock::system())),
            http,
            base: system.endpoints.content_api.clone(),
            outages: Arc::clone(&system.outages),
            ledger: Arc::default(),
            tally: Arc::default(),
        })
    }

    /// The same against another address.
    pub fn at(&self, base: Url) -> Self {
        Self {
            base,
            ..self.clone()
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        url.set_path(path);
        url.set_query((!query.is_empty()).then_some(query));
        self.http.request(method, url)
    }

    /// Sends once. `None`: it failed, and that was counted.
    pub async fn once(
        &self,
        what: &'static str,
        needs: &[Need],
        request: RequestBuilder,
    ) -> Option<Answer> {
        let from = Instant::now();
        let failure = match self.send(request).await {
            Ok((status, body)) if !status.is_server_error() => {
                self.tally.answered(what);
                let during = (from, Instant::now());
                return Some(Answer {
                    status,
                    body,
                    during,
                });
            }
            Ok((status, body)) => {
                let problem = serde_json::from_slice::<Problem>(&body);
                let detail = problem.map(|problem| problem.detail).unwrap_or_default();
                // A 500 is a fault of the service's, whatever was down.
                if status == StatusCode::INTERNAL_SERVER_ERROR {
                    self.tally.error(format!("{what}: {status} {detail}"));
                    return None;
                }
                format!("{what}: {status} {detail}")
            }
            Err(error) => format!("{what}: {error:#}"),
        };
        if self.outages.touched(needs, from, Instant::now()) {
            self.tally.refused();
        } else {
            self.tally.error(failure);
        }
        None
    }

    /// Sends until there is an answer.
    ///
    /// # Errors
    /// When there is none within `patience`.
    pub async fn until_answered(
        &self,
        what: &'static str,
        patience: Duration,
        request: impl Fn() -> RequestBuilder,
    ) -> anyhow::Result<Answer> {
        let trying = async {
            loop {
                if let Some(answer) = self.once(what, STORE, request()).await {
                    return answer;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let answer = tokio::time::timeout(patience, trying).await;
        answer.with_context(|| format!("{what} got no answer within {patience:?}"))
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<(StatusCode, Vec<u8>)> {
        let token = self.tokens.token().await?;
        let answer = request.bearer_auth(token.expose_secret()).send().await?;
        let status = answer.status();
        Ok((status, answer.bytes().await?.to_vec()))
    }

    /// One document, held against what must be true.
    pub async fn look(&self, id: &ImageId) -> Option<()> {
        let request = self.request(Method::GET, &format!("/v1/content/{id}"));
        let answer = self.once("get", STORE, request).await?;
        let shown = if answer.status == StatusCode::NOT_FOUND {
            None
        } else {
            match answer.json::<ContentDocument>() {
                Ok(document) => Some(Facts::of(&document)),
                Err(error) => {
                    self.tally.wrong(format!("{id}: {error:#}"));
                    return Some(());
                }
            }
        };
        let wrong = self.ledger.wrong_look(id, shown.as_ref(), answer.during);
        wrong.into_iter().for_each(|wrong| self.tally.wrong(wrong));
        Some(())
    }

    /// Every document, page by page, with the time from the first request to the last answer.
    pub async fn list(&self) -> Option<(Vec<ContentDocument>, (Instant, Instant))> {
        let from = Instant::now();
        let (mut documents, mut path) = (Vec::new(), "/v1/content?limit=100".to_owned());
        loop {
            let request = self.request(Method::GET, &path);
            let answer = self.once("list", STORE, request).await?;
            let page: ContentPage = match answer.json() {
                Ok(page) => page,
                Err(error) => {
                    self.tally.wrong(format!("list: {error:#}"));
                    return None;
                }
            };
            documents.extend(page.documents);
            match page.next {
                Some(next) => path = format!("/v1/content?limit=100&cursor={next}"),
                None => return Some((documents, (from, Instant::now()))),
            }
        }
    }
}
