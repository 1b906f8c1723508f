//! The change feed and the campaigns' logs, put in order without transactions.
//!
//! A write marks its document as `unplaced`; where it has events for logs, it leaves them in the
//! document's `outbox` and marks it as `untold` too. The sequencer gives places to what has none, in
//! the feed for one mark and in the logs for the other, in four steps:
//!
//! 1. It reads the document `feed` of `state`: the last place given, a `turn`, and no plan.
//! 2. It reads what is unplaced, and makes a plan: which thing gets which place.
//! 3. It writes the plan into `feed`, on the condition that the turn is still the one it read.
//! 4. It carries the plan out, takes the marks away, and the plan.
//!
//! Whoever finds a plan carries it out before anything else: so a sequencer that dies holds up nobody,
//! and there is no lease and no clock. To carry a plan out again changes nothing: an entry of the feed
//! only moves forward, an entry of a log has a key, and a mark is taken away only from the change that
//! it was made for. Readers see places up to the last one given before they found no plan, so that
//! nothing is ever added behind them.

mod plan;
mod read;

use std::time::Duration;

use mongodb::{
    bson::{Document, doc},
    error::{ErrorKind, Result},
};

use super::{MongoStore, custom, setup::DUPLICATE_KEY};
use crate::store::StoreError;
use plan::Plan;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

/// Longest that a write, which is done, waits for its log.
const TELLING: Duration = Duration::from_secs(2);

/// The document of `state` that holds the last place, the turn and the plan.
pub(super) const FEED: &str = "feed";

/// What the sequencer looks for.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Mark {
    /// Anything without a place.
    Unplaced,
    /// What has something to say in a log.
    Untold,
}

impl Mark {
    fn field(self) -> &'static str {
        match self {
            Self::Unplaced => "unplaced",
            Self::Untold => "untold",
        }
    }
}

/// A moment without a plan.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    /// Of the plan to come.
    turn: i64,
    /// All places up to it are taken, and seen.
    pub(super) last: i64,
}

/// What a run of the sequencer did.
enum Round {
    /// Nothing bears the mark.
    Nothing(Settled),
    /// Everything that bore the mark when it began has a place.
    All,
    /// There is more, or another sequencer was first.
    Part,
}

impl MongoStore {
    /// Gives a place to everything that bears the mark now.
    pub(super) async fn place_all(&self, mark: Mark) -> Result<Settled> {
        loop {
            match self.place_some(mark).await? {
                Round::Nothing(settled) => return Ok(settled),
                Round::All => return self.settle().await,
                Round::Part => {}
            }
        }
    }

    async fn place_some(&self, mark: Mark) -> Result<Round> {
        // In other processes there may be others; within this one they would only be in each
        // other's way.
        let _one = self.sequencing.lock().await;
        let settled = self.settle().await?;
        let plan = self.make_plan(mark, settled.last).await?;
        if plan.is_empty() {
            return Ok(Round::Nothing(settled));
        }
        let update = doc! {
            "$set": {"plan": plan.to_bson()?, "last": plan.last},
            "$inc": {"turn": 1_i64},
        };
        let unchanged = doc! {"_id": FEED, "turn": settled.turn};
        let done = self.state.update_one(unchanged, update).await?;
        self.settle().await?;
        Ok(match (done.matched_count, plan.is_whole) {
            (1, true) => Round::All,
            _ => Round::Part,
        })
    }

    /// Carries out the plan that is there, if one is.
    async fn settle(&self) -> Result<Settled> {
        loop {
            let found = self.state.find_one(doc! {"_id": FEED}).await?;
            let found =
                found.ok_or_else(|| custom("its collection `state` is empty: start anew"))?;
            let turn = found.get_i64("turn").map_err(custom)?;
            let Some(plan) = found.get("plan").and_then(|plan| plan.as_document()) else {
                let last = found.get_i64("last").map_err(custom)?;
                return Ok(Settled { turn, last });
            };
            self.carry_out(&Plan::from_bson(plan)?).await?;
            let done = doc! {"$unset": {"plan": ""}, "$inc": {"turn": 1_i64}};
            let unchanged = doc! {"_id": FEED, "turn": turn};
            self.state.update_one(unchanged, done).await?;
        }
    }

    async fn carry_out(&self, plan: &Plan) -> Result<()> {
        let places = plan.places.iter().map(|place| {
            let forward = doc! {"$max": {"position": place.position}};
            doc! {"q": {"_id": &place.key}, "u": forward}
        });
        let (found, _) = self.update_each(self.feed.name(), places.collect()).await?;
        if found < plan.places.len() as u64 {
            self.insert_missing(
                &self.feed,
                plan.places.iter().map(plan::Place::entry).collect(),
            )
            .await?;
        }
        if !plan.entries.is_empty() {
            self.insert_missing(&self.logs, plan.entries.clone())
                .await?;
        }
        for (collection, clearing) in plan.clearing() {
            self.update_each(collection, clearing).await?;
        }
        Ok(())
    }

    /// Inserts those that are not there.
    async fn insert_missing(
        &self,
        collection: &mongodb::Collection<Document>,
        documents: Vec<Document>,
    ) -> Result<()> {
        let inserted = collection.insert_many(documents).ordered(false).await;
        match inserted {
            Ok(_) => Ok(()),
            Err(error) => match error.kind.as_ref() {
                ErrorKind::InsertMany(errors)
                    if errors.write_concern_error.is_none()
                        && errors.write_errors.as_ref().is_some_and(|errors| {
                            errors.iter().all(|error| error.code == DUPLICATE_KEY)
                        }) =>
                {
                    Ok(())
                }
                _ => Err(error),
            },
        }
    }

    /// Bounds a write. If it has something to say, that is told in what is left of its time: a log that is late does
    /// not make a write look failed, however long the write itself took.
    pub(super) async fn within_and_told<T>(
        &self,
        action: &'static str,
        says: bool,
        asked: impl Future<Output = Result<T>>,
    ) -> std::result::Result<T, StoreError> {
        let until = Instant::now() + self.deadline;
        let done = self.within(action, asked).await?;
        if says {
            self.tell(until.min(Instant::now() + TELLING)).await;
        }
        Ok(done)
    }

    /// After a write that has something to say: it is done, so what fails here, or takes long, is left
    /// to the next reader.
    async fn tell(&self, until: Instant) {
        let told = timeout_at(until, self.place_all(Mark::Untold)).await;
        let error = match told {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::warn!(%error, "a write is done and not yet in the logs; the next reader sees to it");
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, MongoStore, TELLING};
    use crate::store::{ContentStore as _, Stamp, Write};

    #[tokio::test]
    async fn a_write_that_took_long_does_not_fail_for_a_log_that_is_late() {
        let Some(url) = test_support::mongo().await else {
            return;
        };
        let store = MongoStore::connect(&url.into()).await.unwrap();
        // What the write takes is not left for its log.
        let store = store.with_deadline(TELLING);
        // Another sequencer is at work, and does not come to its end.
        let _at_work = store.sequencing.lock().await;
        let stamp = Stamp {
            by: "tester".to_owned(),
            now: time::OffsetDateTime::UNIX_EPOCH,
        };
        let (begun, id) = (Instant::now(), "gone".parse().unwrap());
        let deleted = store.delete(&id, None, &stamp).await.unwrap();
        assert!(matches!(deleted, Write::Absent), "{deleted:?}");
        assert!(begun.elapsed() < 2 * TELLING, "{:?}", begun.elapsed());
    }
}
