//! What the MongoDB adapter asks of a server at the start, and does without.

use content_api::{
    MongoStore,
    store::{CampaignStore, ContentStore, ErasureLedger},
};
use futures::TryStreamExt;
use mongodb::{
    Client, Database,
    bson::{Bson, Document, doc},
};
use serde_json::Value;

use crate::sample::{NOW, campaign, draft, id, stamp};

async fn database(url: &str) -> Database {
    let client = Client::with_uri_str(url).await.unwrap();
    client.default_database().unwrap()
}

async fn connect(url: &str) -> MongoStore {
    MongoStore::connect(&url.into()).await.unwrap()
}

/// FerretDB has no views: the store starts, says so, and works.
#[tokio::test]
async fn a_refused_view_does_not_stop_the_start() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let database = database(&url).await;
    // Somebody's own, under a view's name: refused where there are views too.
    let theirs = database.collection::<Document>("descriptions");
    theirs.insert_one(doc! {"_id": "theirs"}).await.unwrap();
    for _ in 0..2 {
        let store = connect(&url).await;
        assert!(store.lacking().contains(&"views"), "{:?}", store.lacking());
        if store.server().starts_with("FerretDB") {
            assert!(store.lacking().contains(&"validators"));
        }
        store.put(&draft("a"), NOW).await.unwrap();
        assert_eq!(store.get(&[id("a")]).await.unwrap().len(), 1);
    }
    let kept = theirs.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(kept, doc! {"_id": "theirs"});
}

/// Where there are validators, they must let pass all that we write. No server that has them comes from
/// a package registry, so the schemas are held here against what the contract suite leaves.
pub async fn assert_schemas_are_kept(url: &str) {
    let store = connect(url).await;
    store.put(&draft("erased-late"), NOW).await.unwrap();
    let uses = campaign("uses-none", &[]);
    store.register(&uses, "r", &[], &stamp()).await.unwrap();
    store.erase(&id("erased-late"), &stamp()).await.unwrap();
    let database = database(url).await;
    let mut seen = Vec::new();
    for (name, schema) in MongoStore::schemas() {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let collection = database.collection::<Document>(name);
        let found = collection.find(doc! {}).await.unwrap();
        let found: Vec<Document> = found.try_collect().await.unwrap();
        assert!(found.len() > 3, "{name}: {}", found.len());
        for document in found {
            let id = document.get_str("_id").unwrap().to_owned();
            let faults = faults(&schema, &Bson::Document(document), &id);
            assert_eq!(faults, [""; 0], "{name}");
        }
        seen.push(name);
        // And they refuse something.
        let odd = doc! {"_id": 1, "body": "text", "revision": 0_i64, "live": "yes", "links": []};
        let found = faults(&schema, &Bson::Document(odd), "odd");
        assert_eq!(found.len(), 5, "{name}: {found:?}");
    }
    assert_eq!(seen, ["images", "campaigns"]);
}

/// As much of `$jsonSchema` as ours use; anything else is a fault too.
fn faults(schema: &Value, value: &Bson, path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (keyword, wanted) in schema.as_object().unwrap() {
        let holds = match keyword.as_str() {
            "bsonType" => wanted == kind(value),
            "enum" => {
                let value = serde_json::to_value(value).unwrap();
                wanted.as_array().unwrap().contains(&value)
            }
            "minimum" => value
                .as_i64()
                .is_none_or(|number| Some(number) >= wanted.as_i64()),
            "minLength" => value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= wanted.as_u64().unwrap()),
            "required" => {
                let names = wanted.as_array().unwrap().iter();
                let mut names = names.map(|name| name.as_str().unwrap());
                value
                    .as_document()
                    .is_none_or(|document| names.all(|name| document.contains_key(name)))
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    let field = value.as_document().and_then(|document| document.get(name));
                    let path = format!("{path}.{name}");
                    faults.extend(
                        field
                            .into_iter()
                            .flat_map(|field| self::faults(schema, field, &path)),
                    );
                }
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    faults.extend(self::faults(wanted, item, path));
                }
                true
            }
            _ => false,
        };
        if !holds {
            faults.push(format!("{path}: {keyword} {wanted}: {value}"));
        }
    }
    faults
}

fn kind(value: &Bson) -> &'static str {
    match value {
        Bson::String(_) => "string",
        Bson::Document(_) => "object",
        Bson::Array(_) => "array",
        Bson::Boolean(_) => "bool",
        Bson::Int64(_) => "long",
        Bson::Int32(_) => "int",
        Bson::ObjectId(_) => "objectId",
        Bson::DateTime(_) => "date",
        _ => "another",
    }
}
