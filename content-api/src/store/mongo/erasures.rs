//! Erasing, step by step, and the ledger of it.
//!
//! The first step empties the document, in one write, and leaves in it under `erasing` what is to be
//! done. Each further step may be repeated. The last one writes the record and takes `erasing` away.
//! When the service dies in between, housekeeping and the next request to erase go on; what was
//! removed before is then not counted again.

use async_trait::async_trait;
use contracts::{
    ImageId,
    campaigns::CampaignEvent,
    lifecycle::{ErasedFromStore, Erasure, ErasureRecord, ErasureStage},
};
use futures::TryStreamExt;
use mongodb::{
    bson::{self, Bson, Document, doc, oid::ObjectId, serialize_to_bson},
    error::Result as Outcome,
};

use super::{
    MongoStore,
    aggregate::{Decision, Revised},
    campaigns, custom,
    documents::{date, time_at},
    feed::Mark,
    setup::is_duplicate,
    writes::telling,
};
use crate::store::{Erased, ErasureLedger, Stamp, StoreError};

#[async_trait]
impl ErasureLedger for MongoStore {
    async fn erase(&self, id: &ImageId, stamp: &Stamp) -> Result<Erased, StoreError> {
        self.within("erase a document", self.try_erase(id, stamp))
            .await
    }

    async fn note_erasure(&self, erasure: Erasure) -> Result<ErasureRecord, StoreError> {
        let noting = self.append(erasure, ObjectId::new());
        self.within("write to the erasure ledger", noting).await
    }

    async fn erasures_of(&self, id: &ImageId) -> Result<Vec<ErasureRecord>, StoreError> {
        let filter = doc! {"record.erasure.id": id.as_str()};
        let records = self
            .within("read the erasure ledger", self.records(filter, 0))
            .await?;
        let from_store =
            |record: &ErasureRecord| matches!(record.erasure.stage, ErasureStage::Store(_));
        let since = records.iter().rposition(from_store);
        Ok(since.map_or_else(Vec::new, |since| records[since..].to_vec()))
    }

    async fn erasures(&self, after: i64, limit: u32) -> Result<Vec<ErasureRecord>, StoreError> {
        let filter = doc! {"_id": {"$gt": after}};
        let limit = i64::from(limit);
        self.within("read the erasure ledger", self.records(filter, limit))
            .await
    }

    async fn deletion_acknowledged(&self, id: &ImageId) -> Result<Option<i64>, StoreError> {
        let found = self
            .images
            .find_one(doc! {"_id": id.as_str(), "live": false});
        let found = self.within("read a deletion", found).await?;
        let revision = |found: Document| {
            let revision = found.get_i64("revision").ok()?;
            let acknowledged = found.get_i64("acknowledged_revision").ok()?;
            (revision == acknowledged).then_some(revision)
        };
        Ok(found.and_then(revision))
    }
}

impl MongoStore {
    async fn try_erase(&self, id: &ImageId, stamp: &Stamp) -> Outcome<Erased> {
        // What it still has to say names it.
        self.place_all(Mark::Untold).await?;
        let erasing = self
            .write_image(id, |stored| {
                let Some(stored) = stored else {
                    return Ok(Decision::Leave(None));
                };
                if stored.erased {
                    return Ok(Decision::Leave(Some(Erased::Before)));
                }
                let revision = stored.revision + i64::from(stored.live);
                let erasing = doc! {
                    "key": ObjectId::new(),
                    "at": date(stamp.now),
                    "by": &stamp.by,
                    "files": stored.files.clone(),
                };
                let mut set = doc! {
                    "body": {},
                    "hashtags": [],
                    "hash_bands": [],
                    "live": false,
                    "revision": revision,
                    "updated_at": date(stamp.now),
                    "erased_at": date(stamp.now),
                    "erasing": erasing,
                };
                if stored.live {
                    set.insert("deleted_at", date(stamp.now));
                }
                let revised = Box::new(Revised::of(set));
                Ok(Decision::Write(revised, Some(Erased::Unknown)))
            })
            .await?;
        let Some(erasing) = erasing else {
            return Ok(Erased::Unknown);
        };
        // Also when another began it, and died or is at it.
        let finished = self.finish(id.as_str()).await?;
        Ok(match (erasing, finished) {
            (Erased::Unknown, Some(record)) => Erased::Now(Box::new(record)),
            _ => Erased::Before,
        })
    }

    /// Goes on with all erasures that were begun and not finished.
    pub(super) async fn finish_erasures(&self) -> Outcome<()> {
        let begun = self.images.find(doc! {"erasing": {"$exists": true}});
        let begun = begun.projection(doc! {"_id": 1}).await?;
        let begun: Vec<Document> = begun.try_collect().await?;
        for found in begun {
            self.finish(found.get_str("_id").map_err(custom)?).await?;
        }
        Ok(())
    }

