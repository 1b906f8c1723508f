//! Which thing gets which place.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{self, Bson, Document, doc, oid::ObjectId},
    error::Result,
};
use serde::{Deserialize, Serialize};

use super::{
    super::{MongoStore, custom},
    Mark,
};

/// Things in one plan.
const MOST_THINGS: usize = 200;
/// Entries of logs after which no further thing is planned: a document that thousands of campaigns
/// use writes that many, and a plan is one document.
const ENOUGH_ENTRIES: usize = 2_000;

/// What to do, and what to take away afterwards.
#[derive(Serialize, Deserialize)]
pub(super) struct Plan {
    mark: Mark,
    pub(super) places: Vec<Place>,
    /// Documents of `logs`.
    pub(super) entries: Vec<Document>,
    cleared: Vec<Cleared>,
    /// The last place that it gives.
    pub(super) last: i64,
    /// Is it about everything that bears the mark?
    pub(super) is_whole: bool,
}

/// A place in the feed.
#[derive(Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) position: i64,
    kind: String,
    id: String,
    campaign_id: Option<String>,
}

impl Place {
    /// As a document of `feed`.
    pub(super) fn entry(&self) -> Document {
        doc! {
            "_id": &self.key,
            "position": self.position,
            "kind": &self.kind,
            "id": &self.id,
            "campaign_id": self.campaign_id.clone(),
        }
    }
}

/// A thing whose marks are taken away.
#[derive(Serialize, Deserialize)]
struct Cleared {
    collection: String,
    id: String,
    change: ObjectId,
    /// Keys in its outbox, where the mark is about that.
    told: Vec<String>,
}

/// A thing that bears a mark.
struct Thing {
    collection: &'static str,
    id: String,
    change: ObjectId,
    ticket: i64,
    /// Documents whose link to it begins or ends, each with the ticket of the write.
    moved: Vec<(String, i64)>,
    outbox: BTreeMap<String, Document>,
}

impl Thing {
    fn kind(&self) -> &'static str {
        match self.collection {
            "images" => "content",
            _ => "campaign",
        }
    }

    fn cleared(self, mark: Mark) -> Cleared {
        let told = match mark {
            Mark::Unplaced => Vec::new(),
            Mark::Untold => self.outbox.into_keys().collect(),
        };
        Cleared {
            collection: self.collection.to_owned(),
            id: self.id,
            change: self.change,
            told,
        }
    }

    fn read(collection: &'static str, found: &Document) -> bson::error::Result<Self> {
        let outbox = found.get_document("outbox").into_iter().flatten();
        let outbox = outbox.filter_map(|(key, event)| match event {
            Bson::Document(event) => Some((key.clone(), event.clone())),
            _ => None,
        });
        let moved = found.get_document("moved").into_iter().flatten();
        let moved = moved.filter_map(|(id, ticket)| Some((id.clone(), ticket.as_i64()?)));
        Ok(Self {
            collection,
            id: found.get_str("_id")?.to_owned(),
            change: found.get_object_id("change")?,
            ticket: found.get_i64("ticket")?,
            moved: moved.collect(),
            outbox: outbox.collect(),
        })
    }
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.cleared.is_empty()
    }

    pub(super) fn to_bson(&self) -> Result<Bson> {
        Ok(bson::serialize_to_bson(self)?)
    }

    pub(super) fn from_bson(plan: &Document) -> Result<Self> {
        Ok(bson::deserialize_from_document(plan.clone())?)
    }

    fn next(&mut self) -> i64 {
        self.last += 1;
        self.last
    }

    /// Gives places to things and links in the order of the writes.
    fn place(&mut self, things: &[Thing]) {
        let mut wanted = Vec::new();
        for thing in things {
            let (kind, id) = (thing.kind(), &thing.id);
            wanted.push((thing.ticket, kind, id, None));
            let links = thing.moved.iter();
            wanted.extend(links.map(|(content, ticket)| (*ticket, "use", content, Some(id))));
        }
        wanted.sort_by_key(|(ticket, ..)| *ticket);
        for (_, kind, id, campaign_id) in wanted {
            let position = self.next();
            self.places.push(Place {
                key: match campaign_id {
                    Some(campaign_id) => format!("{kind}/{campaign_id}/{id}"),
                    None => format!("{kind}/{id}"),
                },
                position,
                kind: kind.to_owned(),
                id: id.clone(),
                campaign_id: campaign_id.cloned(),
            });
        }
    }

    /// Gives places to entries of logs in the order of the events.
    fn tell(&mut self, mut entries: Vec<((i64, i64), Document)>) {
        entries.sort_by_key(|(order, _)| *order);
        for (_, mut entry) in entries {
            entry.insert("position", self.next());
            self.entries.push(entry);
        }
    }

    /// Statements that take the marks away, by collection. An event is gone for good; the marks
    /// stay on a thing that was written again, which gets a new place.
    pub(super) fn clearing(&self) -> BTreeMap<&str, Vec<Document>> {
        let mut statements: BTreeMap<&str, Vec<Document>> = BTreeMap::new();
        for cleared in &self.cleared {
            let statements = statements.entry(&cleared.collection).or_default();
            if !cleared.told.is_empty() {
                let told = cleared
                    .told
                    .iter()
                    .map(|key| (format!("outbox.{key}"), "".into()));
                statements.push(doc! {
                    "q": {"_id": &cleared.id},
                    "u": {"$unset": told.collect::<Document>()},
                });
            }
            statements.push(doc! {
                "q": {"_id": &cleared.id, "change": cleared.change},
                "u": match self.mark {
                    Mark::Unplaced => doc! {"$unset": {"unplaced": ""}, "$set": {"moved": {}}},
                    Mark::Untold => doc! {"$unset": {"untold": ""}},
                },
            });
        }
        statements
    }
}

