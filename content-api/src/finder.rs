//! getContent: from a description to images that fit.

use std::{collections::HashMap, sync::Arc, time::Instant};

use contracts::{
    ContentDocument, ContentHit, Filters, GetContentAnswer, GetContentRequest, ImageId, Language,
    LocalisedText,
    content::Status,
    lifecycle::SimilarRequest,
    limits::{MAX_QUERY_CHARS, MAX_RESULTS},
    search::{SearchAnswer, SearchHit, SearchMode, SearchRequest},
};
use service_kit::{Clock, ProblemResponse};

use crate::{
    cache::{AnswerCache, CacheKey},
    embedder_client::EmbedderClient,
    error::ApiError,
    image_urls::ImageUrls,
    index_view::IndexView,
    messages,
    metrics::Answers,
    store::{ContentStore, StoreError},
    validate::{self, Query},
};

/// Finds content. One for the whole service.
pub struct Finder {
    /// Has the documents.
    pub store: Arc<dyn ContentStore>,
    /// Does the searching.
    pub embedder: Arc<EmbedderClient>,
    /// Keeps answers.
    pub cache: Arc<dyn AnswerCache>,
    /// Versions of the indexes.
    pub index: Arc<IndexView>,
    /// Makes image URLs.
    pub urls: ImageUrls,
    /// Says which day it is.
    pub clock: Clock,
    /// Counts answers.
    pub answers: Answers,
}

impl Finder {
    /// Answers a request, from the cache where it can.
    pub async fn find(
        &self,
        request: GetContentRequest,
    ) -> Result<GetContentAnswer, ProblemResponse> {
        let started = Instant::now();
        let query = validate::validate(request, self.clock.now().date())?;
        // Read anew each time, so that a write by any service is seen at once.
        let contents_version = self.store.contents_version().await?;
        let key = CacheKey::new(contents_version, &self.index, &query);
        let served = self
            .cache
            .get_or_make(key, Box::pin(self.search(&query)))
            .await
            .map_err(|error| ProblemResponse::from(error.as_ref()))?;
        let mut answer = Arc::unwrap_or_clone(served.answer);
        answer.cached = served.cached;
        self.answers.count(served.cached);
        answer.took_ms = started.elapsed().as_secs_f64() * 1_000.0;
        Ok(answer)
    }

    /// Answers with what is like a document: what its own text finds, but for itself.
    pub async fn similar(
        &self,
        document: ContentDocument,
        request: SimilarRequest,
    ) -> Result<GetContentAnswer, ProblemResponse> {
        let language = request.language;
        let (own, text) = own_text(&document, language)
            .ok_or_else(|| ProblemResponse::internal(&"a document without any text"))?;
        let limit = validate::limit(request.limit)?;
        let mut answer = self
            .find(GetContentRequest {
                description: text,
                // Itself is one of them, mostly, and the most there are to ask for is a bound.
                limit: Some(i64::from((limit + 1).min(MAX_RESULTS))),
                language: Some(language.unwrap_or(own)),
                filters: request.filters,
                min_score: request.min_score,
            })
            .await?;
        answer.results.retain(|hit| hit.id != document.id);
        answer.results.truncate(limit as usize);
        answer.no_match = answer.results.is_empty();
        answer.message = messages::found(answer.results.len(), answer.language);
        Ok(answer)
    }

    async fn search(&self, query: &Query) -> Result<GetContentAnswer, ApiError> {
        let request = SearchRequest {
            text: query.text.clone(),
            language: query.language,
            limit: query.limit,
            filters: query.filters.clone(),
            status: None,
            mode: SearchMode::Fused,
            engine: None,
            min_score: query.min_score,
        };
        let found = self.embedder.search(&request).await?;
        self.index.observe(found.generation, Some(&found.model));
        let ids: Vec<ImageId> = found.hits.iter().map(|hit| hit.id.clone()).collect();
        Ok(self.answer(query, found, self.documents(&ids).await?))
    }

    /// A hit that cannot be read is no reason to fail the search, even if it is the only one.
    async fn documents(&self, ids: &[ImageId]) -> Result<Vec<ContentDocument>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        match self.store.get(ids).await {
            Err(StoreError::Damaged { id, .. }) => {
                tracing::error!(%id, "a stored document cannot be read and is left out");
                Ok(Vec::new())
            }
            answer => answer,
        }
    }

    fn answer(
        &self,
        query: &Query,
        found: SearchAnswer,
        documents: Vec<ContentDocument>,
    ) -> GetContentAnswer {
        let language = query.language.unwrap_or(found.language);
        let mut documents: HashMap<ImageId, ContentDocument> = documents
            .into_iter()
            .map(|document| (document.id.clone(), document))
            .collect();
        let results: Vec<ContentHit> = found
            .hits
            .into_iter()
            .filter_map(|hit| {
                let document = documents.remove(&hit.id)?;
                // The store knows better than an index that a change is still on its way to.
                may_be_used(&document, &query.filters).then_some((hit, document))
            })
            .filter_map(|(hit, document)| self.hit(hit, document, language))
            .collect();
        GetContentAnswer {
            no_match: results.is_empty(),
            message: messages::found(results.len(), language),
            results,
            language,
            engine: found.engine,
            model: found.model,
            cached: false,
            took_ms: 0.0,
        }
    }

    fn hit(
        &self,
        hit: SearchHit,
        document: ContentDocument,
        language: Language,
    ) -> Option<ContentHit> {
        let image_url = self.urls.original(&document.id, &document.image);
        let renditions = self.urls.renditions(&document.id, &document.image);
        let LocalisedText {
            title,
            description,
            alt,
            hashtags,
        } = text_in(document.text, language)?;
        Some(ContentHit {
            id: hit.id,
            score: hit.score,
            reason: hit.reason,
            title,
            description,
            alt,
            hashtags,
            channels: document.channels,
            image_url,
            image: document.image,
            renditions,
            rights: document.rights,
        })
    }
}

/// What a document says of itself, in that language or in the first that it has one in, as far as
/// a search takes it.
fn own_text(document: &ContentDocument, wanted: Option<Language>) -> Option<(Language, String)> {
    let text = |language| Some((language, document.text.get(&language)?));
    let (language, text) = wanted
        .and_then(text)
        .or_else(|| Language::ALL.into_iter().find_map(text))?;
    let whole = format!("{}. {}", text.title, text.description);
    Some((language, whole.chars().take(MAX_QUERY_CHARS).collect()))
}

/// In that language, or in the other one where it is missing.
fn text_in(
    mut text: std::collections::BTreeMap<Language, LocalisedText>,
    language: Language,
) -> Option<LocalisedText> {
    text.remove(&language)
        .or_else(|| text.pop_first().map(|(_, text)| text))
}

/// Approved, and with rights for the day and territory that the filters name.
fn may_be_used(document: &ContentDocument, filters: &Filters) -> bool {
    let rights = &document.rights;
    // ISO 8601 days compare as texts.
    let on_day = filters.usable_on.as_ref().is_none_or(|day| {
        rights.from <= *day && rights.until.as_ref().is_none_or(|until| day <= until)
    });
    let in_territory = filters.territory.as_ref().is_none_or(|territory| {
        rights
            .territories
            .iter()
            .any(|allowed| allowed == "*" || allowed == territory)
    });
    document.status == Status::Approved && on_day && in_territory
}
