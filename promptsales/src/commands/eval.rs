//! `eval search`: ranking and no-match quality on the judged queries, through the embedder's API.

use std::{io::Write, process::ExitCode};

use contracts::{
    ImageId, Language, SearchMode,
    search::{SearchAnswer, SearchRequest},
};
use embedder::eval::{
    JudgedQuery, judged_set,
    metrics::{mean, ndcg_at_10, no_match, recall_at_5, reciprocal_rank},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::{output, session::Session};

/// Queries under way at once.
const CONCURRENCY: usize = 4;

#[derive(Serialize)]
struct Report {
    queries: usize,
    model: String,
    results: Vec<Quality>,
    no_match: Vec<Abstention>,
    twins: Vec<Twins>,
}

/// `mode` is `dense`, `lexical` or `fused` for the whole ranking, and `served` for the fused ranking
/// as a user gets it: nothing below the floor.
#[derive(Serialize)]
struct Quality {
    engine: String,
    language: Language,
    mode: &'static str,
    ndcg_at_10: f64,
    recall_at_5: f64,
    mrr: f64,
}

#[derive(Serialize)]
struct Abstention {
    language: Language,
    precision: f64,
    recall: f64,
}

/// How often a query and its translation have the same first image.
#[derive(Serialize)]
struct Twins {
    engine: String,
    pairs: usize,
    same_first_image: f64,
}

pub async fn search(session: &Session, as_json: bool) -> anyhow::Result<ExitCode> {
    let queries = judged_set();
    let status = session
        .index_status()
        .await?
        .map_err(|problem| output::refused(&problem))?;
    let mut report = Report {
        queries: queries.len(),
        model: status.model.to_string(),
        results: Vec::new(),
        no_match: Vec::new(),
        twins: Vec::new(),
    };
    for (place, engine) in status.indexes.iter().map(|index| &index.engine).enumerate() {
        let modes = [
            ("dense", SearchMode::Dense, Some(0.0)),
            ("lexical", SearchMode::Lexical, Some(0.0)),
            ("fused", SearchMode::Fused, Some(0.0)),
            ("served", SearchMode::Fused, None),
        ];
        for (name, mode, floor) in modes {
            let answers = ask(session, &queries, engine, mode, floor).await?;
            for language in Language::ALL {
                report
                    .results
                    .push(quality(engine, language, name, &answers));
            }
            if name == "fused" {
                report.twins.push(twins(engine, &answers));
            }
            // The floor is one and the same on every engine; the primary's answers are the users'.
            if name == "served" && place == 0 {
                report.no_match = Language::ALL
                    .map(|language| abstention(language, &answers))
                    .into();
            }
        }
    }
    let mut out = output::out();
    if as_json {
        output::json(&mut out, &report)?;
    } else {
        show(&mut out, &report)?;
    }
    Ok(ExitCode::SUCCESS)
}

type Answered<'a> = (&'a JudgedQuery, Vec<ImageId>);

async fn ask<'a>(
    session: &Session,
    queries: &'a [JudgedQuery],
    engine: &str,
    mode: SearchMode,
    floor: Option<f32>,
) -> anyhow::Result<Vec<Answered<'a>>> {
    stream::iter(queries)
        .map(|query| async move {
            let request = SearchRequest {
                text: query.text.clone(),
                // As a user would send it: the language is guessed, wrong guesses included.
                language: None,
                limit: 10,
                filters: Default::default(),
                status: None,
                mode,
                engine: Some(engine.to_owned()),
                min_score: floor,
            };
            let answer: SearchAnswer = session
                .search(&request)
                .await?
                .map_err(|problem| output::refused(&problem))?;
            anyhow::Ok((query, answer.hits.into_iter().map(|hit| hit.id).collect()))
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await
}

fn quality(
    engine: &str,
    language: Language,
    mode: &'static str,
    answers: &[Answered<'_>],
) -> Quality {
    let measured = |measure: fn(&JudgedQuery, &[ImageId]) -> f64| {
        let judged = answers
            .iter()
            .filter(|(query, _)| query.language == language && !query.expects_nothing());
        mean(judged.map(|(query, ranking)| measure(query, ranking)))
    };
    Quality {
        engine: engine.to_owned(),
        language,
        mode,
        ndcg_at_10: measured(ndcg_at_10),
        recall_at_5: measured(recall_at_5),
        mrr: measured(reciprocal_rank),
    }
}

fn abstention(language: Language, answers: &[Answered<'_>]) -> Abstention {
    let own = answers
        .iter()
        .filter(|(query, _)| query.language == language);
    let measured = no_match(own.map(|(query, hits)| (query.expects_nothing(), hits.is_empty())));
    Abstention {
        language,
        precision: measured.precision,
        recall: measured.recall,
    }
}

fn twins(engine: &str, answers: &[Answered<'_>]) -> Twins {
    let mut pairs = 0;
    let mut same = 0;
    for (query, ranking) in answers
        .iter()
        .filter(|(query, _)| query.language == Language::Es)
    {
        let twin = answers
            .iter()
            .find(|(other, _)| Some(&other.id) == query.twin.as_ref());
        if let (Some((_, other)), false) = (twin, query.expects_nothing()) {
            pairs += 1;
            same += usize::from(ranking.first() == other.first());
        }
    }
    Twins {
        engine: engine.to_owned(),
        pairs,
        same_first_image: if pairs == 0 {
            0.0
        } else {
            same as f64 / pairs as f64
        },
    }
}

fn show(out: &mut impl Write, report: &Report) -> anyhow::Result<()> {
    let mut ranking = output::table(["engine", "language", "mode", "nDCG@10", "recall@5", "MRR"]);
    for row in &report.results {
        ranking.add_row([
            row.engine.as_str(),
            row.language.code(),
            row.mode,
            &format!("{:.3}", row.ndcg_at_10),
            &format!("{:.3}", row.recall_at_5),
            &format!("{:.3}", row.mrr),
        ]);
    }
    let mut abstentions = output::table(["no match", "precision", "recall"]);
    for row in &report.no_match {
        abstentions.add_row([
            row.language.code(),
            &format!("{:.3}", row.precision),
            &format!("{:.3}", row.recall),
        ]);
    }
    writeln!(
        out,
        "{} judged queries, {}\n\n{ranking}\n\n{abstentions}\n",
        report.queries, report.model
    )?;
    for row in &report.twins {
        writeln!(
            out,
            "{}: {:.0} % of {} Spanish-English twins have the same first image",
            row.engine,
            100.0 * row.same_first_image,
            row.pairs
        )?;
    }
    Ok(())
}
