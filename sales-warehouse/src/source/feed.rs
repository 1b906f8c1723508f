//! [`Source`] on content-api's change feed, `GET /v1/changes`.
//!
//! A thing stands in the feed once, at the position of its last change; who reads up to the first empty page holds
//! the state of everything at that moment. So a snapshot is what was read by then, as rows: it is held in memory,
//! which suffices for what people write by hand, and is bounded. A watermark is the position after the last one read.
//!
//! - Only what follows the watermark is read, and the thing just before it, which says that this is still the same
//!   feed: one that ends before its reader's place was rewound.
//! - Counts for reconciliation are of a second, whole reading, made only when something changed. If the feed has
//!   moved on meanwhile there are none this time.
//! - Positions cannot tell a feed that was set back and has grown past its reader since. Reconciliation does: rows and
//!   revisions do not add up, and the next run reads everything.

mod client;
mod copy;
mod held;
mod things;

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{
    RowStream, Snapshot, SnapshotFacts, Source, SourceError, System, Table, Totals, Watermark,
};
pub use client::ChangeFeed;
pub use held::Held;
use things::Thing;

/// Which fields of a thing are read, and how: another number makes the next run read everything anew.
const EPOCH: &str = "changes 1";

/// PromptContent behind its change feed.
#[derive(Clone, Debug)]
pub struct FeedSource {
    feed: ChangeFeed,
}

impl FeedSource {
    /// Reads this feed. Nothing is asked for yet.
    pub fn new(feed: ChangeFeed) -> Self {
        Self { feed }
    }
}

#[async_trait]
impl Source for FeedSource {
    fn system(&self) -> System {
        System::PromptContent
    }

    async fn open(&self, from: Watermark) -> Result<Box<dyn Snapshot>, SourceError> {
        let snapshot = match FeedSnapshot::read(&self.feed, from).await? {
            Some(snapshot) => snapshot,
            // Rewound: all of it then, whose watermark tells.
            None => FeedSnapshot::whole(&self.feed).await?,
        };
        Ok(Box::new(snapshot))
    }
}

/// What a reading gave.
struct FeedSnapshot {
    feed: Option<ChangeFeed>,
    /// From where on it is complete.
    from: Watermark,
    held: Held,
    facts: SnapshotFacts,
}

impl FeedSnapshot {
    async fn whole(feed: &ChangeFeed) -> Result<Self, SourceError> {
        let read = Self::read(feed, Watermark::START).await?;
        Ok(read.unwrap_or_else(|| Self::of(Some(feed.clone()), Held::default(), feed.now())))
    }

    /// Everything from a watermark on; `None` if the feed ends before it.
    async fn read(feed: &ChangeFeed, from: Watermark) -> Result<Option<Self>, SourceError> {
        // The thing before it stands where it was read, or further on.
        let after = position(from).saturating_sub(2).max(0);
        let mut held = Held::default();
        let mut pages = feed.pages(after);
        while let Some(page) = pages.next().await? {
            for change in &page {
                held.take(change)?;
            }
        }
        if held.is_empty() && position(from) > 1 {
            return Ok(None);
        }
        held.check()?;
        let mut snapshot = Self::of(Some(feed.clone()), held, pages.asked_at());
        snapshot.from = from;
        Ok(Some(snapshot))
    }

    fn of(feed: Option<ChangeFeed>, held: Held, as_of: time::OffsetDateTime) -> Self {
        let facts = SnapshotFacts {
            epoch: EPOCH.to_owned(),
            next: Watermark(held.last().unsigned_abs() + 1),
            complete_from: Watermark::START,
            as_of,
            notices: held.notices(),
        };
        Self {
            feed,
            from: Watermark::START,
            held,
            facts,
        }
    }

    /// Reads more if this does not reach back as far.
    async fn reach(&mut self, since: Watermark) -> Result<(), SourceError> {
        if since < self.from
            && let Some(feed) = &self.feed
        {
            *self = Self::whole(feed).await?;
        }
        Ok(())
    }

    /// Counts by a reading of their own; `None` if the feed has moved on.
    async fn count(&self, feed: &ChangeFeed, table: &Table) -> Result<Option<Totals>, SourceError> {
        let (mut rows, mut sum, mut faults) = (0, 0, BTreeSet::new());
        let mut pages = feed.pages(0);
        while let Some(page) = pages.next().await? {
            for change in &page {
                if Thing::position(change)? > self.held.last() {
                    return Ok(None);
                }
                let thing = Thing::read(change, &mut faults, &mut BTreeSet::new());
                if let Some(thing) = thing
                    && thing.key.relation() == table.relation.name
                    && let Some(row) = thing.row
                {
                    rows += 1;
                    sum += row.measure;
                }
            }
        }
        Ok(Some(Totals {
            rows,
            sum: sum.to_string(),
        }))
    }
}

fn position(watermark: Watermark) -> i64 {
    i64::try_from(watermark.0).unwrap_or(i64::MAX)
}

#[async_trait]
impl Snapshot for FeedSnapshot {
    fn facts(&self) -> &SnapshotFacts {
        &self.facts
    }

    async fn rows(
        &mut self,
        table: &'static Table,
        since: Watermark,
    ) -> Result<RowStream<'_>, SourceError> {
        self.reach(since).await?;
        Ok(self.held.rows(table, position(since)))
    }

    async fn tombstones(&mut self, since: Watermark) -> Result<RowStream<'_>, SourceError> {
        self.reach(since).await?;
        Ok(self.held.tombstones(position(since)))
    }

    async fn totals(&mut self, table: &'static Table) -> Result<Option<Totals>, SourceError> {
        match &self.feed {
            Some(feed) if self.from > Watermark::START => self.count(feed, table).await,
            _ => Ok(Some(self.held.totals(table))),
        }
    }
}

/// A snapshot of things that are held already, for a feed that is no service: demonstration data.
pub(crate) fn held_snapshot(held: Held, as_of: time::OffsetDateTime) -> Box<dyn Snapshot> {
    Box::new(FeedSnapshot::of(None, held, as_of))
}
