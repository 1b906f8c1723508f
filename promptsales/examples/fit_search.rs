//! Fits the lexical weight and the floors on the judged queries, and says how good they are on
//! queries that they were not fitted on. For contributors:
//!
//! ```text
//! cargo run -p promptsales --example fit_search
//! ```
//!
//! It needs ONNX Runtime only, no database: the evidence comes from an exact index in memory, so
//! every image is a candidate for every query. What it prints goes into `Fusion::default` and
//! `embedder/eval/README.md` by hand: a change of ranking is a decision.

#![allow(clippy::print_stdout, reason = "a tool whose output is its purpose")]

use std::{env, num::NonZeroUsize, sync::Arc};

use contracts::{ImageId, Language, SearchMode, search::SearchRequest};
use embedder::{
    Service,
    eval::{
        JudgedQuery, judged_set,
        metrics::{NoMatch, mean, ndcg_at_10, no_match},
    },
    index::memory::MemoryIndex,
    model::{fastembed::load_onnx_runtime, pool::SessionPool, source::ModelSource},
    search::{
        Fusion,
        fusion::{Evidence, FOLLOWERS},
    },
};
use local_runtime::{CacheDir, Options, progress, provision};
use service_kit::Clock;

const FOLDS: usize = 10;
/// Least share of the queries without an answer that must get none, in each language.
const RECALL: f64 = 0.8;

struct Case {
    query: JudgedQuery,
    evidence: Vec<(ImageId, Evidence)>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cases = collect().await?;
    let all: Vec<&Case> = cases.iter().collect();
    println!("lexical weight: nDCG@10 of the whole ranking; floor, and nDCG@10 cut at it");
    for weight in weights() {
        let fusion = Fusion {
            lexical_weight: weight,
            ..Fusion::default()
        };
        let [es, en] = Language::ALL.map(|language| ranking(&all, fusion, language, ranked));
        let fusion = Fusion {
            fused_floor: floor(&all, fusion, SearchMode::Fused),
            ..fusion
        };
        let floor = fusion.fused_floor;
        let [cut_es, cut_en] =
            Language::ALL.map(|language| ranking(&all, fusion, language, served));
        println!(
            "  {weight:.2}  es {es:.3}  en {en:.3}  floor {floor:.3}  es {cut_es:.3}  en {cut_en:.3}"
        );
    }
    let fitted = fit(&all);
    println!("\nfitted on all {} queries: {fitted:#?}", cases.len());
    for mode in [SearchMode::Dense, SearchMode::Lexical, SearchMode::Fused] {
        let floor = floor(&all, fitted, mode);
        println!("floor for {mode:?} at recall {RECALL}: {floor:.3}");
    }
    println!("\n{FOLDS}-fold cross-validation, twins on the same side:");
    cross_validate(&cases);
    Ok(())
}

async fn collect() -> anyhow::Result<Vec<Case>> {
    let variable = |name: &str| env::var(name).ok();
    let cache = CacheDir::resolve(None, &variable)?;
    let provisioned = provision(
        &cache,
        &Options::from_env(&variable),
        progress::on_stderr().as_ref(),
    )
    .await?;
    load_onnx_runtime(&provisioned.onnxruntime)?;
    let pool = SessionPool::start(&ModelSource::Bundled, NonZeroUsize::MIN)?;
    let clock = Clock::system();
    let service = Service::with(
        Arc::new(pool),
        vec![Arc::new(MemoryIndex::default())],
        Fusion::default(),
        &clock,
    )
    .await?;
    let catalogue = images::Catalogue::bundled()?;
    let documents = catalogue
        .entries()
        .iter()
        .map(|entry| {
            let now = clock.now();
            let document = content_api::seed::draft(entry).into_document(1, now, now);
            content_api::index_document(&document)
        })
        .collect();
    service.indexer().put(documents).await?;
    let mut cases = Vec::new();
    for query in judged_set() {
        let request = SearchRequest {
            text: query.text.clone(),
            language: None,
            limit: 100,
            filters: Default::default(),
            status: None,
            mode: SearchMode::Fused,
            engine: None,
            min_score: Some(0.0),
        };
        let (_, evidence) = service.searcher().evidence(&request).await?;
        cases.push(Case { query, evidence });
    }
    Ok(cases)
}

fn weights() -> impl Iterator<Item = f32> {
    (0..=12).map(|step| step as f32 * 0.05)
}

