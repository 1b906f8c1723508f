//! Collections, validators, indexes and views; created at each start, so that a newer version may
//! change them. What a server cannot do is left out and said.

use std::time::Duration;

use contracts::limits::LOG_DAYS;
use mongodb::{
    Collection, Database, IndexModel,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind, Result, WriteFailure},
    options::IndexOptions,
};

use super::{aggregate::TICKETS, custom, feed::FEED, version::COUNTER};

/// Building an index over what is there already may take long.
const DEADLINE: Duration = Duration::from_secs(120);

/// Codes of the server's answers: see `src/mongo/base/error_codes.yml` in MongoDB's source.
const NAMESPACE_EXISTS: i32 = 48;
const COMMAND_NOT_FOUND: i32 = 59;
const NOT_IMPLEMENTED: i32 = 238;
pub(super) const DUPLICATE_KEY: i32 = 11_000;

/// Collections without a validator, which nobody else writes.
const PLAIN: [&str; 5] = ["erasures", "feed", "logs", "request_keys", "state"];
/// Collections that people and other programs may write too, and what must hold of their documents.
pub(super) const VALIDATED: [(&str, &str); 2] = [
    ("images", include_str!("images.schema.json")),
    ("campaigns", include_str!("campaigns.schema.json")),
];
const VIEWS: [(&str, &str); 2] = [
    ("descriptions", include_str!("descriptions.view.json")),
    ("hashtags", include_str!("hashtags.view.json")),
];

/// Returns what the server cannot do, which is also logged.
pub(super) async fn set_up(database: &Database, server: &str) -> Result<Vec<&'static str>> {
    let setting_up = Box::pin(create_all(database));
    let lacking = tokio::time::timeout(DEADLINE, setting_up)
        .await
        .map_err(|_| custom(format!("not done within {DEADLINE:?}")))??;
    if !lacking.is_empty() {
        tracing::warn!(
            server,
            lacking = lacking.join(", "),
            "the database server cannot do everything that the content store asks for; it works without"
        );
    }
    Ok(lacking)
}

/// Returns what the server cannot do.
async fn create_all(database: &Database) -> Result<Vec<&'static str>> {
    let mut lacking = Lacking::default();
    for (name, schema) in VALIDATED {
        // Moderate: what does not hold already may still be changed.
        let schema = doc! {"$jsonSchema": json(schema)?};
        let validator = doc! {"validator": schema, "validationLevel": "moderate"};
        create(database, name, validator, "validators", &mut lacking).await?;
    }
    for name in PLAIN {
        create(database, name, Document::new(), "", &mut lacking).await?;
    }
    let state = database.collection("state");
    for document in [
        doc! {"_id": COUNTER, "version": 0_i64},
        doc! {"_id": TICKETS, "last": 0_i64},
        doc! {"_id": FEED, "turn": 0_i64, "last": 0_i64},
    ] {
        insert_once(&state, document).await?;
    }
    for (collection, keys, kind) in indexes() {
        let collection = database.collection(collection);
        index(&collection, keys, kind, &mut lacking).await?;
    }
    for (name, pipeline) in VIEWS {
        let view = doc! {"viewOn": "images", "pipeline": json(pipeline)?};
        create(database, name, view, "views", &mut lacking).await?;
    }
    Ok(lacking.0)
}

/// How an index is made.
enum Kind {
    All,
    Unique,
    /// Over the documents that are so.
    Partial(Document),
    /// Documents go so long after the date.
    Expiring(Duration),
}

/// What lists, the publisher, the sequencer and the count of changes ask by.
fn indexes() -> Vec<(&'static str, Document, Kind)> {
    let marked = |collection, mark: &str| {
        let keys = doc! {mark: 1, "ticket": 1};
        (collection, keys, Kind::Partial(doc! {mark: true}))
    };
    let log_lifetime = Duration::from_secs(LOG_DAYS.unsigned_abs() * 24 * 60 * 60);
    vec![
        ("images", doc! {"live": 1, "_id": 1}, Kind::All),
        (
            "images",
            doc! {"pending": 1, "_id": 1},
            Kind::Partial(doc! {"pending": true}),
        ),
        (
            "images",
            doc! {"unversioned": 1},
            Kind::Partial(doc! {"unversioned": true}),
        ),
        marked("images", "unplaced"),
        marked("images", "untold"),
        ("images", doc! {"hashtags": 1, "_id": 1}, Kind::All),
        ("images", doc! {"hash_bands": 1}, Kind::All),
        ("images", doc! {"body.image.sha256": 1}, Kind::All),
        ("images", doc! {"body.former_images.sha256": 1}, Kind::All),
        (
            "images",
            doc! {"erased_at": 1},
            Kind::Partial(doc! {"erased_at": {"$exists": true}}),
        ),
        (
            "images",
            doc! {"erasing.at": 1},
            Kind::Partial(doc! {"erasing": {"$exists": true}}),
        ),
        marked("campaigns", "unplaced"),
        marked("campaigns", "untold"),
        ("campaigns", doc! {"body.content_ids": 1}, Kind::All),
        ("campaigns", doc! {"body.status": 1, "_id": 1}, Kind::All),
        ("feed", doc! {"position": 1}, Kind::All),
        ("logs", doc! {"campaign_id": 1, "position": 1}, Kind::All),
        ("logs", doc! {"content_id": 1}, Kind::All),
        ("logs", doc! {"at": 1}, Kind::Expiring(log_lifetime)),
        ("request_keys", doc! {"subject": 1}, Kind::All),
        ("request_keys", doc! {"claimed_at": 1}, Kind::All),
        ("erasures", doc! {"key": 1}, Kind::Unique),
        (
            "erasures",
            doc! {"record.erasure.id": 1, "_id": 1},
            Kind::All,
        ),
    ]
}

