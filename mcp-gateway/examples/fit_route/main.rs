//! Fits the router's model on the labelled utterances of the train split, and says how well routes
//! are told apart in cross-validation. It asks running services for their evidence.
//!
//! ```sh
//! cargo run -p mcp-gateway --example fit_route -- --identity http://127.0.0.1:8460 \
//!   --embedder http://127.0.0.1:8461 --content-api http://127.0.0.1:8462 \
//!   --sales-warehouse http://127.0.0.1:8463 --client mcp-gateway --audience https://promptsales.local/api
//! ```
//!
//! The client's secret comes in `FIT_ROUTE_SECRET`. The model goes to standard output.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people"
)]

mod least_squares;
mod logistic;
mod rows;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use auth::{ClientCredentials, TokenSource};
use clap::Parser;
use contracts::Scope;
use least_squares::{Square, solve};
use mcp_gateway::{
    Config, Gateway, Tokens,
    routing::{
        Route, SIGNS, decide,
        eval::{TRAIN, evaluate, sha256},
        letters::{Letters, PLACES},
        model::{Blend, Model, Needs, Provenance, softmax},
        nearness::{LETTERS, Utterances},
    },
};
use rows::{Keeper, Row};
use secrecy::SecretString;
use serde_json::json;
use service_kit::{Clock, http_client};
use url::Url;

/// What a vote costs, in units of squared error. Cross-validation hardly tells 0.1 from 1.
const PENALTY: f64 = 0.3;
/// What a weight of the calibration costs: almost nothing, there are thirty of them.
const CALIBRATION_PENALTY: f64 = 1.0;
const FOLDS: usize = 5;
/// Added to the score of `neither`: taking what is out of scope for a question costs more than the reverse.
const LEAN_TO_NEITHER: f64 = 0.25;
/// Below this probability a route is not taken. Cross-validation prints what others would give.
const LEAST_SCORE: f64 = 0.35;

#[derive(Parser)]
struct Options {
    #[arg(long)]
    identity: Url,
    #[arg(long)]
    embedder: Url,
    #[arg(long)]
    content_api: Url,
    #[arg(long)]
    sales_warehouse: Url,
    #[arg(long)]
    client: String,
    #[arg(long)]
    audience: String,
    #[arg(long, env = "FIT_ROUTE_SECRET", hide_env_values = true)]
    secret: String,
    /// What a vote costs, to try another.
    #[arg(long, default_value_t = PENALTY)]
    penalty: f64,
    /// Keep the services' evidence in this file, and take it from there.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Write all splits as JSON lines instead, with vectors and where the built-in model sends them;
    /// of train and dev, features too.
    #[arg(long)]
    export: bool,
    /// Measure the built-in model on both splits instead of fitting another.
    #[arg(long)]
    evaluate: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let gateway = gateway(&options)?;
    let mut keeper = Keeper::open(options.keep.as_deref())?;
    if options.evaluate {
        println!(
            "{}",
            serde_json::to_string_pretty(&evaluate(&gateway).await?)?
        );
        return Ok(());
    }
    if options.export {
        return export(&gateway, &mut keeper).await;
    }
    let rows = keeper.rows(&gateway, "train").await?;
    let dev = keeper.rows(&gateway, "dev").await?;
    let (embedding_model, _) = rows[0].evidence.embedding().context("no vector")?;
    let features: Vec<_> = rows.iter().map(|row| &row.features).collect();
    let vectors: Vec<_> = rows.iter().map(|row| row.vector.as_slice()).collect();
    let utterances = Utterances::new(&features, &vectors);
    let mut blends = Vec::new();
    for needs in Needs::all() {
        let (blend, predicted) = fit(needs, &utterances, &rows, options.penalty);
        report(&format!("{needs:?}, cross-validated"), &rows, &predicted);
        let on_dev: Vec<_> = dev.iter().map(|row| row.by(&blend, &utterances)).collect();
        report("  dev", &dev, &on_dev);
        if blends.is_empty() {
            report_errors(&rows, &predicted);
            report_errors(&dev, &on_dev);
        }
        blends.push(blend);
    }
    let model = Model {
        provenance: Provenance {
            made_by: "cargo run -p mcp-gateway --example fit_route".to_owned(),
            train_sha256: sha256(TRAIN),
            utterances: rows.len(),
            signs_sha256: sha256(SIGNS),
            embedding_model: embedding_model.to_owned(),
        },
        least_score: LEAST_SCORE,
        utterances,
        blends,
    };
    println!("{}", serde_json::to_string(&model)?);
    Ok(())
}

