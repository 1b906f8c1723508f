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

/// Reads what changed, merges it, moves the watermark.
pub async fn source(
    connection: &mut PgConnection,
    run_id: i64,
    system: System,
    snapshot: &mut dyn Snapshot,
    begun: Instant,
) -> Result<SourceReport, EtlError> {
    let facts = snapshot.facts().clone();
    let known = merge::watermark(connection, system).await?;
    let mut report = SourceReport::begun(system, &facts);
    let since = since(known.as_ref(), &facts, &mut report.notices);
    report.read_all = since == Watermark::START;
    let merge = Merge {
        run_id,
        system,
        known_version: known.map(|known| known.version),
    };
    let first = attempt(connection, &merge, snapshot, since, report.clone(), begun).await;
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
            attempt(
                connection,
                &merge,
                snapshot,
                Watermark::START,
                report,
                begun,
            )
            .await?
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
    merge: &Merge,
    snapshot: &mut dyn Snapshot,
    since: Watermark,
    report: SourceReport,
    begun: Instant,
) -> Result<SourceReport, EtlError> {
    let staged = stage::changes(connection, merge.system, snapshot, since).await?;
    for (target, rows) in &staged {
        if *rows >= ANALYZE_STAGED_FROM_ROWS {
            merge::analyze(connection, target, false).await?;
        }
    }
    tracing::debug!(elapsed = ?begun.elapsed(), "staged");
    partitions::ensure(connection, merge.system).await?;
    let finish = |mut report: SourceReport| {
        report.duration_ms = milliseconds(begun.elapsed());
        report
    };
    merge
        .staged(connection, snapshot, &staged, report, finish)
        .await
}
