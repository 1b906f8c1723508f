//! What a run did.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use crate::source::{SnapshotFacts, System};

/// How a run, or a source's part of it, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything is in.
    Succeeded,
    /// At least one source did not make it, or closing campaigns did not.
    Failed,
    /// Another run was at work.
    Skipped,
}

/// How a run went, but for its sources.
#[derive(Debug, Default)]
pub struct Outcome {
    pub marts_refreshed: bool,
    pub campaigns_closed: i32,
    /// Set when something failed.
    pub message: Option<String>,
}

impl Outcome {
    pub fn status(&self) -> RunStatus {
        if self.message.is_some() {
            RunStatus::Failed
        } else {
            RunStatus::Succeeded
        }
    }
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Its number in the ledger, `etl.runs`.
    pub run_id: i64,
    /// How it ended.
    pub status: RunStatus,
    /// One a source, in the order in which they were read.
    pub sources: Vec<SourceReport>,
    /// Whether core changed, and the marts with it: they are kept level by the statements that change facts.
    pub marts_refreshed: bool,
    /// Finished campaigns whose books were closed.
    pub campaigns_closed: i32,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// What went wrong, if something did.
    pub message: Option<String>,
}

/// One source in one run. Counts are rows.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// `promptads`, `promptcrm` or `promptcontent`.
    pub source: &'static str,
    /// [`RunStatus::Succeeded`] or [`RunStatus::Failed`].
    pub status: RunStatus,
    /// Whether everything was read rather than what changed.
    pub read_all: bool,
    /// The source's clock when its snapshot was taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub as_of: Option<OffsetDateTime>,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// Rows that the source sent, without tombstones.
    pub rows_read: i64,
    /// New in core.
    pub inserted: i64,
    /// Changed in core.
    pub updated: i64,
    /// Gone from core.
    pub deleted: i64,
    /// Rows read, or tried again, that break a rule.
    pub quarantined: i64,
    /// Whether counts and sums of every table that changed agree with the source's; `None` if none did.
    pub reconciled: Option<bool>,
    /// What a person should know and that stopped nothing.
    pub notices: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl RunReport {
    pub(super) fn skipped(run_id: i64) -> Self {
        Self {
            run_id,
            status: RunStatus::Skipped,
            sources: Vec::new(),
            marts_refreshed: false,
            campaigns_closed: 0,
            duration_ms: 0,
            message: Some("another run was at work".to_owned()),
        }
    }

    pub(super) fn of(
        run_id: i64,
        outcome: Outcome,
        sources: Vec<SourceReport>,
        took: Duration,
    ) -> Self {
        Self {
            run_id,
            status: outcome.status(),
            sources,
            marts_refreshed: outcome.marts_refreshed,
            campaigns_closed: outcome.campaigns_closed,
            duration_ms: milliseconds(took),
            message: outcome.message,
        }
    }

    /// Rows that changed in core, over all sources.
    pub fn changed(&self) -> i64 {
        self.sources.iter().map(SourceReport::changed).sum()
    }
}

impl SourceReport {
    /// Before anything was read.
    pub(super) fn begun(system: System, facts: &SnapshotFacts) -> Self {
        Self {
            status: RunStatus::Succeeded,
            as_of: Some(facts.as_of),
            notices: facts.notices.clone(),
            error: None,
            ..Self::failed(system, String::new(), Duration::ZERO)
        }
    }

    pub(super) fn failed(system: System, error: String, took: Duration) -> Self {
        Self {
            source: system.name(),
            status: RunStatus::Failed,
            read_all: false,
            as_of: None,
            duration_ms: milliseconds(took),
            rows_read: 0,
            inserted: 0,
            updated: 0,
            deleted: 0,
            quarantined: 0,
            reconciled: None,
            notices: Vec::new(),
            error: Some(error),
        }
    }

    /// Notes that counts or sums of these tables are not the source's. What was read is in, and the next run
    /// reads everything.
    pub(super) fn disagrees(&mut self, targets: &[&str]) {
        self.status = RunStatus::Failed;
        self.error = Some(format!(
            "warehouse and {} disagree on {}: see etl.table_runs. The next run reads everything",
            self.source,
            targets.join(", ")
        ));
    }

    /// Rows that changed in core.
    pub fn changed(&self) -> i64 {
        self.inserted + self.updated + self.deleted
    }
}

pub(super) fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
