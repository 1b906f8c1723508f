//! What was aimed at, and whether it was reached.

use serde::Serialize;

use crate::{
    get_content::GetContent,
    rounds::{Comparison, Embedding, Measure},
};

/// The peer that the targets name.
const PEER: &str = "fastembed";

/// One aim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// What is measured, with its unit.
    pub what: String,
    /// `<=` or `>=`.
    pub relation: &'static str,
    /// The bound.
    pub bound: f64,
    /// What was measured; absent when it could not be.
    pub measured: Option<f64>,
    /// Reached? Absent when not measured.
    pub met: Option<bool>,
}

fn at_most(what: impl Into<String>, bound: f64, measured: Option<f64>) -> Target {
    Target {
        what: what.into(),
        relation: "<=",
        bound,
        measured,
        met: measured.map(|figure| figure <= bound),
    }
}

fn at_least(what: impl Into<String>, bound: f64, measured: Option<f64>) -> Target {
    Target {
        what: what.into(),
        relation: ">=",
        bound,
        measured,
        met: measured.map(|figure| figure >= bound),
    }
}

/// Every target of this benchmark.
pub fn all(embedding: &Embedding, get_content: Option<&GetContent>) -> Vec<Target> {
    let medians = |threads: usize, measure: Measure| {
        let rows = embedding
            .comparisons
            .iter()
            .filter(move |row: &&Comparison| {
                row.peer == PEER && row.threads == threads && row.measure == measure
            });
        rows.map(|row| row.ratio.median)
    };
    let mut targets = Vec::new();
    for threads in [1, 2] {
        let query = medians(threads, Measure::QueryMsP50).next();
        let what = format!("ms per query, p50, ours / {PEER}, {threads} thread(s)");
        targets.push(at_most(what, 1.0, query));
        // Against the batch size at which the peer does best.
        let bulk = medians(threads, Measure::TextsPerSecond).min_by(f64::total_cmp);
        let what = format!("texts/s, ours / {PEER} at its better batch, {threads} thread(s)");
        targets.push(at_least(what, 1.15, bulk));
    }
    targets.push(at_most(
        "getContent uncached, 1 client: p50 minus the embedding's p50, ms",
        3.0,
        get_content.map(GetContent::overhead_ms),
    ));
    targets.push(at_most(
        "getContent cached, 1 client: p99, ms",
        5.0,
        get_content.map(|figures| figures.cached_1.latency.p99_ms),
    ));
    targets
}
