//! One source's part of a run.

use std::time::Instant;

use service_kit::with_causes;
use sqlx::PgConnection;

use super::{
    EtlError,
    merge::{self, Known, Merge},
    partitions,
    report::{SourceReport, milliseconds},
    stage,
};
use crate::source::{Snapshot, SnapshotFacts, System, Watermark};

/// From how many changed rows on the planner's statistics of core are made anew.
const ANALYZE_FROM_ROWS: i64 = 50_000;
/// From how many staged rows on they get statistics; for fewer, any plan will do.
const ANALYZE_STAGED_FROM_ROWS: u64 = 500;

/// What lies in the landing tables of a system.
#[derive(Debug)]
pub struct Landed {
    system: System,
    /// From where it was read.
    since: Watermark,
    /// [`Known::version`] of the watermark that the read began from.
    known_version: Option<String>,
    /// By target, without tombstones.
    rows: Vec<(&'static str, u64)>,
    notices: Vec<String>,
}

/// Reads what changed into landing tables.
pub async fn land(
    connection: &mut PgConnection,
    run_id: i64,
    system: System,
    snapshot: &mut dyn Snapshot,
) -> Result<Landed, EtlError> {
    let known = merge::watermark(connection, system).await?;
    let mut notices = Vec::new();
    let since = since(known.as_ref(), snapshot.facts(), &mut notices);
    let known_version = known.map(|known| known.version);
    let mut landed = Landed {
        system,
        since,
        known_version,
        rows: Vec::new(),
        notices,
    };
    landed.stage(connection, run_id, snapshot).await?;
    Ok(landed)
}

impl Landed {
    async fn stage(
        &mut self,
        connection: &mut PgConnection,
        run_id: i64,
        snapshot: &mut dyn Snapshot,
    ) -> Result<(), EtlError> {
        let begun = Instant::now();
        self.rows = stage::changes(connection, run_id, self.system, snapshot, self.since).await?;
        for (target, rows) in &self.rows {
            if *rows >= ANALYZE_STAGED_FROM_ROWS {
                merge::analyze(connection, target, false).await?;
            }
        }
        tracing::debug!(system = self.system.name(), elapsed = ?begun.elapsed(), "landed");
        Ok(())
    }
}

/// Merges what landed, moves the watermark.
pub async fn merge(
    connection: &mut PgConnection,
    run_id: i64,
    mut landed: Landed,
    snapshot: &mut dyn Snapshot,
    begun: Instant,
) -> Result<SourceReport, EtlError> {
    let system = landed.system;
    let known = merge::watermark(connection, system).await?;
    if known.map(|known| known.version) != landed.known_version {
        // The merge of a source before, or somebody, has asked for all of it since.
        landed = land(connection, run_id, system, snapshot).await?;
    }
    let mut report = SourceReport::begun(system, snapshot.facts());
    report.notices.append(&mut landed.notices);
    report.read_all = landed.since == Watermark::START;
    let first = attempt(connection, run_id, &landed, snapshot, report.clone(), begun).await;
    let mut done = match first {
        Err(error) if error.broke_foreign_key() && !report.read_all => {
            tracing::warn!(
                source = system.name(),
                "a deletion leaves children behind: reading everything"
            );
            report.read_all = true;
            report
                .notices
                .push("a deletion left children behind, so everything was read".to_owned());
            landed.since = Watermark::START;
            landed.stage(connection, run_id, snapshot).await?;
            attempt(connection, run_id, &landed, snapshot, report, begun).await?
        }
        other => other?,
    };
    if done.changed() >= ANALYZE_FROM_ROWS {
        analyze(connection, system, &mut done).await;
    }
    Ok(done)
}

/// From where the reading will begin, unless the source turns out not to be able to tell what happened since.
pub async fn likely_from(
    connection: &mut PgConnection,
    system: System,
) -> Result<Watermark, EtlError> {
    let known = merge::watermark(connection, system).await?;
    let usable = known.filter(|known| !known.read_all);
    Ok(usable.map_or(Watermark::START, |known| known.watermark))
}

/// From where to read: where the last merge left off, unless the source cannot tell what happened since.
fn since(known: Option<&Known>, facts: &SnapshotFacts, notices: &mut Vec<String>) -> Watermark {
    let Some(known) = known else {
        return Watermark::START;
    };
    let why = if known.read_all {
        "that was asked for"
    } else if known.epoch != facts.epoch {
        "the source is another, was truncated, or failed over"
    } else if known.watermark > facts.next {
        "the source was rewound to an earlier time"
    } else if known.watermark < facts.complete_from {
        "the source has thrown deletions away that were not read yet"
    } else {
        return known.watermark;
    };
    notices.push(format!("everything was read, since {why}"));
    Watermark::START
}

/// The data is in and committed, so a failure here is no more than something to tell of.
async fn analyze(connection: &mut PgConnection, system: System, report: &mut SourceReport) {
    for table in system.tables() {
        if let Err(error) = merge::analyze(connection, table.target, true).await {
            let error = with_causes(&error);
            tracing::warn!(table = table.target, error, "no fresh statistics");
            report
                .notices
                .push(format!("no fresh statistics of {}: {error}", table.target));
        }
    }
}

async fn attempt(
    connection: &mut PgConnection,
    run_id: i64,
    landed: &Landed,
    snapshot: &mut dyn Snapshot,
    report: SourceReport,
    begun: Instant,
) -> Result<SourceReport, EtlError> {
    partitions::ensure(connection, landed.system).await?;
    let merge = Merge {
        run_id,
        system: landed.system,
        known_version: landed.known_version.clone(),
    };
    let finish = |mut report: SourceReport| {
        report.duration_ms = milliseconds(begun.elapsed());
        report
    };
    merge
        .staged(connection, snapshot, &landed.rows, report, finish)
        .await
}