impl MongoStore {
    /// A plan for what bears the mark, with the places after `last`.
    pub(super) async fn make_plan(&self, mark: Mark, last: i64) -> Result<Plan> {
        let images = marked("images", &self.images, mark);
        let campaigns = marked("campaigns", &self.campaigns, mark);
        let (mut things, campaigns) = tokio::try_join!(images, campaigns)?;
        things.extend(campaigns);
        things.sort_by_key(|thing| thing.ticket);
        let mut is_whole = things.len() <= MOST_THINGS;
        things.truncate(MOST_THINGS);
        let mut plan = Plan {
            mark,
            places: Vec::new(),
            entries: Vec::new(),
            cleared: Vec::new(),
            last,
            is_whole: true,
        };
        match mark {
            Mark::Unplaced => plan.place(&things),
            Mark::Untold => {
                let mut entries = Vec::new();
                for (n, thing) in things.iter().enumerate() {
                    entries.extend(self.entries_of(thing).await?);
                    if entries.len() >= ENOUGH_ENTRIES {
                        is_whole &= n + 1 == things.len();
                        things.truncate(n + 1);
                        break;
                    }
                }
                plan.tell(entries);
            }
        }
        plan.is_whole = is_whole;
        plan.cleared = things
            .into_iter()
            .map(|thing| thing.cleared(mark))
            .collect();
        Ok(plan)
    }

    /// What its events say in whose log, with what they are sorted by.
    async fn entries_of(&self, thing: &Thing) -> Result<Vec<((i64, i64), Document)>> {
        if thing.outbox.is_empty() {
            return Ok(Vec::new());
        }
        let campaigns = match thing.collection {
            "campaigns" => vec![thing.id.clone()],
            _ => self.campaigns_with(&thing.id).await?,
        };
        let mut entries = Vec::new();
        for (key, event) in &thing.outbox {
            let order = (
                event.get_i64("ticket").map_err(custom)?,
                event.get_i64("n").map_err(custom)?,
            );
            for campaign in &campaigns {
                let mut entry = doc! {
                    "_id": format!("{key}/{campaign}"),
                    "campaign_id": campaign,
                };
                for field in ["at", "by", "content_id", "event"] {
                    entry.insert(field, event.get(field).cloned().unwrap_or(Bson::Null));
                }
                entries.push((order, entry));
            }
        }
        Ok(entries)
    }

    /// Campaigns that use a document.
    pub(in super::super) async fn campaigns_with(&self, content: &str) -> Result<Vec<String>> {
        let find = self.campaigns.find(doc! {"body.content_ids": content});
        let find = find.projection(doc! {"_id": 1}).sort(doc! {"_id": 1});
        let found: Vec<Document> = find.await?.try_collect().await?;
        let ids = found
            .iter()
            .map(|found| found.get_str("_id").map(str::to_owned));
        ids.collect::<bson::error::Result<_>>().map_err(custom)
    }
}

async fn marked(
    name: &'static str,
    things: &Collection<Document>,
    mark: Mark,
) -> Result<Vec<Thing>> {
    let find = things
        .find(doc! {mark.field(): true})
        .projection(doc! {"change": 1, "ticket": 1, "moved": 1, "outbox": 1})
        .sort(doc! {"ticket": 1})
        // One more, to know whether these are all.
        .limit(MOST_THINGS as i64 + 1);
    let found: Vec<Document> = find.await?.try_collect().await?;
    let things = found.iter().map(|found| Thing::read(name, found));
    things.collect::<bson::error::Result<_>>().map_err(custom)
}
