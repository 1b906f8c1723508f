//! Fills Qdrant Edge and pgvector with a catalogue of any size and measures rate, memory, latency and
//! recall. How, and the last result: `bench/scale/README.md`.

mod asking;
mod catalogue;
mod exact;
mod memory;
mod scene;
mod vectors;

use std::{
    io::{self, Write},
    path::PathBuf,
    thread,
};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use embedder::model::Embedder;
use serde::Serialize;

use asking::Answers;
use catalogue::Catalogue;
use exact::Exact;
use scene::{Fill, Scene};

/// Measure both indexes on a large catalogue.
#[derive(Parser, Serialize)]
struct Arguments {
    /// How many documents.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    documents: u64,
    /// How many queries of each kind are asked.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    queries: u64,
    /// Where vectors come from.
    #[arg(long, value_enum, default_value_t = Vectors::Model)]
    vectors: Vectors,
    /// Another seed, another catalogue.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Write the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Vectors {
    /// The bundled model reads every text.
    Model,
    /// Made up, in clusters: quick, and they mean nothing.
    RandomClustered,
}

#[derive(Serialize)]
struct Report {
    documents: u64,
    queries: u64,
    vectors: Vectors,
    seed: u64,
    cores: usize,
    debug_build: bool,
    fill: Fill,
    engines: Vec<Answers>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let catalogue = Catalogue::of(arguments.seed)?;
    let scene = Scene::set(arguments.vectors).await?;
    let measured = measure(&arguments, &catalogue, &scene).await;
    scene.end().await?;
    let text = serde_json::to_string_pretty(&measured?)?;
    if let Some(path) = &arguments.out {
        std::fs::write(path, format!("{text}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(io::stdout(), "{text}")?;
    Ok(())
}

async fn measure(
    arguments: &Arguments,
    catalogue: &Catalogue,
    scene: &Scene,
) -> anyhow::Result<Report> {
    let fill = scene.fill(catalogue, arguments.documents).await?;
    say("reading the vectors back for the exact search");
    let dimensions = scene.embedder.dimensions();
    let primary = scene.indexes[0].as_ref();
    let exact = Exact::of(primary, arguments.documents, dimensions).await?;
    let mut queries = Vec::new();
    for number in 0..arguments.queries {
        let query = catalogue.query(number);
        let embedded = scene.embedder.embed(vec![query.text.clone()]).await?;
        let embedded = embedded.into_iter().next().context("no vector")?;
        queries.push((query, embedded.embedding));
    }
    let mut engines = Vec::new();
    for index in &scene.indexes {
        say(&format!("asking {}", index.engine()));
        engines.push(asking::ask(&scene.service, index.as_ref(), &exact, &queries).await?);
    }
    Ok(Report {
        documents: arguments.documents,
        queries: arguments.queries,
        vectors: arguments.vectors,
        seed: arguments.seed,
        cores: thread::available_parallelism().map_or(1, Into::into),
        debug_build: cfg!(debug_assertions),
        fill,
        engines,
    })
}

/// A line on standard error: standard output belongs to the result.
fn say(line: &str) {
    let _unseen = writeln!(io::stderr(), "{line}");
}
