//! A run that holds the lock: sources land one after the other, each while the one before is merged.

use std::time::{Duration, Instant};

use service_kit::with_causes;
use sqlx::{Connection, PgConnection};

use super::{
    EtlError, ledger,
    load::{self, Landed},
    report::{Outcome, RunReport, SourceReport},
};
use crate::{
    Warehouse,
    source::{Patient, Snapshot, Source, System},
};

/// Longest wait for the session in which sources land. A run does without it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A run that holds the lock.
pub(crate) struct Run {
    connection: PgConnection,
    run_id: i64,
    begun: Instant,
    sources: Vec<SourceReport>,
}

/// A source, and what came of landing it ahead.
struct Landing<'a> {
    source: &'a dyn Source,
    took: Duration,
    outcome: Outlook,
}

enum Outlook {
    Landed(Box<dyn Snapshot>, Landed),
    /// For want of a session, not of the source: it can still land in the one that merges.
    NotYet,
    Failed(EtlError),
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

    /// The whole of it.
    pub(super) async fn over(
        mut self,
        sources: &[&dyn Source],
        warehouse: &Warehouse,
    ) -> Result<RunReport, EtlError> {
        let run_id = self.run_id;
        // For what needs not wait for a merge.
        let mut landing = landing_session(warehouse).await;
        // With a share for what follows the sources.
        let shares = u32::try_from(sources.len() + 1).unwrap_or(u32::MAX);
        let share = warehouse.run_limit() / shares;
        let sources = sources.iter().map(|source| Patient::new(*source, share));
        let sources: Vec<_> = sources.collect();
        let mut sources = sources.iter().map(|source| -> &dyn Source { source });
        let mut next = land(&mut landing, run_id, sources.next()).await;
        while let Some(landed) = next {
            // Where the session that merges is lost, so is the lock: nothing may land any more.
            let (_, following) = tokio::try_join!(Box::pin(self.merge(landed)), async {
                Ok(land(&mut landing, run_id, sources.next()).await)
            })?;
            next = following;
        }
        // Its rows are merged by now: how it ends matters to nobody.
        if let Some(landing) = landing {
            let _ended = landing.close().await;
        }
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

    async fn merge(&mut self, landing: Landing<'_>) -> Result<(), EtlError> {
        let system = landing.source.system();
        let now = Instant::now();
        // Landing ahead may have been done long before this merge's turn came.
        let begun = now.checked_sub(landing.took).unwrap_or(now);
        let merged = match landing.outcome {
            Outlook::Landed(mut snapshot, landed) => {
                let snapshot = snapshot.as_mut();
                load::merge(&mut self.connection, self.run_id, landed, snapshot, begun).await
            }
            Outlook::NotYet => {
                let from = load::likely_from(&mut self.connection, system).await?;
                match landing.source.open(from).await {
                    Ok(mut snapshot) => return self.load(system, snapshot.as_mut(), begun).await,
                    Err(error) => Err(error.into()),
                }
            }
            Outlook::Failed(error) => Err(error),
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

/// The session in which sources land ahead; without it they land in their turn.
async fn landing_session(warehouse: &Warehouse) -> Option<PgConnection> {
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, warehouse.etl_connection());
    let error = match connected.await {
        Ok(Ok(connection)) => return Some(connection),
        Ok(Err(error)) => with_causes(&error),
        Err(_) => format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
    };
    tracing::warn!(
        error,
        "no second session with the warehouse: sources land in their turn"
    );
    None
}

/// Opens a source's snapshot and lands what changed. `None` when there is no source left. A session that fails is
/// given up.
async fn land<'a>(
    session: &mut Option<PgConnection>,
    run_id: i64,
    source: Option<&'a dyn Source>,
) -> Option<Landing<'a>> {
    let source = source?;
    let (system, begun) = (source.system(), Instant::now());
    let landed = async {
        let Some(connection) = session.as_mut() else {
            return Ok(Outlook::NotYet);
        };
        let from = load::likely_from(connection, system).await?;
        let mut snapshot = source.open(from).await?;
        let landed = load::land(connection, run_id, system, snapshot.as_mut()).await?;
        Ok(Outlook::Landed(snapshot, landed))
    };
    let outcome = match landed.await {
        Ok(outlook) => outlook,
        Err(EtlError::Warehouse(error)) => {
            let error = with_causes(&error);
            tracing::warn!(
                source = system.name(),
                error,
                "landing ahead failed: it lands in its turn"
            );
            *session = None;
            Outlook::NotYet
        }
        Err(error) => Outlook::Failed(error),
    };
    Some(Landing {
        source,
        took: begun.elapsed(),
        outcome,
    })
}
