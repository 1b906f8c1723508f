//! getContent as a client sees it: over HTTP on loopback, with a token, in a whole running system.

pub mod load;
mod system;

use std::{env, path::PathBuf, time::Duration};

use anyhow::{Context, ensure};
use contracts::{
    GetContentRequest,
    embeddings::{EmbeddingsRequest, Input},
    index::IndexStatusAnswer,
    search::{SearchAnswer, SearchMode, SearchRequest},
};
use serde::Serialize;

pub use load::{Expected, Load, Served};
pub use system::{Client, System};

use crate::{
    cli::{Arguments, Pace},
    say,
    stats::Latency,
    texts::Texts,
};

/// Results that are asked for: getContent's default.
const LIMIT: u32 = 10;
/// Untimed requests before the timed ones.
const WARM_UP: usize = 20;
/// Most requests of one measurement.
const MAX_REQUESTS: usize = 5_000;
/// Clients of the concurrent measurements.
const CLIENTS: usize = 32;
/// Distance between the queries of one measurement and those of the next, so that none is cached.
const APART: usize = 1_000_000;

/// The figures.
#[derive(Clone, Debug, Serialize)]
pub struct GetContent {
    /// Images in the index.
    pub documents: u64,
    /// The engine that answered.
    pub engine: String,
    /// Embedding the query, as the embedder itself timed it within a search.
    pub embedding_in_service: Latency,
    /// `POST /v1/embeddings` with the same query, from the client.
    pub embedding_over_http: Latency,
    /// One client, every query a new one.
    pub uncached_1: Served,
    /// One client, the same query again and again.
    pub cached_1: Served,
    /// 32 clients, every query a new one.
    pub uncached_32: Served,
    /// 32 clients, the same query again and again.
    pub cached_32: Served,
}

impl GetContent {
    /// What getContent adds to the embedding of its query: difference of the medians, milliseconds.
    pub fn overhead_ms(&self) -> f64 {
        self.uncached_1.latency.p50_ms - self.embedding_in_service.p50_ms
    }
}

/// Starts a system, or uses the one that runs in `--data-dir`, and measures it.
pub async fn run(arguments: &Arguments, texts: &Texts, pace: &Pace) -> anyhow::Result<GetContent> {
    let program = program(arguments)?;
    say("starting a system for getContent");
    let system = System::open(&program, arguments).await?;
    let client = system.client().clone();
    // A system that goes on running may hold the answers of an earlier run.
    let first = if arguments.data_dir.is_some() {
        std::process::id() as usize * 10 * APART
    } else {
        0
    };
    let measured = measure(&client, texts, pace, first).await;
    system.close().await?;
    measured
}

fn program(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let program = match &arguments.promptsales {
        Some(program) => program.clone(),
        None => env::current_exe()?.with_file_name("promptsales"),
    };
    ensure!(
        program.is_file(),
        "there is no program at {}; build it with `cargo build --release -p promptsales`, or name it with --promptsales",
        program.display()
    );
    Ok(program)
}

/// Measures a running system, with distinct queries from the `first` on.
pub async fn measure(
    client: &Client,
    texts: &Texts,
    pace: &Pace,
    first: usize,
) -> anyhow::Result<GetContent> {
    let status: IndexStatusAnswer = client.index_status().await?;
    let documents = status.indexes.first().map_or(0, |index| index.documents);
    for number in 0..WARM_UP {
        let text = texts.distinct_query(first + 2 * APART + number);
        client.get_content(&request(&text)).await?;
    }
    say("getContent: one client");
    let one = one_client(client, texts, pace, first).await?;
    let load = Load {
        clients: 1,
        time: Duration::from_secs_f64(pace.seconds),
        requests: MAX_REQUESTS,
    };
    let cached = |_| texts.distinct_query(first);
    let cached_1 = load::run(client, load, Expected::Cached, cached).await?;

    say("getContent: 32 clients");
    let load = Load {
        clients: CLIENTS,
        ..load
    };
    let unseen = |number| texts.distinct_query(first + APART + number);
    let uncached_32 = load::run(client, load, Expected::Uncached, unseen).await?;
    let cached_32 = load::run(client, load, Expected::Cached, cached).await?;
    Ok(GetContent {
        documents,
        engine: one.engine,
        embedding_in_service: one.in_service,
        embedding_over_http: one.over_http,
        uncached_1: one.uncached,
        cached_1,
        uncached_32,
        cached_32,
    })
}

/// What one client saw.
struct OneClient {
    engine: String,
    in_service: Latency,
    over_http: Latency,
    uncached: Served,
}

/// Each query is embedded, searched and found in turn, so that noise meets all three alike.
async fn one_client(
    client: &Client,
    texts: &Texts,
    pace: &Pace,
    first: usize,
) -> anyhow::Result<OneClient> {
    let (mut in_service, mut over_http, mut uncached) = (Vec::new(), Vec::new(), Vec::new());
    let mut engine = String::new();
    // A getContent, a search and an embedding, each as long as any other measurement.
    let deadline = std::time::Instant::now() + Duration::from_secs_f64(3.0 * pace.seconds);
    for number in 0..MAX_REQUESTS {
        let text = texts.distinct_query(first + number);
        let embeddings = EmbeddingsRequest {
            input: Input::One(text.clone()),
            model: None,
            encoding_format: Default::default(),
            dimensions: None,
            user: None,
        };
        over_http.push(client.embeddings(&embeddings).await?);
        let found: SearchAnswer = client.search(&search(&text)).await?;
        in_service.push(found.embed_ms);
        let (time, answer) = client.get_content(&request(&text)).await?;
        Expected::Uncached.check(&answer, &text)?;
        uncached.push(time);
        engine = answer.engine;
        if std::time::Instant::now() > deadline {
            break;
        }
    }
    let spent = uncached.iter().sum();
    Ok(OneClient {
        engine,
        in_service: Latency::of_millis(in_service).context("no query was embedded")?,
        over_http: Latency::of(&over_http).context("no query was embedded")?,
        uncached: Served::of(&uncached, spent)?,
    })
}

/// As a marketer would ask: nothing but a description.
pub(crate) fn request(text: &str) -> GetContentRequest {
    GetContentRequest {
        description: text.to_owned(),
        limit: None,
        language: None,
        filters: Default::default(),
        min_score: None,
    }
}

/// What getContent asks the embedder for.
fn search(text: &str) -> SearchRequest {
    SearchRequest {
        text: text.to_owned(),
        language: None,
        limit: LIMIT,
        filters: Default::default(),
        status: None,
        mode: SearchMode::Fused,
        engine: None,
        min_score: None,
    }
}
