//! How old the warehouse's data is.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{Warehouse, source::System};

/// Data older than this is worth a warning: two runs were missed.
pub const STALE_AFTER: Duration = Duration::from_secs(8 * 60);

/// One source's data in the warehouse.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Freshness {
    /// `promptads`, `promptcrm` or `promptcontent`.
    pub source: &'static str,
    /// The source's clock when its last snapshot was taken: everything committed there by then is in.
    /// `None` if it never was read.
    #[serde(with = "time::serde::rfc3339::option")]
    pub as_of: Option<OffsetDateTime>,
    /// Seconds since then; 0 if the source's clock is ahead of ours.
    pub age_seconds: Option<u64>,
    /// Older than [`STALE_AFTER`], or never read.
    pub stale: bool,
}

/// Of every system, in the order of [`System::ALL`]; of PromptContent, where runs come to it.
pub async fn freshness(
    warehouse: &Warehouse,
    now: OffsetDateTime,
) -> Result<Vec<Freshness>, sqlx::Error> {
    let known: Vec<(String, Option<OffsetDateTime>)> =
        sqlx::query_as(include_str!("freshness/watermarks.sql"))
            .fetch_all(warehouse.reader())
            .await?;
    let known_of = |system: System| {
        let mut all = known.iter();
        all.find(|(source, _)| source == system.name())
    };
    let of = |system: System| {
        let as_of = known_of(system).and_then(|(_, as_of)| *as_of);
        let age = as_of.map(|as_of| u64::try_from((now - as_of).whole_seconds()).unwrap_or(0));
        Freshness {
            source: system.name(),
            as_of,
            age_seconds: age,
            stale: age.is_none_or(|age| age > STALE_AFTER.as_secs()),
        }
    };
    // PromptContent is read where its feed is configured.
    let read = |system: &System| *system != System::PromptContent || known_of(*system).is_some();
    Ok(System::ALL.into_iter().filter(read).map(of).collect())
}
