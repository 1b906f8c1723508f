//! Puts the parts together.

use std::{sync::Arc, time::Duration};

use auth::Verifier;
use axum::Router;
use contracts::limits::MAX_JSON_BODY_BYTES;
use service_kit::{
    Clock,
    http::{Bounds, standard_layers},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Config, ConfigError,
    api::{self, AppState},
    cache::{AnswerCache, MemoryCache},
    embedder_client::EmbedderClient,
    finder::Finder,
    image_urls::ImageUrls,
    index_view::IndexView,
    openapi,
    publisher::Publisher,
    renditions::Renditions,
    store::ContentStore,
};

/// Longest that one request may take. A search is given up earlier, so that its problem says why.
const DEADLINE: Duration = Duration::from_secs(10);

/// What the service works with; whoever puts a process together makes them.
pub struct Deps {
    /// Keeps the documents.
    pub store: Arc<dyn ContentStore>,
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
    /// Run it until the process stops; wake it after writes to the store.
    pub publisher: Publisher,
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
        let (embedder, index) = (Arc::new(embedder), Arc::new(IndexView::default()));
        let publisher = Publisher::new(
            Arc::clone(&store),
            Arc::clone(&embedder),
            Arc::clone(&index),
            config.publishing,
        );
        let renditions = Renditions::new(
            Arc::clone(&store),
            config.caches.renditions_bytes,
            config.rendition_workers,
        );
        let urls = ImageUrls::new(&config.public_url);
        let state = AppState {
            verifier,
            finder: Arc::new(Finder {
                store: Arc::clone(&store),
                embedder,
                cache,
                index,
                urls,
                clock,
            }),
            renditions: Arc::new(renditions),
            store,
            publisher: publisher.clone(),
        };
        let bounds = Bounds {
            max_body_bytes: MAX_JSON_BODY_BYTES,
            deadline: DEADLINE,
        };
        Ok(Self {
            router: standard_layers(router(&config, state), bounds),
            publisher,
        })
    }
}

fn router(config: &Config, state: AppState) -> Router {
    let (store, publisher) = (Arc::clone(&state.store), state.publisher.clone());
    let health = service_kit::health::router("content-api", env!("CARGO_PKG_VERSION"), move || {
        let (store, publisher) = (Arc::clone(&store), publisher.clone());
        async move { api::health::missing(store.as_ref(), &publisher).await }
    });
    let document = openapi::base(&config.token_url, &config.public_url);
    let (v1, document) = OpenApiRouter::with_openapi(document)
        .routes(routes!(api::get_content::get_content))
        .routes(routes!(api::documents::get_document))
        .routes(routes!(api::images::get_image))
        .split_for_parts();
    v1.with_state(state)
        .route("/openapi.json", service_kit::openapi::route(&document))
        .merge(health)
}
