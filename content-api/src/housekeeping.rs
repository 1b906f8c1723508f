//! What is dropped when its time is over: log entries and the keys of repeatable requests.

use std::{sync::Arc, time::Duration};

use contracts::limits::LOG_DAYS;
use service_kit::{CancellationToken, Clock};

use crate::{
    requests::KEY_LIFETIME,
    store::{Store, StoreError},
};

/// Between two times. What is over is not shown in between either.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Drops what is over. Any number of replicas may run it.
#[derive(Clone)]
pub struct Housekeeping {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Housekeeping {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Runs at once and then every hour, until `stop` is cancelled.
    pub async fn run(&self, stop: CancellationToken) {
        let forever = async {
            loop {
                match self.once().await {
                    Ok((0, 0)) => {}
                    Ok((log_entries, keys)) => {
                        tracing::info!(log_entries, keys, "dropped what was over");
                    }
                    Err(error) => tracing::warn!(%error, "housekeeping failed"),
                }
                tokio::time::sleep(EVERY).await;
            }
        };
        stop.run_until_cancelled(forever).await;
    }

    /// Drops log entries and request keys that are over, and says how many of each.
    pub async fn once(&self) -> Result<(u64, u64), StoreError> {
        let now = self.clock.now();
        let log_entries = self
            .store
            .purge_log(now - time::Duration::days(LOG_DAYS))
            .await?;
        let keys = self.store.purge_keys(now - KEY_LIFETIME).await?;
        Ok((log_entries, keys))
    }
}
