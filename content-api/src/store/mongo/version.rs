//! The version of the contents, counted without transactions.
//!
//! A write marks its document as `unversioned`, then counts, then takes the mark away. So a count
//! never runs ahead of what readers see; and who reads the version first counts what a writer that
//! died in between has left. One change may so be counted twice, never not at all.

use futures::TryStreamExt;
use mongodb::{
    bson::{Document, doc, oid::ObjectId},
    error::Result,
};

use super::{MongoStore, custom};

/// The one document of `state` that counts.
pub(super) const COUNTER: &str = "contents_version";
/// Marks taken away at a time.
const BATCH: i64 = 500;

impl MongoStore {
    pub(super) async fn version(&self) -> Result<i64> {
        loop {
            let unversioned = self.images.find_one(doc! {"unversioned": true});
            let unversioned = unversioned.projection(doc! {"_id": 1}).into_future();
            let counter = self.state.find_one(doc! {"_id": COUNTER}).into_future();
            let (unversioned, counter) = tokio::try_join!(unversioned, counter)?;
            if unversioned.is_none() {
                let version = counter.map(|counter| counter.get_i64("version"));
                return Ok(version.transpose().map_err(custom)?.unwrap_or(0));
            }
            self.count_what_is_left().await?;
        }
    }

    /// Counts a write, which is done, and takes its mark away. Both are made up for by the next
    /// reader when they fail, so the write does not.
    pub(super) async fn counted(&self, written: &[(String, ObjectId)]) {
        let counting = async {
            self.count(1).await?;
            self.unmark(written).await
        };
        if let Err(error) = counting.await {
            tracing::warn!(%error, "a write is done and not yet counted; the next reader will");
        }
    }

    async fn count_what_is_left(&self) -> Result<()> {
        let find = self.images.find(doc! {"unversioned": true}).limit(BATCH);
        let find = find.projection(doc! {"change": 1}).await?;
        let left: Vec<Document> = find.try_collect().await?;
        let left: Vec<_> = left
            .iter()
            .filter_map(|found| {
                let id = found.get_str("_id").ok()?.to_owned();
                Some((id, found.get_object_id("change").ok()?))
            })
            .collect();
        self.count(i64::try_from(left.len()).unwrap_or(BATCH))
            .await?;
        self.unmark(&left).await
    }

    async fn count(&self, changes: i64) -> Result<()> {
        let update = doc! {"$inc": {"version": changes}};
        self.state.update_one(doc! {"_id": COUNTER}, update).await?;
        Ok(())
    }

    /// Leaves what was written again in the meantime.
    async fn unmark(&self, written: &[(String, ObjectId)]) -> Result<()> {
        let updates = written.iter().map(|(id, change)| {
            doc! {
                "q": {"_id": id, "change": *change},
                "u": {"$unset": {"unversioned": ""}},
            }
        });
        self.update_each(self.images.name(), updates.collect())
            .await?;
        Ok(())
    }
}