/// The weight of the best ranking, both languages counting alike, and the floor that goes with it.
fn fit(cases: &[&Case]) -> Fusion {
    let quality = |weight: f32| {
        let fusion = Fusion {
            lexical_weight: weight,
            ..Fusion::default()
        };
        mean(Language::ALL.map(|language| ranking(cases, fusion, language, ranked)))
    };
    let lexical_weight = weights()
        .max_by(|a, b| quality(*a).total_cmp(&quality(*b)))
        .unwrap_or_default();
    let fusion = Fusion {
        lexical_weight,
        ..Fusion::default()
    };
    Fusion {
        fused_floor: floor(cases, fusion, SearchMode::Fused),
        ..fusion
    }
}

/// The lowest floor that reaches the recall in both languages: every point more hides answers.
fn floor(cases: &[&Case], fusion: Fusion, mode: SearchMode) -> f32 {
    (0..1_000)
        .map(|step| step as f32 * 0.001)
        .find(|floor| {
            Language::ALL
                .iter()
                .all(|language| abstention(cases, fusion, mode, *floor, *language).recall >= RECALL)
        })
        .unwrap_or(1.0)
}

fn ranking(
    cases: &[&Case],
    fusion: Fusion,
    language: Language,
    answer: fn(&Case, Fusion) -> Vec<ImageId>,
) -> f64 {
    let judged = cases
        .iter()
        .filter(|case| case.query.language == language && !case.query.expects_nothing());
    mean(judged.map(|case| ndcg_at_10(&case.query, &answer(case, fusion))))
}

/// The whole ranking.
fn ranked(case: &Case, fusion: Fusion) -> Vec<ImageId> {
    down_to(case, fusion, 0.0)
}

/// The ranking as a user gets it.
fn served(case: &Case, fusion: Fusion) -> Vec<ImageId> {
    if best(case, fusion, SearchMode::Fused) < fusion.fused_floor {
        return Vec::new();
    }
    down_to(case, fusion, fusion.fused_floor * FOLLOWERS)
}

fn down_to(case: &Case, fusion: Fusion, floor: f32) -> Vec<ImageId> {
    let mut scored: Vec<(f32, &ImageId)> = case
        .evidence
        .iter()
        .map(|(id, evidence)| (fusion.score(evidence, SearchMode::Fused), id))
        .filter(|(score, _)| *score >= floor)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().map(|(_, id)| id.clone()).collect()
}

fn best(case: &Case, fusion: Fusion, mode: SearchMode) -> f32 {
    case.evidence
        .iter()
        .map(|(_, e)| fusion.score(e, mode))
        .fold(0.0, f32::max)
}

fn abstention(
    cases: &[&Case],
    fusion: Fusion,
    mode: SearchMode,
    floor: f32,
    language: Language,
) -> NoMatch {
    let own = cases.iter().filter(|case| case.query.language == language);
    no_match(own.map(|case| {
        (
            case.query.expects_nothing(),
            best(case, fusion, mode) < floor,
        )
    }))
}

fn cross_validate(cases: &[Case]) {
    let fold = |case: &Case| {
        let number: usize = case.query.id[1..].parse().unwrap_or_default();
        // The set is written so that twins stand 90 apart.
        (number.saturating_sub(1) % 90) % FOLDS
    };
    let mut ndcg: [Vec<f64>; 2] = Default::default();
    let mut kept: [Vec<f64>; 2] = Default::default();
    let mut outcomes: [Vec<(bool, bool)>; 2] = Default::default();
    for held_out in 0..FOLDS {
        let train: Vec<&Case> = cases.iter().filter(|case| fold(case) != held_out).collect();
        let fusion = fit(&train);
        for case in cases.iter().filter(|case| fold(case) == held_out) {
            let place = usize::from(case.query.language == Language::En);
            let nothing = case.query.expects_nothing();
            let score = best(case, fusion, SearchMode::Fused);
            outcomes[place].push((nothing, score < fusion.fused_floor));
            if !nothing {
                ndcg[place].push(ndcg_at_10(&case.query, &ranked(case, fusion)));
                kept[place].push(ndcg_at_10(&case.query, &served(case, fusion)));
            }
        }
    }
    for (place, language) in Language::ALL.iter().enumerate() {
        let abstained = no_match(outcomes[place].iter().copied());
        println!(
            "  {language}  nDCG@10 {:.3} (served {:.3})  no match: precision {:.3} recall {:.3}",
            mean(ndcg[place].iter().copied()),
            mean(kept[place].iter().copied()),
            abstained.precision,
            abstained.recall
        );
    }
}
