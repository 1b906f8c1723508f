//! A source that is waited for only so long in all, so that one that trickles leaves the others their share of a run.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _, stream};

use super::{
    RowStream, Snapshot, SnapshotFacts, Source, SourceError, System, Table, Totals, Watermark,
};

/// See the module. What is done with its rows in between takes nothing from the limit.
#[derive(Clone, Copy)]
pub(crate) struct Patient<'a> {
    source: &'a dyn Source,
    limit: Duration,
}

impl<'a> Patient<'a> {
    pub(crate) fn new(source: &'a dyn Source, limit: Duration) -> Self {
        Self { source, limit }
    }
}

#[async_trait]
impl Source for Patient<'_> {
    fn system(&self) -> System {
        self.source.system()
    }

    async fn open(&self, from: Watermark) -> Result<Box<dyn Snapshot>, SourceError> {
        let mut patience = Patience {
            system: self.source.system(),
            limit: self.limit,
            left: self.limit,
        };
        let snapshot = patience.wait(self.source.open(from)).await?;
        Ok(Box::new(PatientSnapshot { snapshot, patience }))
    }
}

struct PatientSnapshot {
    snapshot: Box<dyn Snapshot>,
    patience: Patience,
}

#[async_trait]
impl Snapshot for PatientSnapshot {
    fn facts(&self) -> &SnapshotFacts {
        self.snapshot.facts()
    }

    async fn rows(
        &mut self,
        table: &'static Table,
        since: Watermark,
    ) -> Result<RowStream<'_>, SourceError> {
        let rows = self.snapshot.rows(table, since);
        let rows = self.patience.wait(rows).await?;
        Ok(self.patience.along(rows))
    }

    async fn tombstones(&mut self, since: Watermark) -> Result<RowStream<'_>, SourceError> {
        let keys = self.snapshot.tombstones(since);
        let keys = self.patience.wait(keys).await?;
        Ok(self.patience.along(keys))
    }

    async fn totals(&mut self, table: &'static Table) -> Result<Option<Totals>, SourceError> {
        self.patience.wait(self.snapshot.totals(table)).await
    }
}

struct Patience {
    system: System,
    limit: Duration,
    left: Duration,
}

impl Patience {
    async fn wait<T>(
        &mut self,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let begun = Instant::now();
        let done = tokio::time::timeout(self.left, work).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        done.unwrap_or_else(|_| {
            Err(SourceError::TooSlow {
                system: self.system,
                seconds: self.limit.as_secs(),
            })
        })
    }

    fn along<'a>(&'a mut self, rows: RowStream<'a>) -> RowStream<'a> {
        let chunks = stream::try_unfold((rows, self), |(mut rows, patience)| async move {
            // Most are there already, and looking at the clock for each would be a part of a load's work.
            let next = match rows.next().now_or_never() {
                Some(there) => there.transpose()?,
                None => {
                    patience
                        .wait(async { rows.next().await.transpose() })
                        .await?
                }
            };
            Ok(next.map(|chunk| (chunk, (rows, patience))))
        });
        chunks.boxed()
    }
}
