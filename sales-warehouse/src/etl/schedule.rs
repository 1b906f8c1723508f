//! A run every few minutes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use service_kit::{CancellationToken, Clock, with_causes};
use tokio::time::MissedTickBehavior;

use super::{SourceConfig, run_once};
use crate::{
    Warehouse,
    freshness::{Freshness, STALE_AFTER, freshness},
};

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

/// Looks every so often for sources that are stale, until told to stop: whoever runs the ETL, and also while a run
/// hangs. Warns when one becomes so and again each time that [`STALE_AFTER`] has passed, and says when it no longer is.
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
    let mut warned = BTreeMap::new();
    let forever = async {
        loop {
            ticks.tick().await;
            match freshness(warehouse, clock.now()).await {
                Ok(sources) => warn_of_stale(&sources, &mut warned),
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "freshness cannot be read");
                }
            }
        }
    };
    tokio::select! {
        () = forever => {}
        () = stop.cancelled() => {}
    }
}

/// `warned` holds when it was last said of which source.
fn warn_of_stale(sources: &[Freshness], warned: &mut BTreeMap<&'static str, Instant>) {
    for source in sources {
        let (source, age_seconds, stale) = (source.source, source.age_seconds, source.stale);
        if !stale {
            if warned.remove(source).is_some() {
                tracing::info!(source, age_seconds, "a source is fresh again");
            }
        } else if warned
            .get(source)
            .is_none_or(|at| at.elapsed() >= STALE_AFTER)
        {
            warned.insert(source, Instant::now());
            tracing::warn!(source, age_seconds, "a source is stale in the warehouse");
        }
    }
}
