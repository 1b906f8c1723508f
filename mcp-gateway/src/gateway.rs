//! What the tools share.

use std::{fmt, sync::Arc, time::Duration};

use audit::Audit;
use auth::{AssertionSigner, TokenSource};
use contracts::Language;
use secrecy::SecretString;
use url::Url;

use crate::{
    campaign_client::CampaignClient,
    completions::Names,
    confirmation::Confirmations,
    content_client::ContentClient,
    embedder_client::EmbedderClient,
    metrics::GatewayMetrics,
    origin::{Origin, Word},
    routing::{self, Decision, Evidence, Witnesses},
    tools::ToolSet,
    upstream::{Service, Upstream},
    warehouse_client::WarehouseClient,
};

/// Where the gateway finds the systems that it speaks for.
#[derive(Debug, Clone)]
pub struct Config {
    /// content-api's base, such as `http://127.0.0.1:7410`; `/v1/...` is appended.
    pub content_api: Url,
    /// Where clients reach content-api: the base of image addresses.
    pub content_public_url: Url,
    /// sales-warehouse's base.
    pub sales_warehouse: Url,
    /// The embedder's base.
    pub embedder: Url,
    /// Seals confirmations, 32 bytes or more of it. Replicas need the same one; without any, each
    /// process takes only the confirmations that it gave out itself.
    pub confirmation_key: Option<SecretString>,
    /// Tells the services behind who asks; without it they know the gateway alone.
    pub callers: Option<TellingCallers>,
    /// Takes an event for each call of a tool.
    pub audit: Audit,
    /// How long a confirmation holds.
    pub confirmation_lifetime: Duration,
    /// Longest wait for an answer of content-api.
    pub search_deadline: Duration,
    /// Longest wait for all thumbnails of a reply; what is late is left out.
    pub thumbnails_deadline: Duration,
    /// Longest wait for an answer of the warehouse.
    pub warehouse_deadline: Duration,
    /// Longest wait for a routed answer, its thumbnails aside; what is there by then is shown.
    pub answer_deadline: Duration,
    /// Longest that a call of a tool may take; its parts have shorter deadlines of their own.
    pub tool_deadline: Duration,
    /// Longest wait for all the evidence that a question is routed by; what is late is left out.
    pub routing_deadline: Duration,
}

impl Config {
    /// 8 s for a search, 4 s for its thumbnails, 8 s for the warehouse, 3 s for the evidence of a route,
    /// 15 s for a routed answer, 10 minutes for a confirmation, 25 s for any call of a tool.
    pub fn new(content_api: Url, sales_warehouse: Url, embedder: Url) -> Self {
        Self {
            content_public_url: content_api.clone(),
            content_api,
            sales_warehouse,
            embedder,
            confirmation_key: None,
            callers: None,
            audit: Audit::off(),
            confirmation_lifetime: Duration::from_secs(600),
            search_deadline: Duration::from_secs(8),
            thumbnails_deadline: Duration::from_secs(4),
            warehouse_deadline: Duration::from_secs(8),
            answer_deadline: Duration::from_secs(15),
            tool_deadline: Duration::from_secs(25),
            routing_deadline: Duration::from_secs(3),
        }
    }
}

/// How the services behind are told who asks.
#[derive(Debug, Clone)]
pub struct TellingCallers {
    /// Signs, for the client that the gateway's tokens are issued to.
    pub signer: AssertionSigner,
    /// What content-api is called in its tokens' `aud`.
    pub content_audience: String,
    /// What sales-warehouse is called.
    pub sales_audience: String,
    /// What the embedder is called.
    pub embedder_audience: String,
}

impl TellingCallers {
    fn word(&self, service: Service, base: &Url) -> Word {
        let audience = match service {
            Service::Content | Service::Campaigns => &self.content_audience,
            Service::Warehouse => &self.sales_audience,
            Service::Embedder => &self.embedder_audience,
        };
        Word::new(self.signer.clone(), audience.clone(), base)
    }
}

/// The gateway's own tokens, one source for each authority.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// With `content:read`, for content-api.
    pub content: Arc<TokenSource>,
    /// With `campaigns:write`, for content-api.
    pub campaigns: Arc<TokenSource>,
    /// With `content:read`, for the embedder.
    pub embedder: Arc<TokenSource>,
    /// With `sales:read`, for sales-warehouse.
    pub sales: Arc<TokenSource>,
}

