//! Ours and a peer in turn, so that whatever else the machine does meets both.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use anyhow::Context;
use serde::Serialize;

use crate::{
    cli::Pace,
    ours::{self, Ours},
    peers::{PLANS, Peer, PeerPlan},
    say,
    stats::{Cosines, Spread},
    texts::Texts,
};

/// What a row compares. A ratio is ours divided by the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Milliseconds of a single query, median: a ratio below 1 is better.
    QueryMsP50,
    /// Milliseconds of a single query, 99th percentile: a ratio below 1 is better.
    QueryMsP99,
    /// Texts per second in bulk: a ratio above 1 is better.
    TextsPerSecond,
}

/// One row: ours against a peer, over all rounds.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The peer.
    pub peer: &'static str,
    /// Its version.
    pub version: String,
    /// Its threads, our sessions.
    pub threads: usize,
    /// What was measured.
    pub measure: Measure,
    /// The peer's batch size, for bulk; ours is always 16.
    pub batch: Option<u32>,
    /// Our figures.
    pub ours: Spread,
    /// The peer's figures.
    pub theirs: Spread,
    /// Of the ratios of each round, not the ratio of the figures above.
    pub ratio: Spread,
    /// Ours and the peer's, round by round.
    pub rounds: Vec<(f64, f64)>,
}

/// What could not be measured.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// The peer.
    pub peer: &'static str,
    /// At how many threads.
    pub threads: usize,
    /// Why.
    pub reason: String,
}

/// How exact vectors are.
#[derive(Clone, Debug, Serialize)]
pub struct Exactness {
    /// `ours` or a peer.
    pub name: &'static str,
    /// Batch size.
    pub batch: u32,
    /// Against the float64 reference.
    pub cosine: Cosines,
}

/// Our own figures alone, at a number of sessions, over all rounds with every peer.
#[derive(Clone, Debug, Serialize)]
pub struct OwnFigures {
    /// How many.
    pub sessions: usize,
    /// Median milliseconds of a query.
    pub query_ms_p50: Option<Spread>,
    /// 99th percentile of the milliseconds of a query.
    pub query_ms_p99: Option<Spread>,
    /// Texts per second in bulk.
    pub texts_per_second: Option<Spread>,
}

/// The embedding part of the benchmark.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Embedding {
    /// Ours alone.
    pub ours: Vec<OwnFigures>,
    /// Ours against each peer.
    pub comparisons: Vec<Comparison>,
    /// Cosines to the reference.
    pub exactness: Vec<Exactness>,
    /// What is missing.
    pub skipped: Vec<Skipped>,
}

type Samples = Vec<(f64, f64)>;

/// Measures ours beside every peer of the pace. Fails when ours fails; a peer that fails is skipped.
pub async fn run(
    onnxruntime: &Path,
    python: anyhow::Result<PathBuf>,
    bench_dir: &Path,
    texts: &Texts,
    pace: &Pace,
) -> anyhow::Result<Embedding> {
    ours::load_runtime(onnxruntime)?;
    let mut result = Embedding::default();
    let reference = match &python {
        Ok(python) => match Peer::reference(python, bench_dir, texts).await {
            Ok(vectors) => Some(vectors),
            Err(error) => {
                say(&format!("no reference vectors: {error:#}"));
                None
            }
        },
        Err(_) => None,
    };
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let plans = PLANS.iter().filter(|plan| plan.quick || !pace.quick);
    let mut pools = BTreeMap::new();
    for plan in plans.clone() {
        if let (Some(sessions), false) = (
            NonZeroUsize::new(plan.threads),
            pools.contains_key(&plan.threads),
        ) {
            pools.insert(plan.threads, Ours::start(sessions)?);
        }
    }
    if let (Some(ours), Some(reference)) = (pools.values().next(), &reference) {
        let vectors = ours.vectors(texts.compared()).await?;
        result.note_cosine("ours", 16, &vectors, reference);
    }
    for plan in plans {
        let started = match &python {
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
            Ok(_) if cores < plan.threads => Err(anyhow::anyhow!("there is only {cores} core")),
            Ok(python) => Peer::start(python, bench_dir, plan.name, plan.threads, texts).await,
        };
        let measured = match started {
            Ok(peer) => against(peer, plan, &pools[&plan.threads], texts, pace, &reference).await,
            Err(error) => Err(Fault::Peer(error)),
        };
        match measured {
            Ok(more) => result.add(more),
            Err(Fault::Ours(error)) => return Err(error),
            Err(Fault::Peer(error)) => result.skip(plan, &error),
        }
    }
    for (sessions, ours) in &pools {
        let own = own_figures(*sessions, ours, texts, pace, &result.comparisons).await?;
        result.ours.push(own);
    }
    Ok(result)
}

/// Whose fault it is that a row is missing.
enum Fault {
    Ours(anyhow::Error),
    Peer(anyhow::Error),
}

