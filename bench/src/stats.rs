//! Percentiles and spreads.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Times of single requests, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// How many were timed.
    pub count: usize,
}

impl Latency {
    /// Of at least one time.
    pub fn of(times: &[Duration]) -> Option<Self> {
        let millis = times.iter().map(|time| time.as_secs_f64() * 1_000.0);
        Self::of_millis(millis.collect())
    }

    /// Of at least one time, in milliseconds.
    pub fn of_millis(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        Some(Self {
            p50_ms: percentile(&times, 50.0)?,
            p99_ms: percentile(&times, 99.0)?,
            count: times.len(),
        })
    }
}

/// What a figure was over the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Least.
    pub min: f64,
    /// Middle.
    pub median: f64,
    /// Greatest.
    pub max: f64,
}

impl Spread {
    /// Of at least one figure.
    pub fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            min: percentile(&sorted, 0.0)?,
            median: percentile(&sorted, 50.0)?,
            max: percentile(&sorted, 100.0)?,
        })
    }
}

/// The percentile of ascending figures, with linear interpolation, as NumPy does it for the peers.
pub fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = percent.clamp(0.0, 100.0) / 100.0 * last as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let part = place - place.floor();
    Some(sorted[below] + (sorted[above] - sorted[below]) * part)
}

/// How near vectors are to their reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cosines {
    /// Of the worst text.
    pub min: f64,
    /// On average.
    pub mean: f64,
}

impl Cosines {
    /// Row by row; `None` unless both sides hold the same number of vectors, and at least one.
    pub fn of(vectors: &[Vec<f64>], reference: &[Vec<f64>]) -> Option<Self> {
        if vectors.len() != reference.len() {
            return None;
        }
        let rows = vectors.iter().zip(reference);
        let cosines: Vec<f64> = rows.map(|(left, right)| cosine(left, right)).collect();
        let min = cosines.iter().copied().min_by(f64::total_cmp)?;
        let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
        Some(Self { min, mean })
    }
}

fn cosine(left: &[f64], right: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
}
