//! A run that holds the lock: sources land one after the other, each while the one before is merged.

use std::time::Instant;

use service_kit::with_causes;
use sqlx::{Connection, PgConnection};

use super::{
    EtlError, ledger,
    load::{self, Landed},
    report::{Outcome, RunReport, SourceReport},
};
use crate::source::{Snapshot, Source, System};

/// A run that holds the lock.
pub(crate) struct Run {
    connection: PgConnection,
    run_id: i64,
    begun: Instant,
    sources: Vec<SourceReport>,
}

/// A source that landed, or did not.
struct Landing {
    system: System,
    begun: Instant,
    outcome: Result<(Box<dyn Snapshot>, Landed), EtlError>,
}

impl Run {
    /// Notes the run in the ledger. The connection holds the lock.
    pub(crate) async fn begin(mut connection: PgConnection) -> Result<Self, EtlError> {
        let run_id = ledger::begin(&mut connection).await?;
        Ok(Self {
            connection,
            run_id,
            begun: Instant::now(),
            sources: Vec::new(),
        })
    }

    /// Its number in the ledger.
    pub(super) fn id(&self) -> i64 {
        self.run_id
    }

    /// The whole of it. `landing` is a session for what needs not wait for a merge.
    pub(super) async fn over(
        mut self,
        sources: &[&dyn Source],
        mut landing: PgConnection,
    ) -> Result<RunReport, EtlError> {
        let run_id = self.run_id;
        let mut sources = sources.iter().copied();
        let mut next = land(&mut landing, run_id, sources.next()).await;
        while let Some(landed) = next {
            let (merged, following) = tokio::join!(
                self.merge(landed),
                land(&mut landing, run_id, sources.next())
            );
            merged?;
            next = following;
        }
        // Its rows are merged by now: how it ends matters to nobody.
        let _ended = landing.close().await;
        self.finish().await
    }

    /// Takes one source's changes in. Its failure is noted; the warehouse's ends the run.
    pub(crate) async fn load(
        &mut self,
        system: System,
        snapshot: &mut dyn Snapshot,
        begun: Instant,
    ) -> Result<(), EtlError> {
        let (connection, run_id) = (&mut self.connection, self.run_id);
        let merged = match load::land(connection, run_id, system, snapshot).await {
            Ok(landed) => load::merge(connection, run_id, landed, snapshot, begun).await,
            Err(error) => Err(error),
        };
        self.note(system, merged, begun).await
    }

    async fn merge(&mut self, landing: Landing) -> Result<(), EtlError> {
        let Landing {
            system,
            begun,
            outcome,
        } = landing;
        let merged = match outcome {
            Ok((mut snapshot, landed)) => {
                let snapshot = snapshot.as_mut();
                load::merge(&mut self.connection, self.run_id, landed, snapshot, begun).await
            }
            Err(error) => Err(error),
        };
        self.note(system, merged, begun).await
    }

    async fn note(
        &mut self,
        system: System,
        merged: Result<SourceReport, EtlError>,
        begun: Instant,
    ) -> Result<(), EtlError> {
        let report = match merged {
            Ok(report) => report,
            Err(error) => return self.give_up(system, error, begun).await,
        };
        for notice in &report.notices {
            tracing::warn!(source = report.source, notice, "etl notice");
        }
        if report.reconciled == Some(false) {
            tracing::error!(
                source = report.source,
                run_id = self.run_id,
                error = report.error,
                "warehouse and source disagree"
            );
        }
        self.sources.push(report);
        Ok(())
    }

    async fn give_up(
        &mut self,
        system: System,
        error: EtlError,
        begun: Instant,
    ) -> Result<(), EtlError> {
        let message = with_causes(&error);
        tracing::warn!(source = system.name(), error = message, "etl source failed");
        let report = SourceReport::failed(system, message, begun.elapsed());
        // When it is the connection that broke, this fails too, and the lock is gone with it.
        ledger::source_done(&mut self.connection, self.run_id, &report).await?;
        self.sources.push(report);
        Ok(())
    }

    /// What follows the sources: closing campaigns, the ledger's last word.
    async fn finish(self) -> Result<RunReport, EtlError> {
        let (report, connection) = self.finish_keeping_lock().await?;
        ledger::release(connection).await?;
        Ok(report)
    }

    /// The same; the lock lasts as long as the connection.
    pub(crate) async fn finish_keeping_lock(
        mut self,
    ) -> Result<(RunReport, PgConnection), EtlError> {
        let mut outcome = Outcome {
            marts_refreshed: self.sources.iter().any(|source| source.changed() > 0),
            ..Outcome::default()
        };
        match ledger::close_campaigns(&mut self.connection).await {
            Ok(closed) => outcome.campaigns_closed = closed,
            Err(error) => {
                let error = EtlError::from(error);
                outcome.message = Some(format!("closing campaigns: {}", with_causes(&error)));
            }
        }
        let failed = self
            .sources
            .iter()
            .filter(|source| source.error.is_some())
            .map(|source| source.source);
        let failed: Vec<_> = failed.collect();
        if !failed.is_empty() && outcome.message.is_none() {
            outcome.message = Some(format!("failed: {}", failed.join(", ")));
        }
        ledger::finish(&mut self.connection, self.run_id, &outcome).await?;
        let report = RunReport::of(self.run_id, outcome, self.sources, self.begun.elapsed());
        tracing::info!(
            run_id = report.run_id,
            status = ?report.status,
            duration_ms = report.duration_ms,
            "etl done"
        );
        Ok((report, self.connection))
    }
}

/// Opens a source's snapshot and lands what changed. `None` when there is no source left.
async fn land(
    connection: &mut PgConnection,
    run_id: i64,
    source: Option<&dyn Source>,
) -> Option<Landing> {
    let source = source?;
    let (system, begun) = (source.system(), Instant::now());
    let landed = async {
        let from = load::likely_from(connection, system).await?;
        let mut snapshot = source.open(from).await?;
        let landed = load::land(connection, run_id, system, snapshot.as_mut()).await?;
        Ok((snapshot, landed))
    };
    Some(Landing {
        system,
        begun,
        outcome: landed.await,
    })
}