/// The tools and what they need. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    config: Config,
    content: ContentClient,
    warehouse: WarehouseClient,
    campaigns: CampaignClient,
    confirmations: Confirmations,
    names: Names,
    /// The same services under the shorter deadline that routing has.
    hearing: Hearing,
    tokens: Tokens,
    tools: ToolSet,
    metrics: GatewayMetrics,
}

struct Hearing {
    embedder: EmbedderClient,
    warehouse: WarehouseClient,
    content: ContentClient,
}

impl Gateway {
    /// Calls nothing yet. `client` carries the calls.
    pub fn new(config: Config, client: reqwest::Client, tokens: Tokens) -> Self {
        let metrics = GatewayMetrics::default();
        let upstream = |service: Service, deadline: Duration| {
            let (base, tokens) = match service {
                Service::Content => (&config.content_api, &tokens.content),
                Service::Campaigns => (&config.content_api, &tokens.campaigns),
                Service::Warehouse => (&config.sales_warehouse, &tokens.sales),
                Service::Embedder => (&config.embedder, &tokens.embedder),
            };
            Upstream::new(
                service,
                base.clone(),
                client.clone(),
                metrics.requests.clone(),
                Arc::clone(tokens),
                deadline,
            )
            .saying(
                config
                    .callers
                    .as_ref()
                    .map(|callers| callers.word(service, base)),
            )
        };
        let content = |deadline| {
            ContentClient::new(
                upstream(Service::Content, deadline),
                config.thumbnails_deadline,
            )
        };
        let soon = config.routing_deadline;
        let hearing = Hearing {
            embedder: EmbedderClient::new(upstream(Service::Embedder, soon)),
            warehouse: WarehouseClient::new(upstream(Service::Warehouse, soon)),
            content: content(soon),
        };
        Self(Arc::new(Inner {
            content: content(config.search_deadline),
            warehouse: WarehouseClient::new(upstream(
                Service::Warehouse,
                config.warehouse_deadline,
            )),
            campaigns: CampaignClient::new(
                upstream(Service::Content, config.search_deadline),
                upstream(Service::Campaigns, config.search_deadline),
            ),
            confirmations: Confirmations::new(
                config.confirmation_key.as_ref(),
                config.confirmation_lifetime,
            ),
            names: Names::new(),
            hearing,
            tokens,
            tools: ToolSet::new(),
            metrics,
            config,
        }))
    }

    /// Where a question goes. `language` is the question's, where it is known.
    pub async fn route(&self, text: &str, language: Option<Language>) -> Decision {
        self.route_for(text, language, &Origin::default()).await
    }

    /// What the services say about a question, within the deadline for it.
    pub async fn evidence(&self, text: &str, language: Option<Language>) -> Evidence {
        self.hear(text, language, &Origin::default()).await
    }

    /// [`Gateway::route`], on behalf of somebody.
    pub(crate) async fn route_for(
        &self,
        text: &str,
        language: Option<Language>,
        origin: &Origin,
    ) -> Decision {
        let evidence = self.hear(text, language, origin).await;
        routing::decide(text, &evidence)
    }

    async fn hear(&self, text: &str, language: Option<Language>, origin: &Origin) -> Evidence {
        let hearing = &self.0.hearing;
        let witnesses = Witnesses {
            embedder: &hearing.embedder,
            warehouse: &hearing.warehouse,
            content: &hearing.content,
            deadline: self.0.config.routing_deadline,
        };
        Box::pin(witnesses.hear(text, language, origin)).await
    }

    /// Whether the services behind are told who asks.
    pub fn tells_callers(&self) -> bool {
        self.0.config.callers.is_some()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn content(&self) -> &ContentClient {
        &self.0.content
    }

    pub(crate) fn warehouse(&self) -> &WarehouseClient {
        &self.0.warehouse
    }

    pub(crate) fn campaigns(&self) -> &CampaignClient {
        &self.0.campaigns
    }

    pub(crate) fn confirmations(&self) -> &Confirmations {
        &self.0.confirmations
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn metrics(&self) -> &GatewayMetrics {
        &self.0.metrics
    }

    pub(crate) fn tools(&self) -> &ToolSet {
        &self.0.tools
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}
