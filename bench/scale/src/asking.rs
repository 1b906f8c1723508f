//! Queries to one engine: how much of the exact answer it finds, and how soon.

use std::time::Instant;

use contracts::{Filters, SearchMode, content::Status, search::SearchRequest};
use embedder::{
    Service,
    index::{IndexQuery, PerLanguage, VectorIndex},
};
use serde::Serialize;

use crate::{
    catalogue::Query,
    exact::{Exact, TOP},
};

/// Candidates a list, as the search service asks for them.
const DEPTH: usize = 30;
/// Untimed searches before the timed ones.
const WARM_UP: usize = 20;

/// What one engine answered.
#[derive(Serialize)]
pub struct Answers {
    engine: &'static str,
    version: String,
    without_filter: Figures,
    /// A twentieth of the documents passes.
    with_filter: Figures,
}

#[derive(Serialize)]
struct Figures {
    /// Lists of ten by meaning, one a language, against the exact lists.
    recall_at_10: f64,
    /// The ranking by both languages that the service makes of thirty candidates a list, against the
    /// exact ranking.
    ranking_recall_at_10: f64,
    /// A search by meaning and words in the service, the embedding of its text left out.
    p50_ms: f64,
    p99_ms: f64,
}

pub async fn ask(
    service: &Service,
    index: &dyn VectorIndex,
    exact: &Exact,
    queries: &[(Query, Vec<f32>)],
) -> anyhow::Result<Answers> {
    let figures = async |filtered: bool| -> anyhow::Result<Figures> {
        let theme = |query: &Query| filtered.then(|| query.theme.clone());
        let (mut lists, mut rankings) = (0.0, 0.0);
        for (query, vector) in queries {
            let theme = theme(query);
            let needed = exact.needed(vector, theme.as_deref());
            let found = index.candidates(by_meaning(vector, &theme, TOP)).await?;
            lists += needed.recall_of_lists(vector, &found);
            let found = index.candidates(by_meaning(vector, &theme, DEPTH)).await?;
            rankings += needed.recall_of_ranking(vector, &found);
        }
        let engine = index.engine();
        for (query, _) in queries.iter().take(WARM_UP) {
            search(service, engine, query, theme(query)).await?;
        }
        let mut times = Vec::new();
        for (query, _) in queries {
            times.push(search(service, engine, query, theme(query)).await?);
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        Ok(Figures {
            recall_at_10: lists / queries.len() as f64,
            ranking_recall_at_10: rankings / queries.len() as f64,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
        })
    };
    Ok(Answers {
        engine: index.engine(),
        version: index.version().to_owned(),
        without_filter: figures(false).await?,
        with_filter: figures(true).await?,
    })
}

/// Milliseconds of one search, its embedding left out.
async fn search(
    service: &Service,
    engine: &str,
    query: &Query,
    theme: Option<String>,
) -> anyhow::Result<f64> {
    let request = SearchRequest {
        text: query.text.clone(),
        language: None,
        limit: TOP as u32,
        filters: with_theme(&theme),
        status: None,
        mode: SearchMode::Fused,
        engine: Some(engine.to_owned()),
        min_score: None,
    };
    let began = Instant::now();
    let answer = service.searcher().search(&request).await?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0 - answer.embed_ms)
}

fn by_meaning(vector: &[f32], theme: &Option<String>, depth: usize) -> IndexQuery {
    IndexQuery {
        dense: Some(vector.to_vec()),
        sparse: PerLanguage::default(),
        filters: with_theme(theme),
        status: Status::Approved,
        depth,
    }
}

fn with_theme(theme: &Option<String>) -> Filters {
    Filters {
        themes: theme.iter().cloned().collect(),
        ..Filters::default()
    }
}
