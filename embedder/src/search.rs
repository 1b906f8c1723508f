//! A query's way: analyse, embed, retrieve with failover, score, cut at the floor.

pub mod breaker;
pub mod failover;
pub mod fusion;

use std::{cmp::Ordering, sync::Arc, time::Instant};

use contracts::{
    ImageId, Language, Reason, SearchMode,
    content::Status,
    search::{SearchAnswer, SearchHit, SearchRequest},
};

use self::{failover::Failover, fusion::Evidence};
use crate::{
    index::{Candidate, IndexError, IndexQuery, PerLanguage},
    lexical::{Analyzer, SparseVector, Term, bm25, language},
    model::{EmbedError, Embedder},
    state::Shared,
};

pub use fusion::Fusion;

/// Fewest candidates per list: the right document may stand lower in one list than in the fusion.
const MIN_DEPTH: usize = 30;

/// Answers search requests.
pub struct Searcher {
    embedder: Arc<dyn Embedder>,
    indexes: Failover,
    shared: Arc<Shared>,
    analyzers: PerLanguage<Analyzer>,
    fusion: Fusion,
}

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// No embedding.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// No index answered.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The request names an engine that is not configured.
    #[error("engine '{asked}' is not one of: {known}")]
    UnknownEngine {
        /// As asked.
        asked: String,
        /// What there is.
        known: String,
    },
}

/// A query after its analysis.
struct Analysed {
    language: Language,
    affinity: f32,
    terms: PerLanguage<Vec<Term>>,
    weights: PerLanguage<SparseVector>,
}

impl Searcher {
    /// Searches `indexes`, the primary first.
    pub fn new(
        embedder: Arc<dyn Embedder>,
        indexes: Failover,
        shared: Arc<Shared>,
        fusion: Fusion,
    ) -> Self {
        let analyzers = PerLanguage::from_fn(Analyzer::new);
        Self {
            embedder,
            indexes,
            shared,
            analyzers,
            fusion,
        }
    }

    /// The indexes behind it.
    pub fn indexes(&self) -> &Failover {
        &self.indexes
    }

    /// The raw evidence behind a search, unscored and uncut: what weights and floors are fitted on.
    pub async fn evidence(
        &self,
        request: &SearchRequest,
    ) -> Result<(Language, Vec<(ImageId, Evidence)>), SearchError> {
        let (dense, _) = self.embed(&request.text).await?;
        let analysed = self.analyse(&request.text, request.language, &dense);
        let (_, candidates) = self
            .indexes
            .candidates(index_query(request, &dense, &analysed))
            .await?;
        let evidence = candidates
            .iter()
            .map(|candidate| (candidate.id.clone(), weigh(candidate, &dense, &analysed)))
            .collect();
        Ok((analysed.language, evidence))
    }

    /// Answers one request.
    pub async fn search(&self, request: &SearchRequest) -> Result<SearchAnswer, SearchError> {
        let (dense, embed_ms) = self.embed(&request.text).await?;
        let analysed = self.analyse(&request.text, request.language, &dense);
        let query = index_query(request, &dense, &analysed);
        let (engine, candidates) = match &request.engine {
            None => self.indexes.candidates(query).await?,
            Some(name) => self.indexes.candidates_from(name, query).await?,
        };

        let mut scored: Vec<SearchHit> = candidates
            .iter()
            .map(|candidate| self.score(candidate, &dense, &analysed, request.mode))
            .collect();
        scored.sort_by(best_first);
        let floor = request
            .min_score
            .unwrap_or_else(|| self.fusion.floor(request.mode));
        // Who names a score means it; else what is nearly good enough may follow what is.
        let last = request.min_score.unwrap_or(floor * fusion::FOLLOWERS);
        let fits = scored.first().is_some_and(|best| best.score >= floor);
        scored.retain(|hit| fits && hit.score >= last);
        scored.truncate(request.limit as usize);
        Ok(SearchAnswer {
            no_match: scored.is_empty(),
            hits: scored,
            floor,
            language: analysed.language,
            engine: engine.to_owned(),
            model: self.embedder.model().clone(),
            generation: self.shared.generation(),
            embed_ms,
        })
    }

