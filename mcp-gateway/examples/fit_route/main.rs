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

mod logistic;
mod rows;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use auth::{ClientCredentials, TokenSource};
use clap::Parser;
use contracts::Scope;
use mcp_gateway::{
    Config, Gateway, Tokens,
    routing::{
        Route, SIGNS, decide,
        eval::{TRAIN, evaluate, sha256},
        model::{Blend, Model, Needs, Provenance, Weights},
    },
};
use rows::{Keeper, Row};
use secrecy::SecretString;
use serde_json::json;
use service_kit::{Clock, http_client};
use url::Url;

/// What a weight costs: half of this times its square, in units of log loss.
const PENALTY: f64 = 20.0;
/// A vector's weights cost less: it has length 1, where a standardised feature has deviation 1.
const EMBEDDING_SCALE: f64 = 12.0;
const FOLDS: usize = 5;
/// Added to the score of `neither`: taking what is out of scope for a question costs more than the reverse.
const LEAN_TO_NEITHER: f64 = 0.5;
/// Below this probability a route is not taken. Cross-validation prints what others would give.
const LEAST_SCORE: f64 = 0.4;

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
    /// What a weight costs, to try another.
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
    let all: Vec<&Row> = rows.iter().collect();
    let mut blends = Vec::new();
    for needs in Needs::all() {
        let predicted = cross_validate(needs, &rows, options.penalty);
        report(&format!("{needs:?}, cross-validated"), &rows, &predicted);
        let blend = fit(needs, &all, options.penalty);
        let on_dev: Vec<_> = dev.iter().map(|row| row.by(&blend)).collect();
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

/// The features of a blend: those that need no other evidence.
fn names(needs: Needs, rows: &[&Row]) -> Vec<String> {
    let all = rows[0].features.keys();
    all.filter(|name| needs.allow(name)).cloned().collect()
}

fn fit(needs: Needs, rows: &[&Row], penalty: f64) -> Blend {
    let count = rows.len() as f64;
    let classes = Route::ALL.len();
    let scaled: Vec<(String, f64, f64)> = names(needs, rows)
        .into_iter()
        .filter_map(|name| {
            let values: Vec<f64> = rows.iter().map(|row| row.features[&name]).collect();
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            (variance > 1e-12).then(|| (name, mean, variance.sqrt()))
        })
        .collect();
    let inputs: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| {
            let mut x: Vec<f64> = scaled
                .iter()
                .map(|(name, mean, deviation)| (row.features[name] - mean) / deviation)
                .collect();
            if needs.embedding {
                x.extend(row.vector.iter().map(|x| x * EMBEDDING_SCALE));
            }
            x.push(1.0);
            x
        })
        .collect();
    let labels: Vec<usize> = rows.iter().map(|row| row.label).collect();
    let width = inputs[0].len();
    let weights = logistic::fit(&inputs, &labels, classes, penalty);
    let weight = |class: usize, at: usize| weights[class * width + at];
    let features: BTreeMap<String, Weights> = (0..)
        .zip(&scaled)
        .map(|(at, (name, mean, deviation))| {
            let part = Weights {
                mean: rounded(*mean, 5),
                deviation: rounded(*deviation, 5).max(1e-5),
                weights: (0..classes)
                    .map(|class| rounded(weight(class, at), 4))
                    .collect(),
            };
            (name.clone(), part)
        })
        .collect();
    let embedding = if needs.embedding {
        (0..classes)
            .map(|class| {
                (scaled.len()..width - 1)
                    .map(|at| rounded(weight(class, at) * EMBEDDING_SCALE, 3))
                    .collect()
            })
            .collect()
    } else {
        Vec::new()
    };
    let bias = (0..classes)
        .map(|class| {
            let out_of_scope = Route::ALL[class] == Route::Neither;
            let lean = if out_of_scope { LEAN_TO_NEITHER } else { 0.0 };
            rounded(weight(class, width - 1) + lean, 4)
        })
        .collect();
    Blend {
        needs,
        features,
        embedding,
        bias,
    }
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10_f64.powi(digits);
    (value * unit).round() / unit
}

/// Each row's probabilities by a model that has not seen it. A class is spread over the folds.
fn cross_validate(needs: Needs, rows: &[Row], penalty: f64) -> Vec<Vec<f64>> {
    let mut seen = vec![0; Route::ALL.len()];
    let folds: Vec<usize> = rows
        .iter()
        .map(|row| {
            seen[row.label] += 1;
            seen[row.label] % FOLDS
        })
        .collect();
    let mut predicted = vec![Vec::new(); rows.len()];
    for fold in 0..FOLDS {
        let kept: Vec<&Row> = rows
            .iter()
            .zip(&folds)
            .filter(|(_, of)| **of != fold)
            .map(|(row, _)| row)
            .collect();
        let blend = fit(needs, &kept, penalty);
        for (at, row) in rows.iter().enumerate().filter(|(at, _)| folds[*at] == fold) {
            predicted[at] = row.by(&blend);
        }
    }
    predicted
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