#[derive(Default)]
struct Lacking(Vec<&'static str>);

impl Lacking {
    fn note(&mut self, what: &'static str) {
        if !self.0.contains(&what) {
            self.0.push(what);
        }
    }
}

/// Creates a collection or view, or brings the one that is there level. `needs` is what the server
/// must be able to do for `options`; a collection is created without them where it is not.
async fn create(
    database: &Database,
    name: &str,
    options: Document,
    needs: &'static str,
    lacking: &mut Lacking,
) -> Result<()> {
    let command = |verb: &str, options: &Document| {
        let mut command = doc! {verb: name};
        command.extend(options.clone());
        command
    };
    let view = options.contains_key("viewOn");
    let bare = options.is_empty();
    let created = database.run_command(command("create", &options)).await;
    let changed = match created {
        Err(error) if has_code(&error, &[NAMESPACE_EXISTS]) && !bare => {
            database.run_command(command("collMod", &options)).await
        }
        created => created,
    };
    match changed {
        Ok(_) => Ok(()),
        Err(error) if bare && has_code(&error, &[NAMESPACE_EXISTS]) => Ok(()),
        // Nothing here reads a view: they are for people and their tools. Whatever speaks against one
        // (no such thing, no right to it, a collection of that name), the store works without.
        Err(error) if view && matches!(*error.kind, ErrorKind::Command(_)) => {
            tracing::warn!(view = name, %error, "a view of the content store is refused");
            lacking.note(needs);
            Ok(())
        }
        Err(error) if has_code(&error, &[NOT_IMPLEMENTED, COMMAND_NOT_FOUND]) && !bare => {
            lacking.note(needs);
            match database.run_command(doc! {"create": name}).await {
                Err(error) if !has_code(&error, &[NAMESPACE_EXISTS]) => Err(error),
                _ => Ok(()),
            }
        }
        Err(error) => Err(error),
    }
}

/// Creates an index, or a plain one where the server has none of the kind.
async fn index(
    collection: &Collection<Document>,
    keys: Document,
    kind: Kind,
    lacking: &mut Lacking,
) -> Result<()> {
    let plain = IndexModel::builder().keys(keys).build();
    let options = IndexOptions::builder();
    let (options, needs) = match kind {
        Kind::All => return collection.create_index(plain).await.map(drop),
        Kind::Unique => (options.unique(true).build(), "unique indexes"),
        Kind::Partial(so) => {
            let options = options.partial_filter_expression(so);
            (options.build(), "partial indexes")
        }
        Kind::Expiring(after) => (options.expire_after(after).build(), "indexes that expire"),
    };
    let mut wanted = plain.clone();
    wanted.options = Some(options);
    match collection.create_index(wanted).await {
        Err(error) if has_code(&error, &[NOT_IMPLEMENTED]) => {
            lacking.note(needs);
            collection.create_index(plain).await.map(drop)
        }
        created => created.map(drop),
    }
}

/// Inserts, unless it is there.
async fn insert_once(collection: &Collection<Document>, document: Document) -> Result<()> {
    match collection.insert_one(document).await {
        Err(error) if !is_duplicate(&error) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn is_duplicate(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        _ => has_code(error, &[DUPLICATE_KEY]),
    }
}

fn has_code(error: &Error, codes: &[i32]) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(error) if codes.contains(&error.code))
}

/// Ours, so it is well-formed.
fn json(text: &str) -> Result<Bson> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(custom)?;
    Ok(mongodb::bson::serialize_to_bson(&value)?)
}