fn gateway(options: &Options) -> anyhow::Result<Gateway> {
    let http = http_client::build(Duration::from_secs(60))?;
    let source = |scope: Scope| {
        let credentials = ClientCredentials {
            token_url: options.identity.join("/token")?,
            client_id: options.client.clone(),
            client_secret: SecretString::from(options.secret.as_str()),
            scopes: [scope].into_iter().collect(),
            resource: Some(options.audience.clone()),
        };
        let tokens = TokenSource::new(credentials, http.clone(), Clock::system());
        anyhow::Ok(Arc::new(tokens))
    };
    let content = source(Scope::ContentRead)?;
    let tokens = Tokens {
        campaigns: Arc::clone(&content),
        embedder: Arc::clone(&content),
        content,
        sales: source(Scope::SalesRead)?,
    };
    let mut config = Config::new(
        options.content_api.clone(),
        options.sales_warehouse.clone(),
        options.embedder.clone(),
    );
    config.routing_deadline = Duration::from_secs(60);
    Ok(Gateway::new(config, http, tokens))
}

async fn export(gateway: &Gateway, keeper: &mut Keeper) -> anyhow::Result<()> {
    for split in ["train", "dev", "test"] {
        for row in keeper.rows(gateway, split).await? {
            let decision = decide(&row.text, &row.evidence);
            let mut line = json!({
                "split": split,
                "id": row.id,
                "text": row.text,
                "label": Route::ALL[row.label],
                "vector": row.vector,
                "ours": decision.route,
            });
            if split != "test" {
                line["features"] = json!(row.features);
            }
            println!("{line}");
        }
    }
    Ok(())
}

/// A blend, and each row's probabilities by votes that have not seen it.
fn fit(
    needs: Needs,
    utterances: &Utterances,
    rows: &[Row],
    penalty: f64,
) -> (Blend, Vec<Vec<f64>>) {
    let spread = utterances.spread(needs);
    let letters: Vec<Letters> = rows.iter().map(|row| row.letters.clone()).collect();
    let kernel = kernel(needs, spread, utterances, &letters);
    let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
    let unseen = cross_validate(&kernel, &labels, penalty);
    // Least squares gives no probabilities: logistic regression of its scores does.
    let inputs: Vec<Vec<f64>> = unseen
        .into_iter()
        .map(|scores| scores.into_iter().chain([1.0]).collect())
        .collect();
    let classes = Route::ALL.len();
    let calibration = logistic::fit(&inputs, &labels, classes, CALIBRATION_PENALTY);
    let lean = |class: usize| {
        let out_of_scope = Route::ALL[class] == Route::Neither;
        if out_of_scope { LEAN_TO_NEITHER } else { 0.0 }
    };
    let calibrated = |scores: &[f64]| -> Vec<f64> {
        let by_class = calibration.chunks_exact(classes + 1);
        by_class
            .map(|weights| weights.iter().zip(scores).map(|(w, x)| w * x).sum())
            .collect()
    };
    let predicted = inputs.iter().map(|scores| {
        let mut logits = calibrated(scores);
        (0..classes).for_each(|class| logits[class] += lean(class));
        softmax(&logits)
    });
    let predicted = predicted.collect();
    let votes = solve(kernel, penalty, &targets(&labels));
    let votes: Vec<_> = votes.iter().map(|votes| calibrated(votes)).collect();
    let bias = |class: usize| calibration[(class + 1) * (classes + 1) - 1] + lean(class);
    let bias = (0..classes).map(bias).collect();
    (Blend::new(needs, spread, &votes, &letters, bias), predicted)
}

