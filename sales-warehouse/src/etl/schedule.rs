//! A run every few minutes.

use std::time::Duration;

use service_kit::{CancellationToken, Clock, with_causes};
use tokio::time::MissedTickBehavior;

use super::{SourceConfig, run_once};
use crate::{Warehouse, freshness::freshness};

/// How often the service brings the warehouse level.
pub const EVERY: Duration = Duration::from_secs(4 * 60);

/// How often [`watch`] looks: four times between two runs.
pub const WATCH_EVERY: Duration = Duration::from_secs(60);

/// Runs at once and then every so often, until told to stop. A run that is under way is then dropped, which
/// harms nothing; one that fails is tried again at the next tick.
pub async fn keep_running(
    warehouse: &Warehouse,
    sources: &[SourceConfig],
    every: Duration,
    stop: &CancellationToken,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let forever = async {
        loop {
            ticks.tick().await;
            if let Err(error) = run_once(warehouse, sources).await {
                tracing::error!(error = with_causes(&error), "etl failed");
            }
        }
    };
    tokio::select! {
        () = forever => {}
        () = stop.cancelled() => {}
    }
}

/// Warns of sources that are stale, every so often, until told to stop: whoever runs the ETL, and also while a run
/// hangs.
pub async fn watch(
    warehouse: &Warehouse,
    every: Duration,
    clock: &Clock,
    stop: &CancellationToken,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first is at once, when the first run has only begun.
    ticks.tick().await;
    let forever = async {
        loop {
            ticks.tick().await;
            warn_of_stale(warehouse, clock).await;
        }
    };
    tokio::select! {
        () = forever => {}
        () = stop.cancelled() => {}
    }
}

async fn warn_of_stale(warehouse: &Warehouse, clock: &Clock) {
    match freshness(warehouse, clock.now()).await {
        Ok(sources) => {
            for source in sources.iter().filter(|source| source.stale) {
                tracing::warn!(
                    source = source.source,
                    age_seconds = source.age_seconds,
                    "a source is stale in the warehouse"
                );
            }
        }
        Err(error) => tracing::warn!(error = with_causes(&error), "freshness cannot be read"),
    }
}
