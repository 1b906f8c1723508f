//! A write: look at one document, decide, and write it on the condition that nobody else did.

use std::time::Duration;

use contracts::campaigns::CampaignEvent;
use mongodb::{
    Collection,
    bson::{Document, doc, oid::ObjectId, serialize_to_bson},
    error::Result,
    options::ReturnDocument,
};

use super::{MongoStore, custom, documents::date, setup::is_duplicate};
use crate::store::Stamp;

/// Between two looks at a document that others write too; grows with each.
const PAUSE: Duration = Duration::from_millis(2);
/// Statements in one command.
const BATCH: usize = 500;
/// The document of `state` that says which write began first.
pub(super) const TICKETS: &str = "tickets";

/// What to do about a document, seen as it is.
pub(super) enum Decision<T> {
    /// Nothing.
    Leave(T),
    /// Write this.
    Write(Box<Revised>, T),
}

/// What a write changes.
#[derive(Default)]
pub(super) struct Revised {
    /// Fields to set.
    pub(super) set: Document,
    /// Names of fields to take away, where they are.
    pub(super) unset: Vec<&'static str>,
    /// For campaigns' logs.
    pub(super) events: Vec<Document>,
    /// Documents whose link to this campaign begins or ends.
    pub(super) moved: Vec<String>,
}

impl Revised {
    pub(super) fn of(set: Document) -> Self {
        Self {
            set,
            ..Self::default()
        }
    }

    /// Adds events to the outbox.
    pub(super) fn telling(mut self, events: &[CampaignEvent], stamp: &Stamp) -> Result<Self> {
        for event in events {
            self.events.push(doc! {
                "at": date(stamp.now),
                "by": &stamp.by,
                "content_id": event.content_id().map(ToString::to_string),
                "event": serialize_to_bson(event)?,
            });
        }
        Ok(self)
    }
}

impl MongoStore {
    /// Does what `decide` says about the document `id` of `things`, as often as somebody else writes
    /// it in between. Says which change it was, if it was one. Whoever calls bounds the time.
    pub(super) async fn write<T>(
        &self,
        things: &Collection<Document>,
        id: &str,
        decide: impl Fn(Option<&Document>) -> Result<Decision<T>>,
    ) -> Result<(T, Option<ObjectId>)> {
        let look = || things.find_one(doc! {"_id": id}).into_future();
        // Taken before the writing: of two writes, one after the other, the first has the lower one.
        let (ticket, mut found) = tokio::try_join!(self.ticket(), look())?;
        let mut pause = Duration::ZERO;
        loop {
            let (revised, outcome) = match decide(found.as_ref())? {
                Decision::Leave(outcome) => return Ok((outcome, None)),
                Decision::Write(revised, outcome) => (revised, outcome),
            };
            let change = ObjectId::new();
            let written = match &found {
                None => insert(things, id, stored_anew(*revised, change, ticket)).await?,
                Some(found) => {
                    let seen = found.get_object_id("change").map_err(custom)?;
                    let update = update(*revised, change, ticket);
                    let filter = doc! {"_id": id, "change": seen};
                    things.update_one(filter, update).await?.matched_count == 1
                }
            };
            if written {
                return Ok((outcome, Some(change)));
            }
            pause += PAUSE;
            tokio::time::sleep(pause).await;
            found = look().await?;
        }
    }

    async fn ticket(&self) -> Result<i64> {
        let next = self
            .state
            .find_one_and_update(doc! {"_id": TICKETS}, doc! {"$inc": {"last": 1_i64}})
            .return_document(ReturnDocument::After);
        let next = Box::pin(next.into_future()).await?;
        let next = next.ok_or_else(|| custom("its collection `state` is empty: start anew"))?;
        next.get_i64("last").map_err(custom)
    }

    /// Runs the statements of `updates` on a collection, each atomic in its document, in few
    /// commands, in order. Says how many documents were found, and how many were changed.
    pub(super) async fn update_each(
        &self,
        collection: &str,
        updates: Vec<Document>,
    ) -> Result<(u64, u64)> {
        let (mut found, mut changed) = (0, 0);
        for some in updates.chunks(BATCH) {
            let command = doc! {"update": collection, "updates": some.to_vec()};
            let answer = self.run_write(command).await?;
            found += count(&answer, "n")?;
            changed += count(&answer, "nModified")?;
        }
        Ok((found, changed))
    }

    /// The driver gives a command of our own neither a write concern nor a second try; what it is
    /// used for may be repeated.
    async fn run_write(&self, mut command: Document) -> Result<Document> {
        if let Some(concern) = self.database.write_concern() {
            command.insert("writeConcern", serialize_to_bson(concern)?);
        }
        let answer = self.database.run_command(command).await?;
        if let Ok(errors) = answer.get_array("writeErrors") {
            return Err(custom(format!("statements were refused: {errors:?}")));
        }
        if let Ok(error) = answer.get_document("writeConcernError") {
            return Err(custom(format!("not yet held by enough servers: {error}")));
        }
        Ok(answer)
    }
}

/// Servers count in 32 bits or 64.
fn count(answer: &Document, field: &str) -> Result<u64> {
    let wide = answer.get_i64(field);
    let count = wide.or_else(|_| answer.get_i32(field).map(i64::from));
    count.map(i64::unsigned_abs).map_err(custom)
}

/// Says whether it was the first.
async fn insert(things: &Collection<Document>, id: &str, mut fields: Document) -> Result<bool> {
    fields.insert("_id", id);
    match things.insert_one(fields).await {
        Ok(_) => Ok(true),
        Err(error) if is_duplicate(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// With marks for the sequencer: see `feed`.
fn marked(set: &mut Document, events: &[Document], change: ObjectId, ticket: i64) {
    set.insert("change", change);
    set.insert("ticket", ticket);
    set.insert("unplaced", true);
    if !events.is_empty() {
        set.insert("untold", true);
    }
}

/// Each event under a key of its own, so that it can be taken out again.
fn outbox(events: Vec<Document>, ticket: i64) -> impl Iterator<Item = (String, Document)> {
    events.into_iter().zip(0_i64..).map(move |(mut event, n)| {
        event.insert("ticket", ticket);
        event.insert("n", n);
        (ObjectId::new().to_hex(), event)
    })
}

fn stored_anew(revised: Revised, change: ObjectId, ticket: i64) -> Document {
    let mut fields = revised.set;
    marked(&mut fields, &revised.events, change, ticket);
    let outbox: Document = outbox(revised.events, ticket)
        .map(|(key, event)| (key, event.into()))
        .collect();
    let moved = revised.moved.into_iter().map(|slug| (slug, ticket.into()));
    let moved: Document = moved.collect();
    fields.insert("outbox", outbox);
    fields.insert("moved", moved);
    fields
}

fn update(revised: Revised, change: ObjectId, ticket: i64) -> Document {
    let mut set = revised.set;
    marked(&mut set, &revised.events, change, ticket);
    for (key, event) in outbox(revised.events, ticket) {
        set.insert(format!("outbox.{key}"), event);
    }
    for slug in revised.moved {
        set.insert(format!("moved.{slug}"), ticket);
    }
    let mut update = doc! {"$set": set};
    if !revised.unset.is_empty() {
        let unset: Document = revised
            .unset
            .into_iter()
            .map(|field| (field.to_owned(), "".into()))
            .collect();
        update.insert("$unset", unset);
    }
    update
}