/// How near each row is to each.
fn kernel(needs: Needs, spread: f32, utterances: &Utterances, letters: &[Letters]) -> Square {
    let size = utterances.count();
    let mut values = Vec::with_capacity(size * size);
    let mut spelt = vec![0.0; PLACES];
    for (at, own) in letters.iter().enumerate() {
        own.iter().for_each(|(place, x)| spelt[*place] = *x);
        let near = utterances.near(&utterances.place_of(at), needs, spread);
        values.extend(near.into_iter().zip(letters).map(|(near, other)| {
            let alike: f32 = other.iter().map(|(place, x)| x * spelt[*place]).sum();
            f64::from(near + LETTERS * alike)
        }));
        own.iter().for_each(|(place, _)| spelt[*place] = 0.0);
    }
    Square { size, values }
}

/// For each label, what the scores are to be: one apart, and zero in the mean of the routes.
fn targets(labels: &[usize]) -> Vec<Vec<f64>> {
    let classes = Route::ALL.len();
    let of = |label: &usize| {
        let target = |class| f64::from(u8::from(class == *label)) - 1.0 / classes as f64;
        (0..classes).map(target).collect()
    };
    labels.iter().map(of).collect()
}

/// Each row's scores by votes that have not seen it. A class is spread over the folds.
fn cross_validate(kernel: &Square, labels: &[usize], penalty: f64) -> Vec<Vec<f64>> {
    let classes = Route::ALL.len();
    let mut seen = vec![0; classes];
    let folds: Vec<usize> = labels
        .iter()
        .map(|label| {
            seen[*label] += 1;
            seen[*label] % FOLDS
        })
        .collect();
    let mut scores = vec![vec![0.0; classes]; labels.len()];
    let targets = targets(labels);
    for fold in 0..FOLDS {
        let kept: Vec<usize> = (0..labels.len()).filter(|at| folds[*at] != fold).collect();
        let wanted: Vec<_> = kept.iter().map(|at| targets[*at].clone()).collect();
        let votes = solve(kernel.part(&kept), penalty, &wanted);
        for at in (0..labels.len()).filter(|at| folds[*at] == fold) {
            for (other, votes) in kept.iter().zip(&votes) {
                let near = kernel.values[at * kernel.size + other];
                let scores = scores[at].iter_mut().zip(votes);
                scores.for_each(|(score, vote)| *score += near * vote);
            }
        }
    }
    scores
}

/// The route taken: the likeliest, or `ambiguous` where that is less likely than `least`.
fn taken(probabilities: &[f64], least: f64) -> Route {
    let ranked = Route::ALL.into_iter().zip(probabilities);
    match ranked.max_by(|one, other| one.1.total_cmp(other.1)) {
        Some((route, score)) if *score >= least => route,
        _ => Route::Ambiguous,
    }
}

/// The part of a label's rows, or of all rows, that is routed as labelled.
fn right(rows: &[Row], predicted: &[Vec<f64>], least: f64, only: Option<Route>) -> f64 {
    let counted = || {
        let pairs = rows.iter().zip(predicted);
        pairs.filter(move |(row, _)| only.is_none_or(|route| Route::ALL[row.label] == route))
    };
    let right = counted().filter(|(row, all)| taken(all, least) == Route::ALL[row.label]);
    right.count() as f64 / counted().count().max(1) as f64
}

fn report(of: &str, rows: &[Row], predicted: &[Vec<f64>]) {
    let accuracy = right(rows, predicted, LEAST_SCORE, None);
    eprint!("{of}: accuracy {accuracy:.4}");
    for route in Route::ALL {
        let recall = right(rows, predicted, LEAST_SCORE, Some(route));
        eprint!(", {route} {recall:.3}");
    }
    eprintln!();
}

fn report_errors(rows: &[Row], predicted: &[Vec<f64>]) {
    for least in [0.0, 0.3, 0.35, 0.4, 0.45, 0.5] {
        let accuracy = right(rows, predicted, least, None);
        eprintln!("  at least {least}: accuracy {accuracy:.4}");
    }
    for (row, all) in rows.iter().zip(predicted) {
        let (label, route) = (Route::ALL[row.label], taken(all, LEAST_SCORE));
        if route != label {
            eprintln!("  {label} -> {route}: {} {}", row.id, row.text);
        }
    }
}