async fn against(
    mut peer: Peer,
    plan: &PeerPlan,
    ours: &Ours,
    texts: &Texts,
    pace: &Pace,
    reference: &Option<Vec<Vec<f64>>>,
) -> Result<Embedding, Fault> {
    say(&format!(
        "ours against {} {} with {} thread(s), {} rounds",
        plan.name,
        peer.version(),
        plan.threads,
        pace.rounds
    ));
    let mut result = Embedding::default();
    let batches = peer.batches().to_vec();
    if let Some(reference) = reference {
        for batch in &batches {
            let vectors = peer.vectors(*batch).await.map_err(Fault::Peer)?;
            result.note_cosine(plan.name, *batch, &vectors, reference);
        }
    }
    let (mut p50, mut p99): (Samples, Samples) = Default::default();
    let mut bulk: Vec<Samples> = vec![Vec::new(); batches.len()];
    for round in 0..pace.rounds {
        // Whoever comes first meets what the other left in the caches: they take turns at it.
        let ours_first = round % 2 == 0;
        if plan.queries {
            let (mine, theirs) = query_pair(&mut peer, ours, texts, pace, ours_first).await?;
            p50.push((mine.p50_ms, theirs.p50_ms));
            p99.push((mine.p99_ms, theirs.p99_ms));
        }
        for (batch, samples) in batches.iter().zip(&mut bulk) {
            samples.push(bulk_pair(&mut peer, *batch, ours, texts, pace, ours_first).await?);
        }
    }
    let version = peer.version().to_owned();
    let row = |measure, batch, rounds| Comparison::of(plan, &version, measure, batch, rounds);
    result
        .comparisons
        .extend(row(Measure::QueryMsP50, None, p50));
    result
        .comparisons
        .extend(row(Measure::QueryMsP99, None, p99));
    for (batch, samples) in batches.iter().zip(bulk) {
        let compared = row(Measure::TextsPerSecond, Some(*batch), samples);
        result.comparisons.extend(compared);
    }
    peer.stop().await.map_err(Fault::Peer)?;
    Ok(result)
}

async fn query_pair(
    peer: &mut Peer,
    ours: &Ours,
    texts: &Texts,
    pace: &Pace,
    ours_first: bool,
) -> Result<(crate::stats::Latency, crate::stats::Latency), Fault> {
    let mine = ours.query(&texts.queries, pace.seconds);
    if ours_first {
        let mine = mine.await.map_err(Fault::Ours)?;
        Ok((mine, peer.query(pace.seconds).await.map_err(Fault::Peer)?))
    } else {
        let theirs = peer.query(pace.seconds).await.map_err(Fault::Peer)?;
        Ok((mine.await.map_err(Fault::Ours)?, theirs))
    }
}

async fn bulk_pair(
    peer: &mut Peer,
    batch: u32,
    ours: &Ours,
    texts: &Texts,
    pace: &Pace,
    ours_first: bool,
) -> Result<(f64, f64), Fault> {
    let mine = ours.bulk(&texts.bulk, pace.seconds);
    if ours_first {
        let mine = mine.await.map_err(Fault::Ours)?;
        let theirs = peer.bulk(batch, pace.seconds).await;
        Ok((mine, theirs.map_err(Fault::Peer)?))
    } else {
        let theirs = peer.bulk(batch, pace.seconds).await;
        let theirs = theirs.map_err(Fault::Peer)?;
        Ok((mine.await.map_err(Fault::Ours)?, theirs))
    }
}

/// Out of the comparisons; measured anew where there was no peer to compare with.
async fn own_figures(
    sessions: usize,
    ours: &Ours,
    texts: &Texts,
    pace: &Pace,
    comparisons: &[Comparison],
) -> anyhow::Result<OwnFigures> {
    let seen = |measure| -> Vec<f64> {
        comparisons
            .iter()
            .filter(|row| row.threads == sessions && row.measure == measure)
            .flat_map(|row| row.rounds.iter().map(|(mine, _)| *mine))
            .collect()
    };
    let (mut p50, mut p99) = (seen(Measure::QueryMsP50), seen(Measure::QueryMsP99));
    let mut rate = seen(Measure::TextsPerSecond);
    if p50.is_empty() || rate.is_empty() {
        for _ in 0..pace.rounds {
            let query = ours.query(&texts.queries, pace.seconds).await;
            let query = query.context("ours, one query at a time")?;
            p50.push(query.p50_ms);
            p99.push(query.p99_ms);
            rate.push(ours.bulk(&texts.bulk, pace.seconds).await?);
        }
    }
    Ok(OwnFigures {
        sessions,
        query_ms_p50: Spread::of(&p50),
        query_ms_p99: Spread::of(&p99),
        texts_per_second: Spread::of(&rate),
    })
}

impl Comparison {
    /// `None` without rounds.
    pub fn of(
        plan: &PeerPlan,
        version: &str,
        measure: Measure,
        batch: Option<u32>,
        rounds: Vec<(f64, f64)>,
    ) -> Option<Self> {
        let column = |pick: fn(&(f64, f64)) -> f64| {
            let figures: Vec<f64> = rounds.iter().map(pick).collect();
            Spread::of(&figures)
        };
        Some(Self {
            peer: plan.name,
            version: version.to_owned(),
            threads: plan.threads,
            measure,
            batch,
            ours: column(|(mine, _)| *mine)?,
            theirs: column(|(_, theirs)| *theirs)?,
            ratio: column(|(mine, theirs)| mine / theirs)?,
            rounds,
        })
    }
}

impl Embedding {
    fn note_cosine(
        &mut self,
        name: &'static str,
        batch: u32,
        vectors: &[Vec<f64>],
        reference: &[Vec<f64>],
    ) {
        let known = |seen: &Exactness| seen.name == name && seen.batch == batch;
        if let Some(cosine) = Cosines::of(vectors, reference)
            && !self.exactness.iter().any(known)
        {
            self.exactness.push(Exactness {
                name,
                batch,
                cosine,
            });
        }
    }

    fn add(&mut self, more: Self) {
        self.comparisons.extend(more.comparisons);
        for one in more.exactness {
            let known = |seen: &Exactness| seen.name == one.name && seen.batch == one.batch;
            if !self.exactness.iter().any(known) {
                self.exactness.push(one);
            }
        }
    }

    fn skip(&mut self, plan: &PeerPlan, error: &anyhow::Error) {
        let reason = format!("{error:#}");
        say(&format!(
            "skipped {} with {} thread(s): {reason}",
            plan.name, plan.threads
        ));
        self.skipped.push(Skipped {
            peer: plan.name,
            threads: plan.threads,
            reason,
        });
    }
}
