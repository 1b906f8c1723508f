//! Writing documents: look, decide, and write on the condition that nobody else did.

use std::{collections::BTreeMap, time::Duration};

use contracts::ImageId;
use mongodb::{
    bson::{Document, doc, oid::ObjectId},
    error::Result,
};
use time::OffsetDateTime;

use super::{
    MongoStore, custom,
    documents::{self, Stored},
    setup::is_duplicate,
};
use crate::store::{Change, ContentDraft, PutOutcome};

/// Between two looks at a document that others write too; grows with each.
const PAUSE: Duration = Duration::from_millis(2);
/// Statements in one command.
const BATCH: usize = 500;

/// What to do about a document, seen as it is.
pub(super) enum Decision<T> {
    /// Nothing.
    Leave(T),
    /// Set and unset these fields, whatever is there.
    Write {
        set: Document,
        unset: Document,
        done: T,
    },
}

impl MongoStore {
    pub(super) async fn try_put(
        &self,
        draft: &ContentDraft,
        now: OffsetDateTime,
    ) -> Result<PutOutcome> {
        let fields = documents::fields(draft)?;
        self.write(&draft.id, |stored| {
            let (revision, live) =
                stored.map_or((0, false), |stored| (stored.revision, stored.live));
            if live && stored.is_some_and(|stored| stored.draft.as_ref() == Some(draft)) {
                return Decision::Leave(PutOutcome {
                    revision,
                    change: Change::Unchanged,
                });
            }
            let mut set = fields.clone();
            set.insert("live", true);
            set.insert("revision", revision + 1);
            set.insert("updated_at", documents::date(now));
            if !live {
                set.insert("created_at", documents::date(now));
            }
            let change = match stored {
                None => Change::Inserted,
                Some(_) => Change::Updated,
            };
            Decision::Write {
                set,
                unset: doc! {"deleted_at": ""},
                done: PutOutcome {
                    revision: revision + 1,
                    change,
                },
            }
        })
        .await
    }

    pub(super) async fn try_delete(
        &self,
        id: &ImageId,
        now: OffsetDateTime,
    ) -> Result<Option<i64>> {
        let deleted_at = documents::date(now);
        self.write(id, |stored| match stored {
            Some(stored) if stored.live => Decision::Write {
                set: doc! {
                    "live": false,
                    "revision": stored.revision + 1,
                    "updated_at": deleted_at,
                    "deleted_at": deleted_at,
                },
                unset: Document::new(),
                done: Some(stored.revision + 1),
            },
            _ => Decision::Leave(None),
        })
        .await
    }

    /// Does what `decide` says about the document of that id, as often as somebody else writes it
    /// in between. Whoever calls bounds the time.
    pub(super) async fn write<T>(
        &self,
        id: &ImageId,
        decide: impl Fn(Option<&Stored>) -> Decision<T>,
    ) -> Result<T> {
        let mut pause = Duration::ZERO;
        loop {
            let found = self.images.find_one(doc! {"_id": id.as_str()}).await?;
            let stored = found.as_ref().map(Stored::read).transpose();
            let stored = stored.map_err(custom)?;
            let (mut set, unset, done) = match decide(stored.as_ref()) {
                Decision::Leave(outcome) => return Ok(outcome),
                Decision::Write { set, unset, done } => (set, unset, done),
            };
            let change = ObjectId::new();
            set.insert("change", change);
            set.insert("pending", true);
            set.insert("unversioned", true);
            let written = match &stored {
                None => self.insert(id, set).await?,
                Some(stored) => self.replace_seen(id, stored.change, set, unset).await?,
            };
            if written {
                self.counted(&[(id.to_string(), change)]).await;
                return Ok(done);
            }
            pause += PAUSE;
            tokio::time::sleep(pause).await;
        }
    }

    /// Says whether it was the first.
    async fn insert(&self, id: &ImageId, mut fields: Document) -> Result<bool> {
        fields.insert("_id", id.as_str());
        fields.insert("acknowledged_revision", 0_i64);
        match self.images.insert_one(fields).await {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Says whether it was still as it was seen.
    async fn replace_seen(
        &self,
        id: &ImageId,
        seen: ObjectId,
        set: Document,
        unset: Document,
    ) -> Result<bool> {
        let mut update = doc! {"$set": set};
        if !unset.is_empty() {
            update.insert("$unset", unset);
        }
        let filter = doc! {"_id": id.as_str(), "change": seen};
        let done = self.images.update_one(filter, update).await?;
        Ok(done.matched_count == 1)
    }

    pub(super) async fn try_acknowledge(&self, accepted: &[(ImageId, i64)]) -> Result<()> {
        let updates = accepted.iter().flat_map(|(id, revision)| {
            let (id, older) = (id.as_str(), doc! {"$lt": *revision});
            let set = doc! {"acknowledged_revision": *revision};
            // One of the two finds it: written in between, it is above and stays pending.
            [
                doc! {
                    "q": {"_id": id, "revision": *revision, "acknowledged_revision": older.clone()},
                    "u": {"$set": set.clone(), "$unset": {"pending": ""}},
                },
                doc! {
                    "q": {"_id": id, "revision": {"$gt": *revision}, "acknowledged_revision": older},
                    "u": {"$set": set},
                },
            ]
        });
        self.update_each(updates.collect()).await?;
        Ok(())
    }

    pub(super) async fn try_raise(&self, held: &[(ImageId, i64)]) -> Result<u64> {
        let mut highest = BTreeMap::new();
        for (id, revision) in held {
            let known = highest.entry(id).or_insert(*revision);
            *known = (*known).max(*revision);
        }
        let mut raised = Vec::new();
        let updates = highest.into_iter().filter_map(|(id, revision)| {
            // Above the greatest number there is nothing.
            let next = revision.checked_add(1)?;
            let change = ObjectId::new();
            raised.push((id.to_string(), change));
            Some(doc! {
                "q": {"_id": id.as_str(), "revision": {"$lte": revision}},
                "u": {"$set": {
                    "revision": next, "pending": true, "change": change, "unversioned": true,
                }},
            })
        });
        let changed = self.update_each(updates.collect()).await?;
        if changed > 0 {
            self.counted(&raised).await;
        }
        Ok(changed)
    }

    /// Runs the statements of `updates`, each atomic in its document, in few commands, in order.
    /// Says how many documents were changed.
    pub(super) async fn update_each(&self, updates: Vec<Document>) -> Result<u64> {
        let mut changed = 0;
        for some in updates.chunks(BATCH) {
            let command = doc! {"update": self.images.name(), "updates": some.to_vec()};
            changed += self.run_update(command).await?;
        }
        Ok(changed)
    }

    async fn run_update(&self, mut command: Document) -> Result<u64> {
        // The driver gives a command of our own neither a write concern nor a second try; what it
        // is used for may be repeated.
        if let Some(concern) = self.database.write_concern() {
            command.insert("writeConcern", mongodb::bson::serialize_to_bson(concern)?);
        }
        let answer = self.database.run_command(command).await?;
        if let Ok(errors) = answer.get_array("writeErrors") {
            return Err(custom(format!("statements were refused: {errors:?}")));
        }
        if let Ok(error) = answer.get_document("writeConcernError") {
            return Err(custom(format!("not yet held by enough servers: {error}")));
        }
        let changed = answer
            .get_i64("nModified")
            .or_else(|_| answer.get_i32("nModified").map(i64::from))
            .map_err(custom)?;
        Ok(changed.unsigned_abs())
    }
}
