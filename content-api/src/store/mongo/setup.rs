//! Collections, validators, indexes and views; created at each start, so that a newer version may
//! change them. What a server cannot do is left out and said.

use std::time::Duration;

use mongodb::{
    Collection, Database, IndexModel,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind, Result, WriteFailure},
    options::IndexOptions,
};

use super::{MongoStore, custom};

/// Building an index over what is there already may take long.
const DEADLINE: Duration = Duration::from_secs(120);

/// Codes of the server's answers: see `src/mongo/base/error_codes.yml` in MongoDB's source.
const NAMESPACE_EXISTS: i32 = 48;
const COMMAND_NOT_FOUND: i32 = 59;
const INDEX_OPTIONS_CONFLICT: i32 = 85;
const NOT_IMPLEMENTED: i32 = 238;
const DUPLICATE_KEY: i32 = 11_000;

const IMAGES: &str = include_str!("images.schema.json");
const VIEWS: [(&str, &str); 2] = [
    ("descriptions", include_str!("descriptions.view.json")),
    ("hashtags", include_str!("hashtags.view.json")),
];

pub(super) async fn set_up(database: &Database, server: &str) -> Result<()> {
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
    Ok(())
}

/// Returns what the server cannot do.
async fn create_all(database: &Database) -> Result<Vec<&'static str>> {
    let mut lacking = Lacking::default();
    let validator =
        doc! {"validator": {"$jsonSchema": json(IMAGES)?}, "validationLevel": "moderate"};
    create(database, "images", validator, "validators", &mut lacking).await?;
    create(database, "state", Document::new(), "", &mut lacking).await?;
    MongoStore::create_counter(&database.collection("state")).await?;
    for (keys, partial) in indexes() {
        let images = database.collection("images");
        index(&images, keys, partial, &mut lacking).await?;
    }
    for (name, pipeline) in VIEWS {
        let view = doc! {"viewOn": "images", "pipeline": json(pipeline)?};
        create(database, name, view, "views", &mut lacking).await?;
    }
    Ok(lacking.0)
}

/// Of `images`: what lists, the publisher and the count of changes ask by. The second part is what
/// a document must be to stand in the index.
fn indexes() -> [(Document, Option<Document>); 4] {
    [
        (doc! {"live": 1, "_id": 1}, None),
        (doc! {"pending": 1, "_id": 1}, Some(doc! {"pending": true})),
        (doc! {"unversioned": 1}, Some(doc! {"unversioned": true})),
        (doc! {"hashtags": 1}, None),
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
        Err(error) if has_code(&error, &[NOT_IMPLEMENTED, COMMAND_NOT_FOUND]) && !bare => {
            lacking.note(needs);
            if view {
                return Ok(());
            }
            match database.run_command(doc! {"create": name}).await {
                Err(error) if !has_code(&error, &[NAMESPACE_EXISTS]) => Err(error),
                _ => Ok(()),
            }
        }
        Err(error) => Err(error),
    }
}

/// Creates an index, or one over all documents where the server has no partial ones.
async fn index(
    collection: &Collection<Document>,
    keys: Document,
    partial: Option<Document>,
    lacking: &mut Lacking,
) -> Result<()> {
    let whole = IndexModel::builder().keys(keys).build();
    let Some(partial) = partial else {
        return collection.create_index(whole).await.map(drop);
    };
    let mut wanted = whole.clone();
    let options = IndexOptions::builder().partial_filter_expression(partial);
    wanted.options = Some(options.build());
    match collection.create_index(wanted).await {
        Err(error) if has_code(&error, &[NOT_IMPLEMENTED]) => {
            lacking.note("partial indexes");
            collection.create_index(whole).await.map(drop)
        }
        Err(error) if has_code(&error, &[INDEX_OPTIONS_CONFLICT]) => Ok(()),
        created => created.map(drop),
    }
}

/// Inserts, unless it is there.
pub(super) async fn insert_once(
    collection: &Collection<Document>,
    document: Document,
) -> Result<()> {
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
