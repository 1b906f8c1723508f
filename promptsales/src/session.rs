//! A system for a command to talk to: the running one, or one of its own for as long as it needs.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use auth::TokenSource;
use contracts::{
    GetContentAnswer, GetContentRequest, Problem, Scope,
    index::IndexStatusAnswer,
    search::{SearchAnswer, SearchRequest},
};
use mcp_gateway::Gateway;
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use service_kit::{Clock, health::Readiness, http_client};
use url::Url;

use crate::{
    cli::Global,
    embedded::{
        API_AUDIENCE, CLI_CLIENT, Embedded, GATEWAY_CLIENT, SalesStart, Settings, credentials,
    },
    home::{Endpoints, Home},
    output::Progress,
};

/// How long a system that is being started by someone else is waited for.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A connection to a system, with the right to use it.
pub struct Session {
    home: Home,
    endpoints: Endpoints,
    http: reqwest::Client,
    tokens: TokenSource,
    own: Option<Embedded>,
}

impl Session {
    /// Uses the system that runs in this home, else starts one that [`Self::close`] stops.
    ///
    /// `publish` lets other commands use that system too: for a command that stays.
    pub async fn open(
        global: &Global,
        progress: &Progress,
        publish: bool,
        sales: SalesStart,
    ) -> anyhow::Result<Self> {
        let home = Home::resolve(global.data_dir.clone())?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut waited = false;
        loop {
            match home.try_lock()? {
                Ok(lock) => {
                    let settings = Settings {
                        home: home.clone(),
                        cache_dir: global.cache_dir.clone(),
                        port_base: None,
                        publish,
                        sales,
                    };
                    let own = Embedded::start(settings, lock, progress).await?;
                    return Self::connect(home, own.endpoints().clone(), Some(own));
                }
                Err(holder) => {
                    if let Some(endpoints) = home.endpoints()? {
                        return Self::connect(home, endpoints, None);
                    }
                    if tokio::time::Instant::now() > deadline {
                        bail!(
                            "process {holder} uses {} but serves nothing",
                            home.path().display()
                        );
                    }
                    if !std::mem::replace(&mut waited, true) {
                        progress.note(&format!("waiting for process {holder}, which is starting"));
                    }
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    /// Talks to a system at these endpoints, as the command line's client.
    pub fn connect(
        home: Home,
        endpoints: Endpoints,
        own: Option<Embedded>,
    ) -> anyhow::Result<Self> {
        let http = http_client::build(Duration::from_secs(30))?;
        let scopes = [Scope::ContentRead].into_iter().collect();
        let credentials =
            credentials(&home, &endpoints.identity, CLI_CLIENT, scopes, API_AUDIENCE)?;
        let tokens = TokenSource::new(credentials, http.clone(), Clock::system());
        Ok(Self {
            home,
            endpoints,
            http,
            tokens,
            own,
        })
    }

    /// Whether the system is this session's own.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// The home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Where the system listens.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The HTTP client.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A token for the API with `content:read`.
    pub async fn token(&self) -> anyhow::Result<String> {
        Ok(self.tokens.token().await?.expose_secret().to_owned())
    }

    /// Tokens of another client or for another resource.
    pub fn tokens_for(
        &self,
        client: &str,
        scopes: &[Scope],
        resource: &str,
    ) -> anyhow::Result<Arc<TokenSource>> {
        let scopes = scopes.iter().copied().collect();
        let credentials = credentials(
            &self.home,
            &self.endpoints.identity,
            client,
            scopes,
            resource,
        )?;
        Ok(Arc::new(TokenSource::new(
            credentials,
            self.http.clone(),
            Clock::system(),
        )))
    }

    /// The MCP gateway in this process, over the system's services.
    pub fn gateway(&self) -> anyhow::Result<Gateway> {
        let tokens = |scope: Scope| self.tokens_for(GATEWAY_CLIENT, &[scope], API_AUDIENCE);
        let content = tokens(Scope::ContentRead)?;
        let config = mcp_gateway::Config::new(
            self.endpoints.content_api.clone(),
            self.endpoints.sales_warehouse.clone(),
            self.endpoints.embedder.clone(),
        );
        let tokens = mcp_gateway::Tokens {
            embedder: Arc::clone(&content),
            campaigns: tokens(Scope::CampaignsWrite)?,
            content,
            sales: tokens(Scope::SalesRead)?,
        };
        Ok(Gateway::new(config, self.http.clone(), tokens))
    }

    /// `POST /v1/getContent`; the outer error means that nothing came back.
    pub async fn get_content(
        &self,
        request: &GetContentRequest,
    ) -> anyhow::Result<Result<GetContentAnswer, Problem>> {
        self.post(&self.endpoints.content_api, "/v1/getContent", request)
            .await
    }

    /// The embedder's `POST /v1/search`.
    pub async fn search(
        &self,
        request: &SearchRequest,
    ) -> anyhow::Result<Result<SearchAnswer, Problem>> {
        self.post(&self.endpoints.embedder, "/v1/search", request)
            .await
    }

    /// The warehouse's `POST /v1/questions`, with tokens for `sales:read`.
    pub async fn ask(
        &self,
        tokens: &TokenSource,
        request: &Value,
    ) -> anyhow::Result<Result<Value, Problem>> {
        let url = self.endpoints.sales_warehouse.join("/v1/questions")?;
        self.send(tokens, self.http.post(url).json(request)).await
    }

    /// The embedder's `GET /v1/index/status`.
    pub async fn index_status(&self) -> anyhow::Result<Result<IndexStatusAnswer, Problem>> {
        let url = self.endpoints.embedder.join("/v1/index/status")?;
        self.send(&self.tokens, self.http.get(url)).await
    }

    /// A service's `/readyz`; `None` when it does not answer.
    pub async fn readiness(&self, service: &Url) -> anyhow::Result<Option<Readiness>> {
        let Ok(answer) = self.http.get(service.join("/readyz")?).send().await else {
            return Ok(None);
        };
        Ok(answer.json().await.ok())
    }

    /// Waits until searches find what was written, where the system is this session's own and about to
    /// be stopped. One that stays sees to it by itself.
    pub async fn settle(&self, progress: &Progress) -> anyhow::Result<()> {
        match &self.own {
            Some(own) => own.settle(progress).await,
            None => Ok(()),
        }
    }

    /// Stops the system if it was this session's own.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.own {
            Some(own) => own.stop().await,
            None => Ok(()),
        }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        service: &Url,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<Result<T, Problem>> {
        let request = self.http.post(service.join(path)?).json(body);
        self.send(&self.tokens, request).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        tokens: &TokenSource,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<Result<T, Problem>> {
        let token = tokens.token().await?;
        let answer = request
            .bearer_auth(token.expose_secret())
            .send()
            .await
            .with_context(|| {
                format!(
                    "the system of {} does not answer; is `promptsales up` still running?",
                    self.home.path().display()
                )
            })?;
        let ok = answer.status().is_success();
        let body = answer.bytes().await?;
        if ok {
            return Ok(Ok(serde_json::from_slice(&body)?));
        }
        let problem = serde_json::from_slice(&body)
            .with_context(|| format!("an unreadable error: {}", String::from_utf8_lossy(&body)))?;
        Ok(Err(problem))
    }
}
