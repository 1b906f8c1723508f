//! Campaigns: each is one document of `campaigns`, with what it uses and with what is still to be
//! written to `logs` and to the feed.
//!
//! Its `links` hold every document that it ever used, by its id: since when it is so, and whether the
//! use ended.

use std::collections::BTreeSet;

use async_trait::async_trait;
use contracts::{
    ImageId,
    campaigns::{Campaign, CampaignEvent, CampaignStatus, LogEntry},
};
use futures::TryStreamExt;
use mongodb::{
    bson::{self, Bson, Document, doc, serialize_to_bson},
    error::Result as Outcome,
};
use time::OffsetDateTime;

use super::{
    MongoStore,
    aggregate::{Decision, Revised},
    custom,
    documents::{self, date, time_at},
    feed::Mark,
    writes::{telling, updated},
};
use crate::store::{
    CampaignDraft, CampaignStore, Change, Page, PutOutcome, Stamp, StoreError, Write,
};

#[async_trait]
impl CampaignStore for MongoStore {
    async fn register(
        &self,
        draft: &CampaignDraft,
        request: &str,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        let registering = self.try_register(draft, request, events, stamp);
        let says = !events.is_empty();
        self.within_and_told("register a campaign", says, registering)
            .await
    }

    async fn change(
        &self,
        draft: &CampaignDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError> {
        let changing = self.try_change(draft, expected, events, stamp);
        let says = !events.is_empty();
        self.within_and_told("change a campaign", says, changing)
            .await
    }

    async fn campaign(&self, id: &ImageId) -> Result<Option<Campaign>, StoreError> {
        let found = self.campaigns.find_one(doc! {"_id": id.as_str()});
        let found = self.within("read a campaign", found).await?;
        found.as_ref().map(campaign).transpose()
    }

    async fn campaigns(
        &self,
        status: Option<CampaignStatus>,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Page<Campaign>, StoreError> {
        let mut filter = Document::new();
        if let Some(status) = status {
            filter.insert("body.status", status.as_str());
        }
        if let Some(after) = after {
            filter.insert("_id", doc! {"$gt": after.as_str()});
        }
        let find = self.campaigns.find(filter).sort(doc! {"_id": 1});
        let find = find.limit(i64::from(limit));
        let found: Vec<Document> = self
            .within("read a page of campaigns", async {
                find.await?.try_collect().await
            })
            .await?;
        documents::page(&found, limit, campaign)
    }

    async fn log(
        &self,
        id: &ImageId,
        after: i64,
        since: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<LogEntry>, StoreError> {
        self.within(
            "read a campaign's log",
            self.try_log(id, after, since, limit),
        )
        .await
    }

    async fn purge_log(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        self.within("drop old log entries", async {
            self.place_all(Mark::Untold).await?;
            self.forget_erased().await?;
            let old = doc! {"at": {"$lt": date(before)}};
            Ok(self.logs.delete_many(old).await?.deleted_count)
        })
        .await
    }
}

impl MongoStore {
    async fn try_register(
        &self,
        draft: &CampaignDraft,
        request: &str,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Outcome<Write> {
        let body = serialize_to_bson(draft)?;
        let id = draft.id.as_str();
        // What happened to a document before this campaign uses it is not for its log.
        self.place_all(Mark::Untold).await?;
        let written = self
            .write(&self.campaigns, id, |found| {
                if let Some(found) = found {
                    let revision = found.get_i64("revision").map_err(custom)?;
                    return Ok(Decision::Leave(match found.get_str("request") {
                        Ok(known) if known == request => Write::Repeated { revision },
                        _ => Write::Conflict { revision },
                    }));
                }
                let links = draft
                    .content_ids
                    .iter()
                    .map(|id| (id.to_string(), Bson::Document(link(stamp.now, false))));
                let mut revised = Revised::of(doc! {
                    "body": body.clone(),
                    "revision": 1_i64,
                    "request": request,
                    "created_at": date(stamp.now),
                    "updated_at": date(stamp.now),
                    "links": links.collect::<Document>(),
                });
                revised.moved = draft.content_ids.iter().map(ToString::to_string).collect();
                let done = Write::Done(PutOutcome {
                    revision: 1,
                    change: Change::Inserted,
                });
                telling(Decision::Write(Box::new(revised), done), events, stamp)
            })
            .await?;
        Ok(written.0)
    }

    async fn try_change(
        &self,
        draft: &CampaignDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Outcome<Write> {
        // What happened to a document while this campaign used it belongs in its log.
        self.place_all(Mark::Untold).await?;
        let written = self
            .write(&self.campaigns, draft.id.as_str(), |found| {
                let Some(found) = found else {
                    return Ok(Decision::Leave(Write::Absent));
                };
                let revision = found.get_i64("revision").map_err(custom)?;
                if revision != expected {
                    return Ok(Decision::Leave(Write::Conflict { revision }));
                }
                if body(found).is_ok_and(|stored| stored == *draft) {
                    return Ok(Decision::Leave(Write::Done(PutOutcome {
                        revision,
                        change: Change::Unchanged,
                    })));
                }
                let revised = Box::new(revised(found, draft, revision + 1, stamp.now)?);
                telling(
                    Decision::Write(revised, updated(revision + 1)),
                    events,
                    stamp,
                )
            })
            .await?;
        Ok(written.0)
    }

    async fn try_log(
        &self,
        id: &ImageId,
        after: i64,
        since: OffsetDateTime,
        limit: u32,
    ) -> Outcome<Vec<LogEntry>> {
        let settled = self.place_all(Mark::Untold).await?;
        let find = self
            .logs
            .find(doc! {
                "campaign_id": id.as_str(),
                "position": {"$gt": after, "$lte": settled.last},
                "at": {"$gte": date(since)},
            })
            .sort(doc! {"position": 1})
            .limit(i64::from(limit));
        let found: Vec<Document> = find.await?.try_collect().await?;
        found.iter().map(entry).collect()
    }
}

/// The campaign as the draft has it, with its links brought level.
pub(super) fn revised(
    found: &Document,
    draft: &CampaignDraft,
    revision: i64,
    now: OffsetDateTime,
) -> Outcome<Revised> {
    let mut revised = Revised::of(doc! {
        "body": serialize_to_bson(draft)?,
        "revision": revision,
        "updated_at": date(now),
    });
    let links = found.get_document("links").into_iter().flatten();
    let current = links.filter(|(_, link)| {
        let ended = link.as_document().map(|link| link.get_bool("ended"));
        matches!(ended, Some(Ok(false)))
    });
    let current: BTreeSet<&str> = current.map(|(id, _)| id.as_str()).collect();
    let wanted: BTreeSet<&str> = draft.content_ids.iter().map(ImageId::as_str).collect();
    let begun = wanted.difference(&current).map(|id| (*id, false));
    for (id, ended) in begun.chain(current.difference(&wanted).map(|id| (*id, true))) {
        revised.set.insert(format!("links.{id}"), link(now, ended));
        revised.moved.push(id.to_owned());
    }
    Ok(revised)
}

fn link(now: OffsetDateTime, ended: bool) -> Document {
    doc! {"updated_at": date(now), "ended": ended}
}

pub(super) fn body(found: &Document) -> bson::error::Result<CampaignDraft> {
    let body = found.get("body").cloned().unwrap_or(Bson::Null);
    bson::deserialize_from_bson(body)
}

pub(super) fn campaign(found: &Document) -> Result<Campaign, StoreError> {
    let id = documents::id(found)?;
    read_campaign(found).map_err(|source| StoreError::Damaged { id, source })
}

fn read_campaign(found: &Document) -> Result<Campaign, Box<dyn std::error::Error + Send + Sync>> {
    Ok(body(found)?.into_campaign(
        found.get_i64("revision")?,
        time_at(*found.get_datetime("created_at")?)?,
        time_at(*found.get_datetime("updated_at")?)?,
    ))
}

fn entry(found: &Document) -> Outcome<LogEntry> {
    let event = found.get("event").cloned().unwrap_or(Bson::Null);
    Ok(LogEntry {
        position: found.get_i64("position").map_err(custom)?,
        at: time_at(*found.get_datetime("at").map_err(custom)?).map_err(custom)?,
        by: found.get_str("by").map_err(custom)?.to_owned(),
        event: bson::deserialize_from_bson(event)?,
    })
}
