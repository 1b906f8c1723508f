//! Writing documents.

use std::collections::BTreeMap;

use contracts::{ImageId, campaigns::CampaignEvent};
use mongodb::{
    bson::{Document, doc, oid::ObjectId},
    error::Result,
};
use time::OffsetDateTime;

use super::{
    MongoStore,
    aggregate::{Decision, Revised},
    documents::{self, Stored, date},
};
use crate::store::{Change, ContentDraft, PutOutcome, Stamp, Write};

/// Taken away when a document lives again.
const OF_A_TOMBSTONE: [&str; 2] = ["deleted_at", "erased_at"];

impl MongoStore {
    pub(super) async fn try_put(
        &self,
        draft: &ContentDraft,
        now: OffsetDateTime,
    ) -> Result<PutOutcome> {
        let fields = documents::fields(draft)?;
        self.write_image(&draft.id, |stored| {
            let live = stored.filter(|stored| stored.live);
            if let Some(live) = live
                && live.draft.as_ref() == Some(draft)
            {
                return Ok(Decision::Leave(unchanged(live.revision)));
            }
            let revision = stored.map_or(1, |stored| stored.revision + 1);
            let mut set = fields.clone();
            if live.is_none() {
                set.insert("created_at", date(now));
            }
            let mut decision = revised(set, revision, now, written_as(revision));
            if let Decision::Write(revised, _) = &mut decision
                && stored.is_some_and(|stored| stored.erased)
            {
                // Not what that request created.
                revised.unset.push("request");
            }
            Ok(decision)
        })
        .await
    }

    pub(super) async fn try_create(
        &self,
        draft: &ContentDraft,
        request: &str,
        stamp: &Stamp,
    ) -> Result<Write> {
        let fields = documents::fields(draft)?;
        self.write_image(&draft.id, |stored| {
            if let Some(live) = stored.filter(|stored| stored.live) {
                let revision = live.revision;
                return Ok(Decision::Leave(
                    if live.request.as_deref() == Some(request) {
                        Write::Repeated { revision }
                    } else {
                        Write::Conflict { revision }
                    },
                ));
            }
            let same = stored.and_then(|stored| stored.request.as_deref()) == Some(request);
            if same && stored.is_some_and(|stored| stored.erased) {
                return Ok(Decision::Leave(Write::Erased));
            }
            let revision = stored.map_or(1, |stored| stored.revision + 1);
            let mut set = fields.clone();
            set.insert("created_at", date(stamp.now));
            set.insert("request", request);
            let done = Write::Done(written_as(revision));
            Ok(revised(set, revision, stamp.now, done))
        })
        .await
    }

    pub(super) async fn try_replace(
        &self,
        draft: &ContentDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write> {
        let fields = documents::fields(draft)?;
        self.write_image(&draft.id, |stored| {
            let Some(live) = stored.filter(|stored| stored.live) else {
                return Ok(Decision::Leave(Write::Absent));
            };
            let revision = live.revision;
            if revision != expected {
                return Ok(Decision::Leave(Write::Conflict { revision }));
            }
            if live.draft.as_ref() == Some(draft) {
                return Ok(Decision::Leave(Write::Done(unchanged(revision))));
            }
            let done = updated(revision + 1);
            let decision = revised(fields.clone(), revision + 1, stamp.now, done);
            telling(decision, events, stamp)
        })
        .await
    }

    pub(super) async fn try_delete(
        &self,
        id: &ImageId,
        expected: Option<i64>,
        stamp: &Stamp,
    ) -> Result<Write> {
        let content_id = id.clone();
        let event = [CampaignEvent::ContentDeleted { content_id }];
        self.write_image(id, |stored| {
            let Some(live) = stored.filter(|stored| stored.live) else {
                return Ok(Decision::Leave(Write::Absent));
            };
            let revision = live.revision;
            if expected.is_some_and(|expected| expected != revision) {
                return Ok(Decision::Leave(Write::Conflict { revision }));
            }
            let set = doc! {
                "live": false,
                "revision": revision + 1,
                "updated_at": date(stamp.now),
                "deleted_at": date(stamp.now),
            };
            let revised = Box::new(Revised::of(set).telling(&event, stamp)?);
            Ok(Decision::Write(revised, updated(revision + 1)))
        })
        .await
    }

    /// A write of a document: pending for the publisher, and counted in the version.
    pub(super) async fn write_image<T>(
        &self,
        id: &ImageId,
        decide: impl Fn(Option<&Stored>) -> Result<Decision<T>>,
    ) -> Result<T> {
        let decide = |found: Option<&Document>| {
            let stored = found.map(Stored::read).transpose()?;
            let mut decision = decide(stored.as_ref())?;
            if let Decision::Write(revised, _) = &mut decision {
                revised.set.insert("pending", true);
                revised.set.insert("unversioned", true);
                if found.is_none() {
                    revised.set.insert("acknowledged_revision", 0_i64);
                }
            }
            Ok(decision)
        };
        let (outcome, change) = self.write(&self.images, id.as_str(), decide).await?;
        if let Some(change) = change {
            self.counted(&[(id.to_string(), change)]).await;
        }
        Ok(outcome)
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
        self.update_each(self.images.name(), updates.collect())
            .await?;
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
                    "unplaced": true,
                }},
            })
        });
        let (_, changed) = self
            .update_each(self.images.name(), updates.collect())
            .await?;
        if changed > 0 {
            self.counted(&raised).await;
        }
        Ok(changed)
    }
}

/// The document lives, in this revision.
fn revised<T>(mut set: Document, revision: i64, now: OffsetDateTime, done: T) -> Decision<T> {
    set.insert("live", true);
    set.insert("revision", revision);
    set.insert("updated_at", date(now));
    let mut revised = Revised::of(set);
    revised.unset.extend(OF_A_TOMBSTONE);
    Decision::Write(Box::new(revised), done)
}

pub(super) fn telling<T>(
    decision: Decision<T>,
    events: &[CampaignEvent],
    stamp: &Stamp,
) -> Result<Decision<T>> {
    Ok(match decision {
        Decision::Write(revised, done) => {
            Decision::Write(Box::new(revised.telling(events, stamp)?), done)
        }
        left => left,
    })
}

fn unchanged(revision: i64) -> PutOutcome {
    PutOutcome {
        revision,
        change: Change::Unchanged,
    }
}

pub(super) fn updated(revision: i64) -> Write {
    Write::Done(PutOutcome {
        revision,
        change: Change::Updated,
    })
}

fn written_as(revision: i64) -> PutOutcome {
    let change = if revision == 1 {
        Change::Inserted
    } else {
        Change::Updated
    };
    PutOutcome { revision, change }
}