    fn analyse(&self, text: &str, asked: Option<Language>, dense: &[f32]) -> Analysed {
        let lexicons = self.shared.lexicons();
        let views = PerLanguage {
            es: &lexicons.es,
            en: &lexicons.en,
        };
        let language = asked.unwrap_or_else(|| language::guess(text, &views));
        let terms = PerLanguage::from_fn(|language| {
            views
                .get(language)
                .corrected(self.analyzers.get(language).terms(text))
        });
        let weights = PerLanguage::from_fn(|language| {
            bm25::query_weights(terms.get(language), views.get(language))
        });
        let centre = self.shared.centre();
        let affinity = (dot(dense, &centre.es) + dot(dense, &centre.en)) / 2.0;
        Analysed {
            language,
            affinity: affinity.max(0.0),
            terms,
            weights,
        }
    }

    async fn embed(&self, text: &str) -> Result<(Vec<f32>, f64), SearchError> {
        let started = Instant::now();
        let embedded = self.embedder.embed(vec![text.to_owned()]).await?.pop();
        let millis = started.elapsed().as_secs_f64() * 1_000.0;
        Ok((embedded.ok_or(EmbedError::Stopped)?.embedding, millis))
    }

    fn score(
        &self,
        candidate: &Candidate,
        dense: &[f32],
        analysed: &Analysed,
        mode: SearchMode,
    ) -> SearchHit {
        let evidence = weigh(candidate, dense, analysed);
        SearchHit {
            id: candidate.id.clone(),
            score: self.fusion.score(&evidence, mode),
            reason: Reason {
                dense: evidence.cosine(),
                lexical: evidence.lexical(),
                matched_terms: matched(candidate, analysed),
            },
        }
    }
}

fn index_query(request: &SearchRequest, dense: &[f32], analysed: &Analysed) -> IndexQuery {
    let by_words = request.mode != SearchMode::Dense;
    IndexQuery {
        dense: (request.mode != SearchMode::Lexical).then(|| dense.to_vec()),
        sparse: if by_words {
            analysed.weights.clone()
        } else {
            PerLanguage::default()
        },
        filters: request.filters.clone(),
        status: request.status.unwrap_or(Status::Approved),
        depth: MIN_DEPTH.max(2 * request.limit as usize),
    }
}

fn weigh(candidate: &Candidate, dense: &[f32], analysed: &Analysed) -> Evidence {
    Evidence {
        affinity: analysed.affinity,
        dense: PerLanguage::from_fn(|language| dot(dense, candidate.dense.get(language))),
        lexical: PerLanguage::from_fn(|language| {
            lexical_share(
                analysed.weights.get(language),
                candidate.sparse.get(language),
            )
        }),
    }
}

/// Score downwards; equal scores by id, so that the same query always gives the same order.
fn best_first(a: &SearchHit, b: &SearchHit) -> Ordering {
    b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id))
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// BM25 divided by the greatest score that the query could reach: every term, each saturated.
fn lexical_share(query: &SparseVector, document: &SparseVector) -> f32 {
    let best: f32 = query.values.iter().map(|idf| idf * (bm25::K1 + 1.0)).sum();
    if best > 0.0 {
        query.dot(document) / best
    } else {
        0.0
    }
}

/// The query's words that stand in the document, in either language, each once.
fn matched(candidate: &Candidate, analysed: &Analysed) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (language, terms) in analysed.terms.iter() {
        for term in terms {
            let held = candidate
                .sparse
                .get(language)
                .contains(bm25::term_index(&term.stem));
            if held && !words.contains(&term.surface) {
                words.push(term.surface.clone());
            }
        }
    }
    words
}
