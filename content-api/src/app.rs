//! Puts the parts together.

use std::{sync::Arc, time::Duration};

use auth::Verifier;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
};
use contracts::limits::MAX_JSON_BODY_BYTES;
use service_kit::{
    Clock,
    http::{Bounds, standard_layers},
    metrics::{HttpMetrics, Metrics},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Config, ConfigError,
    api::{self, AppState},
    cache::{AnswerCache, MemoryCache},
    campaigns::Campaigns,
    embedder_client::EmbedderClient,
    finder::Finder,
    housekeeping::Housekeeping,
    image_urls::ImageUrls,
    index_view::IndexView,
    lifecycle::{Intake, Lifecycle},
    metrics::{self, Answers},
    openapi,
    publisher::Publisher,
    renditions::Renditions,
    store::{ContentStore, Store},
};

/// Longest that one request may take. A search is given up earlier, so that its problem says why.
const DEADLINE: Duration = Duration::from_secs(10);

/// What the service works with; whoever puts a process together makes them.
pub struct Deps {
    /// Keeps the documents.
    pub store: Arc<dyn Store>,
    /// Writes and searches the indexes.
    pub embedder: EmbedderClient,
    /// Checks callers' tokens.
    pub verifier: Arc<Verifier>,
    /// Tells the time.
    pub clock: Clock,
}

/// The service: routes to serve and a publisher to run beside them.
pub struct Service {
    /// Every route, with all layers. Serve it on a listener.
    pub router: Router,
    /// What it measures, for an address of its own.
    pub metrics: Metrics,
    /// Run it until the process stops; wake it after writes to the store.
    pub publisher: Publisher,
    /// Run it until the process stops.
    pub housekeeping: Housekeeping,
}

impl Service {
    /// Builds the service. Nothing runs yet: the caller serves [`Service::router`] and spawns
    /// [`Publisher::run`].
    pub fn build(config: Config, deps: Deps) -> Result<Self, ConfigError> {
        let caches = config.caches;
        let cache = MemoryCache::new(caches.answers_bytes, caches.answers_lifetime);
        Self::with_cache(config, deps, Arc::new(cache))
    }

    /// The same with another cache for the answers of getContent.
    pub fn with_cache(
        config: Config,
        deps: Deps,
        cache: Arc<dyn AnswerCache>,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        let Deps {
            store,
            embedder,
            verifier,
            clock,
        } = deps;
        let (requests, answers) = (HttpMetrics::default(), Answers::default());
        let embedder = Arc::new(embedder.measured_by(&requests));
        let index = Arc::new(IndexView::default());
        let contents: Arc<dyn ContentStore> = Arc::clone(&store) as _;
        let publisher = Publisher::new(
            Arc::clone(&contents),
            Arc::clone(&embedder),
            Arc::clone(&index),
            config.publishing,
        );
        let renditions = Arc::new(Renditions::new(
            Arc::clone(&contents),
            config.caches.renditions_bytes,
            config.rendition_workers,
        ));
        let urls = ImageUrls::new(&config.public_url);
        let lifecycle = Lifecycle {
            store: Arc::clone(&store),
            publisher: publisher.clone(),
            renditions: Arc::clone(&renditions),
            intake: Intake::default(),
            clock: clock.clone(),
            answers_lifetime: config.caches.answers_lifetime,
        };
        let housekeeping = Housekeeping::new(Arc::clone(&store), clock.clone());
        let campaigns = Campaigns {
            store: Arc::clone(&store),
            clock: clock.clone(),
        };
        let metrics = metrics::all(publisher.clone(), Arc::clone(&cache), &answers, &requests);
        let state = AppState {
            verifier,
            finder: Arc::new(Finder {
                store: contents,
                embedder,
                cache,
                index,
                urls,
                clock,
                answers,
            }),
            lifecycle: Arc::new(lifecycle),
            campaigns: Arc::new(campaigns),
            renditions,
            store,
            publisher: publisher.clone(),
        };
        let bounds = Bounds {
            max_body_bytes: MAX_JSON_BODY_BYTES,
            deadline: config.upload_deadline,
        };
        Ok(Self {
            router: standard_layers(router(&config, state), bounds, &requests),
            metrics,
            publisher,
            housekeeping,
        })
    }
}

fn router(config: &Config, state: AppState) -> Router {
    let of = state.clone();
    let health = service_kit::health::router("content-api", env!("CARGO_PKG_VERSION"), move || {
        let state = of.clone();
        async move { api::health::lacking(&state).await }
    });
    let document = openapi::base(&config.token_url, &config.public_url);
    let quick = OpenApiRouter::with_openapi(document)
        .routes(routes!(api::get_content::get_content))
        .routes(routes!(api::contents::list))
        .routes(routes!(
            api::documents::get_document,
            api::changes_of_content::patch,
            api::changes_of_content::delete
        ))
        .routes(routes!(api::changes_of_content::approve))
        .routes(routes!(api::changes_of_content::retire))
        .routes(routes!(api::similar::similar))
        .routes(routes!(api::images::get_image))
        .routes(routes!(
            api::campaigns::list_campaigns,
            api::campaigns::register
        ))
        .routes(routes!(
            api::campaigns::get_campaign,
            api::campaigns::patch_campaign
        ))
        .routes(routes!(api::campaigns::get_log))
        .routes(routes!(api::changes::changes))
        .routes(routes!(api::erasures::ledger))
        .layer(middleware::from_fn(|request: Request, next: Next| {
            service_kit::http::within(DEADLINE, request, next)
        }));
    let uploads = OpenApiRouter::new()
        .routes(routes!(api::contents::create))
        .routes(routes!(api::contents::new_version))
        .layer(DefaultBodyLimit::max(api::upload::MAX_UPLOAD_BYTES));
    let (v1, document) = quick.merge(uploads).split_for_parts();
    v1.with_state(state)
        .route("/openapi.json", service_kit::openapi::route(&document))
        .merge(health)
}