    /// Does all that an erasure has begun. `None` if none has.
    async fn finish(&self, slug: &str) -> Outcome<Option<ErasureRecord>> {
        let Some(found) = self.images.find_one(doc! {"_id": slug}).await? else {
            return Ok(None);
        };
        let Ok(erasing) = found.get_document("erasing") else {
            return Ok(None);
        };
        let id: ImageId = slug.parse().map_err(custom)?;
        let stamp = Stamp {
            now: time_at(*erasing.get_datetime("at").map_err(custom)?).map_err(custom)?,
            by: erasing.get_str("by").map_err(custom)?.to_owned(),
        };
        let key = erasing.get_object_id("key").map_err(custom)?;
        let files = erasing.get_array("files").map_err(custom)?;
        let image_files = self
            .remove_files(files.iter().filter_map(Bson::as_str))
            .await?;
        let campaign_links = self.detach(&id, &stamp).await?;
        self.place_all(Mark::Untold).await?;
        let named = doc! {"content_id": slug};
        let log_entries = self.logs.delete_many(named).await?.deleted_count;
        let request = found.get_str("request").ok();
        let kept_answers = self.forget_requests(slug, request, stamp.now).await?;
        let erasure = Erasure {
            id,
            at: stamp.now,
            by: stamp.by,
            stage: ErasureStage::Store(ErasedFromStore {
                revision: found.get_i64("revision").map_err(custom)?,
                documents: 1,
                image_files,
                campaign_links,
                log_entries,
                kept_answers,
            }),
        };
        let record = self.append(erasure, key).await?;
        let done = doc! {"_id": slug, "erasing.key": key};
        self.images
            .update_one(done, doc! {"$unset": {"erasing": ""}})
            .await?;
        Ok(Some(record))
    }

    /// Removes image files that no document names any more.
    async fn remove_files(&self, files: impl Iterator<Item = &str>) -> Outcome<u64> {
        let mut removed = 0;
        for sha256 in files {
            let named = doc! {"$or": [
                {"body.image.sha256": sha256},
                {"body.former_images.sha256": sha256},
            ]};
            if self.images.find_one(named).await?.is_none() {
                removed += u64::from(self.remove_file(sha256).await?);
            }
        }
        Ok(removed)
    }

    /// Ends the links from campaigns, and says in their logs that there was one.
    async fn detach(&self, id: &ImageId, stamp: &Stamp) -> Outcome<u64> {
        let mut links = 0;
        for campaign in self.campaigns_with(id.as_str()).await? {
            let (ended, _) = self
                .write(&self.campaigns, &campaign, |found| {
                    let Some(found) = found else {
                        return Ok(Decision::Leave(0));
                    };
                    let mut draft = campaigns::body(found)?;
                    let before = draft.content_ids.len();
                    draft.content_ids.retain(|used| used != id);
                    if draft.content_ids.len() == before {
                        return Ok(Decision::Leave(0));
                    }
                    let revision = found.get_i64("revision").map_err(custom)? + 1;
                    let revised = campaigns::revised(found, &draft, revision, stamp.now)?;
                    let decision = Decision::Write(Box::new(revised), 1);
                    telling(decision, &[CampaignEvent::ContentErased], stamp)
                })
                .await?;
            links += ended;
        }
        Ok(links)
    }

    /// Drops log entries that name what was erased, and goes on with erasures that were begun. A
    /// sequencer that was held up between reading a plan and carrying it out may have written such
    /// an entry anew.
    pub(super) async fn forget_erased(&self) -> Outcome<()> {
        self.finish_erasures().await?;
        let erased = self.images.find(doc! {"erased_at": {"$exists": true}});
        let erased = erased.projection(doc! {"_id": 1}).await?;
        let erased: Vec<Document> = erased.try_collect().await?;
        let ids: Vec<&str> = erased
            .iter()
            .filter_map(|one| one.get_str("_id").ok())
            .collect();
        if !ids.is_empty() {
            self.logs
                .delete_many(doc! {"content_id": {"$in": ids}})
                .await?;
        }
        Ok(())
    }

    /// Seals a record onto the last one. The sequence number is the key, so that of two at once one
    /// comes after the other; `key` is the erasure's, so that it is in the ledger once.
    async fn append(&self, erasure: Erasure, key: ObjectId) -> Outcome<ErasureRecord> {
        loop {
            if let Some(known) = self.erasures.find_one(doc! {"key": key}).await? {
                return record(&known);
            }
            let last = self
                .erasures
                .find_one(doc! {})
                .sort(doc! {"_id": -1})
                .await?;
            let last = last.as_ref().map(record).transpose()?;
            let record = ErasureRecord::after(last.as_ref(), erasure.clone());
            let sealed = doc! {
                "_id": record.sequence,
                "key": key,
                "record": serialize_to_bson(&record)?,
            };
            match self.erasures.insert_one(sealed).await {
                Err(error) if is_duplicate(&error) => {}
                inserted => return inserted.map(|_| record),
            }
        }
    }

    async fn records(&self, filter: Document, limit: i64) -> Outcome<Vec<ErasureRecord>> {
        let find = self
            .erasures
            .find(filter)
            .sort(doc! {"_id": 1})
            .limit(limit);
        let found: Vec<Document> = find.await?.try_collect().await?;
        found.iter().map(record).collect()
    }
}

fn record(found: &Document) -> Outcome<ErasureRecord> {
    let record = found.get("record").cloned().unwrap_or(Bson::Null);
    Ok(bson::deserialize_from_bson(record)?)
}
