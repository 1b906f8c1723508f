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

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use auth::{ClientCredentials, TokenSource};
use clap::Parser;
use contracts::Scope;
use futures::{StreamExt as _, stream};
use mcp_gateway::{
    Config, Gateway, Tokens,
    routing::{
        Features, Route, SIGNS, decide,
        eval::{TRAIN, evaluate, sha256, utterances},
        features,
        model::{Blend, Model, Needs, Provenance, Weights},
    },
};
use secrecy::SecretString;
use serde_json::json;
use service_kit::{Clock, http_client};
use url::Url;

/// What a weight costs: half of this times its square, in units of log loss.
const PENALTY: f64 = 3.3;
/// A vector's weights cost less: it has length 1, where a standardised feature has deviation 1.
const EMBEDDING_SCALE: f64 = 4.0;
const FOLDS: usize = 10;
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
    /// Write both splits as JSON lines instead, with vectors and where the built-in model sends them;
    /// of the train split, features too.
    #[arg(long)]
    export: bool,
    /// Measure the built-in model on both splits instead of fitting another.
    #[arg(long)]
    evaluate: bool,
}

/// An utterance with all that is known about it.
struct Row {
    text: String,
    label: usize,
    features: Features,
    vector: Vec<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let gateway = gateway(&options)?;
    if options.evaluate {
        println!(
            "{}",
            serde_json::to_string_pretty(&evaluate(&gateway).await?)?
        );
        return Ok(());
    }
    if options.export {
        return export(&gateway).await;
    }
    let (rows, embedding_model) = gather(&gateway).await?;
    let all: Vec<&Row> = rows.iter().collect();
    let mut blends = Vec::new();
    for needs in Needs::all() {
        let predicted = cross_validate(needs, &rows);
        report(needs, &rows, &predicted);
        blends.push(fit(needs, &all));
    }
    let model = Model {
        provenance: Provenance {
            made_by: "cargo run -p mcp-gateway --example fit_route".to_owned(),
            train_sha256: sha256(TRAIN),
            utterances: rows.len(),
            signs_sha256: sha256(SIGNS),
            embedding_model,
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

async fn gather(gateway: &Gateway) -> anyhow::Result<(Vec<Row>, String)> {
    let gathered: Vec<(Row, String)> = stream::iter(utterances("train")?)
        .map(|utterance| row(gateway, utterance.text, utterance.route))
        .buffered(4)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<anyhow::Result<_>>()?;
    let model = gathered.first().map(|(_, model)| model.clone());
    let rows = gathered.into_iter().map(|(row, _)| row).collect();
    Ok((rows, model.context("there are no utterances")?))
}

async fn export(gateway: &Gateway) -> anyhow::Result<()> {
    for split in ["train", "test"] {
        let mut lines = stream::iter(utterances(split)?)
            .map(|utterance| async move {
                let evidence = gateway.evidence(&utterance.text, None).await;
                let missing = evidence.missing();
                anyhow::ensure!(missing.is_empty(), "no evidence from {missing:?}");
                let decision = decide(&utterance.text, &evidence);
                let mut line = json!({
                    "split": split,
                    "id": utterance.id,
                    "text": utterance.text,
                    "label": utterance.route,
                    "vector": evidence.embedding().map(|(_, vector)| vector),
                    "ours": decision.route,
                });
                if split == "train" {
                    line["features"] = json!(features(&utterance.text, &evidence));
                }
                Ok(line)
            })
            .buffered(4);
        while let Some(line) = lines.next().await {
            println!("{}", line?);
        }
    }
    Ok(())
}

async fn row(gateway: &Gateway, text: String, route: Route) -> anyhow::Result<(Row, String)> {
    let evidence = gateway.evidence(&text, None).await;
    let missing = evidence.missing();
    anyhow::ensure!(
        missing.is_empty(),
        "no evidence from {missing:?} on '{text}'"
    );
    let (model, vector) = evidence.embedding().context("no vector")?;
    let row = Row {
        features: features(&text, &evidence),
        vector: vector.iter().map(|x| f64::from(*x)).collect(),
        label: Route::ALL
            .iter()
            .position(|one| *one == route)
            .unwrap_or_default(),
        text,
    };
    Ok((row, model.to_owned()))
}

/// The features of a blend: those that need no other evidence.
fn names(needs: Needs, rows: &[&Row]) -> Vec<String> {
    let all = rows[0].features.keys();
    all.filter(|name| needs.allow(name)).cloned().collect()
}

fn fit(needs: Needs, rows: &[&Row]) -> Blend {
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
    let weights = logistic::fit(&inputs, &labels, classes, PENALTY);
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
        .map(|class| rounded(weight(class, width - 1), 4))
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
fn cross_validate(needs: Needs, rows: &[Row]) -> Vec<Vec<f64>> {
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
        let blend = fit(needs, &kept);
        for (at, row) in rows.iter().enumerate().filter(|(at, _)| folds[*at] == fold) {
            let vector: Vec<f32> = row.vector.iter().map(|x| *x as f32).collect();
            predicted[at] = blend.probabilities(&row.features, &vector);
        }
    }
    predicted
}

fn report(needs: Needs, rows: &[Row], predicted: &[Vec<f64>]) {
    let best = |all: &[f64]| {
        (0..all.len())
            .max_by(|a, b| all[*a].total_cmp(&all[*b]))
            .unwrap_or_default()
    };
    let neither = Route::ALL.iter().position(|one| *one == Route::Neither);
    let ambiguous = Route::ALL.iter().position(|one| *one == Route::Ambiguous);
    let rate = |least: f64, only: Option<usize>| {
        let (mut right, mut count) = (0, 0);
        for (row, all) in rows.iter().zip(predicted) {
            if only.is_some_and(|class| class != row.label) {
                continue;
            }
            let mut route = best(all);
            if all[route] < least {
                route = ambiguous.unwrap_or(route);
            }
            count += 1;
            right += usize::from(route == row.label);
        }
        f64::from(right as u32) / f64::from(count.max(1) as u32)
    };
    eprintln!(
        "{needs:?}: accuracy {:.4}, out-of-scope recall {:.4}",
        rate(0.0, None),
        rate(0.0, neither)
    );
    if needs == Needs::all()[0] {
        for least in [0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6] {
            eprintln!("  at least {least}: accuracy {:.4}", rate(least, None));
        }
        for (row, all) in rows.iter().zip(predicted) {
            let route = best(all);
            if route != row.label {
                let (label, route, score) = (Route::ALL[row.label], Route::ALL[route], all[route]);
                eprintln!("  {label} -> {route} {score:.2}: {}", row.text);
            }
        }
    }
}
