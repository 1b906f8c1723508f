//! Several clients at once, each with one request at a time.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use contracts::GetContentAnswer;
use serde::Serialize;
use tokio::task::JoinSet;

use super::{Client, request};
use crate::stats::Latency;

/// How much to ask.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many at once.
    pub clients: usize,
    /// No request begins after this time.
    pub time: Duration,
    /// Most requests of all clients together.
    pub requests: usize,
}

/// How it went.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Served {
    /// Of single requests, from the first byte sent to the last one received.
    #[serde(flatten)]
    pub latency: Latency,
    /// All clients together.
    pub requests_per_second: f64,
}

impl Served {
    /// Of at least one request; `spent` is the time from the first to the last.
    pub fn of(times: &[Duration], spent: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            latency: Latency::of(times).context("no request was answered")?,
            requests_per_second: times.len() as f64 / spent.as_secs_f64(),
        })
    }
}

/// Where an answer must come from, or the figure means something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// From the cache.
    Cached,
    /// Made for this request.
    Uncached,
}

impl Expected {
    /// An error unless the answer comes from where it should.
    pub fn check(self, answer: &GetContentAnswer, text: &str) -> anyhow::Result<()> {
        match (self, answer.cached) {
            (Self::Cached, false) => bail!("the answer to '{text}' should have been cached"),
            (Self::Uncached, true) => bail!(
                "the answer to '{text}' was cached already; measure a system that nobody else asks"
            ),
            _ => Ok(()),
        }
    }
}

/// Asks what `text` gives for 0, 1, 2, ...; before that its first text once, if answers are to be
/// cached.
pub async fn run(
    client: &Client,
    load: Load,
    expected: Expected,
    text: impl Fn(usize) -> String,
) -> anyhow::Result<Served> {
    if expected == Expected::Cached {
        client.get_content(&request(&text(0))).await?;
    }
    // Made beforehand: the clients share two cores with what they measure.
    let texts: Vec<String> = (0..load.requests).map(text).collect();
    let next = std::sync::Arc::new((texts, AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..load.clients {
        let (client, next) = (client.clone(), std::sync::Arc::clone(&next));
        clients.spawn(async move {
            let (texts, taken) = next.as_ref();
            let mut times = Vec::new();
            while begun.elapsed() < load.time
                && let Some(text) = texts.get(taken.fetch_add(1, Ordering::Relaxed))
            {
                let (time, answer) = client.get_content(&request(text)).await?;
                expected.check(&answer, text)?;
                times.push(time);
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = clients.join_next().await {
        times.extend(ended??);
    }
    Served::of(&times, begun.elapsed())
}
