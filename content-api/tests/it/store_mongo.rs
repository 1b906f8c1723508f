//! The MongoDB adapter: the contract, and what only it can get wrong.

use std::time::Duration;

use content_api::{
    MongoStore,
    store::{
        AnyStore, CampaignStore, ChangeFeed, ContentStore, Erased, ErasureLedger, ImageFile,
        Pending, StoreError, UnknownScheme,
    },
};
use contracts::{campaigns::CampaignEvent, changes::ChangedItem};
use futures::TryStreamExt;
use mongodb::{
    Client, Database,
    bson::{DateTime, Document, doc, oid::ObjectId, serialize_to_bson},
};
use time::OffsetDateTime;

use crate::{
    sample::{NOW, campaign, draft, id, retitled, stamp},
    store_contract,
    store_mongo_setup::assert_schemas_are_kept,
};

/// `FerretDB` lets one write through at a time, and reads whole collections: beside other tests, what
/// takes MongoDB milliseconds may take it longer than the product would wait.
const PATIENT: Duration = Duration::from_secs(60);

async fn connect(url: &str) -> MongoStore {
    let store = MongoStore::connect(&url.into()).await.unwrap();
    store.with_deadline(PATIENT)
}

/// The same database, past the adapter.
async fn database(url: &str) -> Database {
    let client = Client::with_uri_str(url).await.unwrap();
    client.default_database().unwrap()
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    Box::pin(store_contract::suite(&store, store.server())).await;
    assert_schemas_are_kept(&url).await;
}

#[tokio::test]
async fn two_services_may_start_at_once_and_again() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let (first, second) = tokio::join!(connect(&url), connect(&url));
    first.put(&draft("kept"), NOW).await.unwrap();
    assert_eq!(second.count().await.unwrap(), 1);
    assert_eq!(connect(&url).await.contents_version().await.unwrap(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_document_is_named() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    store.put(&draft("bad"), NOW).await.unwrap();
    let images = database(&url).await.collection::<Document>("images");
    let damage = doc! {"$set": {"body": {}}};
    images.update_one(doc! {}, damage).await.unwrap();
    let error = store.get(&[id("bad")]).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Damaged { id, .. } if id == "bad"),
        "{error}"
    );
    // Written again, it is whole.
    assert_eq!(store.put(&draft("bad"), NOW).await.unwrap().revision, 2);
    assert_eq!(store.get(&[id("bad")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_that_is_no_document_hides_no_other() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    for slug in ["a", "bad-1", "bad-2", "misnamed", "z"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    let images = database(&url).await.collection::<Document>("images");
    for (slug, damage) in [
        ("bad-1", doc! {"body": {}}),
        ("bad-2", doc! {"created_at": "yesterday"}),
        ("misnamed", doc! {"body.id": "a"}),
    ] {
        let done = images.update_one(doc! {"_id": slug}, doc! {"$set": damage});
        assert_eq!(done.await.unwrap().modified_count, 1);
    }
    let slugs = |documents: Vec<contracts::ContentDocument>| -> Vec<String> {
        let slug = |document: contracts::ContentDocument| document.id.to_string();
        documents.into_iter().map(slug).collect()
    };
    let asked = ["a", "bad-1", "z"].map(id);
    let mut found = slugs(store.get(&asked).await.unwrap());
    found.sort_unstable();
    assert_eq!(found, ["a", "z"]);
    assert_eq!(slugs(store.list(None, 9).await.unwrap()), ["a", "z"]);
    // A page of nothing but unreadable ones is not the end.
    let page = store.list(Some(&id("a")), 2).await.unwrap();
    assert_eq!(slugs(page), ["z"]);
    assert_eq!(store.list(Some(&id("z")), 2).await.unwrap(), []);

    let pending = store.pending(None, 9).await.unwrap();
    let readable = |change: &Pending| matches!(change, Pending::Put(_));
    let readable: Vec<bool> = pending.iter().map(readable).collect();
    assert_eq!(readable, [true, false, false, false, true]);
    assert_eq!((pending[1].id(), pending[1].revision()), (&id("bad-1"), 1));
    let known = store.known(&["bad-1", "z", "unknown"].map(id)).await;
    assert_eq!(known.unwrap(), [id("bad-1"), id("z")]);
}

/// What a writer leaves that dies after its write and before its count.
#[tokio::test]
async fn a_write_that_was_not_counted_is_counted_by_the_next_reader() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    store.put(&draft("a"), NOW).await.unwrap();
    let before = store.contents_version().await.unwrap();
    let images = database(&url).await.collection::<Document>("images");
    let left = doc! {"$set": {"unversioned": true}};
    images.update_one(doc! {"_id": "a"}, left).await.unwrap();
    assert_eq!(store.contents_version().await.unwrap(), before + 1);
    assert_eq!(store.contents_version().await.unwrap(), before + 1, "once");
}

/// What a writer leaves that dies after its write and before it tells the logs.
#[tokio::test]
async fn an_event_that_was_not_told_is_told_before_the_log_is_read() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    store.put(&draft("a"), NOW).await.unwrap();
    let uses = campaign("uses", &["a"]);
    store.register(&uses, "r", &[], &stamp()).await.unwrap();
    let content_id = id("a");
    let event = CampaignEvent::ContentImageReplaced { content_id };
    let left = doc! {
        "ticket": 1_i64, "n": 0_i64, "at": DateTime::from_millis(0), "by": "tester",
        "content_id": "a", "event": serialize_to_bson(&event).unwrap(),
    };
    let images = database(&url).await.collection::<Document>("images");
    let left = doc! {"$set": {"untold": true, "outbox.0123": left}};
    images.update_one(doc! {"_id": "a"}, left).await.unwrap();
    let since = OffsetDateTime::UNIX_EPOCH;
    for _ in 0..2 {
        let log = store.log(&id("uses"), 0, since, 9).await.unwrap();
        let told: Vec<&CampaignEvent> = log.iter().map(|entry| &entry.event).collect();
        assert_eq!(told, [&event]);
    }
    let marks = doc! {"$or": [{"untold": true}, {"outbox.0123": {"$exists": true}}]};
    assert_eq!(images.count_documents(marks).await.unwrap(), 0);
}

/// What a sequencer leaves that dies after its plan: some of it done, some not.
#[tokio::test]
async fn a_plan_that_was_left_is_carried_out_before_anything_else() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    for slug in ["a", "b", "c"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    let database = database(&url).await;
    let (images, state) = (
        database.collection::<Document>("images"),
        database.collection::<Document>("state"),
    );
    let change = async |slug: &str| {
        let found = images.find_one(doc! {"_id": slug}).await.unwrap().unwrap();
        found.get_object_id("change").unwrap()
    };
    let place = |slug: &str, position: i64| {
        doc! {
            "key": format!("content/{slug}"), "position": position, "kind": "content",
            "id": slug, "campaign_id": null,
        }
    };
    let cleared = |slug: &str, change: ObjectId| {
        doc! {"collection": "images", "id": slug, "change": change, "told": []}
    };
    let plan = doc! {
        "mark": "Unplaced", "places": [place("a", 1), place("b", 2)], "entries": [],
        // "b" was written again after the plan was made.
        "cleared": [cleared("a", change("a").await), cleared("b", ObjectId::new())],
        "last": 2_i64, "is_whole": false,
    };
    let half_done = doc! {"_id": "content/b", "position": 2_i64, "kind": "content", "id": "b"};
    let feed = database.collection::<Document>("feed");
    feed.insert_one(half_done).await.unwrap();
    let left = doc! {"$set": {"plan": plan, "last": 2_i64}, "$inc": {"turn": 1_i64}};
    state.update_one(doc! {"_id": "feed"}, left).await.unwrap();

    let fed = store.changes(0, 9).await.unwrap();
    let fed: Vec<(i64, String)> = fed
        .into_iter()
        .map(|change| match change.item {
            ChangedItem::Content { document } => (change.position, document.id.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    // It has one place: that of its last change.
    let expected = [(1, "a"), (3, "b"), (4, "c")];
    assert_eq!(
        fed,
        expected.map(|(position, slug)| (position, slug.to_owned()))
    );
}

/// What an erasure leaves that was cut off after its first step.
#[tokio::test]
async fn an_erasure_that_was_begun_is_finished_once() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    store.put(&draft("a"), NOW).await.unwrap();
    let uses = campaign("uses", &["a"]);
    store.register(&uses, "r", &[], &stamp()).await.unwrap();
    let begun = doc! {"$set": {
        "body": {}, "live": false, "revision": 2_i64, "erased_at": DateTime::from_millis(0),
        "erasing": {
            "key": ObjectId::new(), "at": DateTime::from_millis(0), "by": "tester", "files": [],
        },
    }};
    let images = database(&url).await.collection::<Document>("images");
    images.update_one(doc! {"_id": "a"}, begun).await.unwrap();
    let long_ago = OffsetDateTime::UNIX_EPOCH;
    assert_eq!(store.purge_log(long_ago).await.unwrap(), 0);
    assert_eq!(
        store.erase(&id("a"), &stamp()).await.unwrap(),
        Erased::Before
    );
    assert_eq!(store.erasures_of(&id("a")).await.unwrap().len(), 1);
    let uses = store.campaign(&id("uses")).await.unwrap().unwrap();
    assert_eq!((uses.content_ids.len(), uses.revision), (0, 2));
}

#[tokio::test]
async fn a_large_image_file_comes_back_whole_and_is_stored_once() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    // More than a document may have.
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = ImageFile {
        sha256: "cd".repeat(32),
        media_type: "image/png".to_owned(),
        bytes: bytes.into(),
    };
    store.put_image(&file).await.unwrap();
    store.put_image(&file).await.unwrap();
    assert!(
        store.image(&file.sha256).await.unwrap() == Some(file),
        "equal"
    );
    let files = database(&url)
        .await
        .collection::<Document>("image_files.files");
    assert_eq!(files.count_documents(doc! {}).await.unwrap(), 1);
}

/// A writer that dies leaves chunks without a file: they are not found, and hinder nobody.
#[tokio::test]
async fn half_an_image_file_is_none() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    let file = ImageFile {
        sha256: "ef".repeat(32),
        media_type: "image/png".to_owned(),
        bytes: vec![7; 3_000_000].into(),
    };
    store.put_image(&file).await.unwrap();
    let database = database(&url).await;
    let files = database.collection::<Document>("image_files.files");
    files.delete_many(doc! {}).await.unwrap();
    assert!(!store.has_image(&file.sha256).await.unwrap());
    assert_eq!(store.image(&file.sha256).await.unwrap(), None);
    store.put_image(&file).await.unwrap();
    assert!(
        store.image(&file.sha256).await.unwrap() == Some(file),
        "equal"
    );
}

#[tokio::test]
async fn hashtags_are_kept_in_small_letters_each_once() {
    let Some(url) = test_support::mongo().await else {
        return;
    };
    let store = connect(&url).await;
    let mut tagged = retitled("tagged", "Tagged");
    for text in tagged.text.values_mut() {
        text.hashtags = ["#Sol", "#sol", "#Mar"].map(str::to_owned).to_vec();
    }
    store.put(&tagged, NOW).await.unwrap();
    let images = database(&url).await.collection::<Document>("images");
    let pipeline = [
        doc! {"$unwind": "$hashtags"},
        doc! {"$sort": {"hashtags": 1}},
    ];
    let found: Vec<Document> = images
        .aggregate(pipeline)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let tags: Vec<&str> = found
        .iter()
        .map(|one| one.get_str("hashtags").unwrap())
        .collect();
    assert_eq!(tags, ["#mar", "#sol"]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_that_says_so_soon() {
    let port = test_support::free_port().unwrap();
    let url = format!("mongodb://user:hunter2@127.0.0.1:{port}/x");
    let error = MongoStore::connect(&url.as_str().into()).await.unwrap_err();
    let StoreError::Backend { action, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*action, "connect to its database");
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_url_that_makes_no_sense_is_an_error_without_its_password() {
    for url in [
        "mongodb://user:hunter2@",
        "mongodb://user:hunter2@host:port/x",
        "mongodb://user:hunter2@host/x?w=hunter2:",
        "mongodb://us/er:hunter2@host",
        "http://user:hunter2@host",
    ] {
        let error = MongoStore::connect(&url.into()).await.unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{url}: {error:?}"
        );
    }
}

#[tokio::test]
async fn the_url_chooses_the_adapter() {
    if let Some(url) = test_support::mongo().await {
        let store = AnyStore::connect(&url.as_str().into()).await.unwrap();
        assert!(matches!(store, AnyStore::Mongo(_)));
    }
    if let Some(database) = test_support::fresh_database().await {
        let store = AnyStore::connect(&database.url.as_str().into())
            .await
            .unwrap();
        assert!(matches!(store, AnyStore::Postgres(_)));
    }
    for fine in ["postgresql://h/x", "mongodb+srv://h/x"] {
        assert_eq!(AnyStore::check_url(&fine.into()), Ok(()));
    }
    for other in ["", "h/x", "mysql://u:hunter2@h/x", "mongodb:h", "MONGODB"] {
        assert_eq!(AnyStore::check_url(&other.into()), Err(UnknownScheme));
        let error = AnyStore::connect(&other.into())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("mongodb+srv://") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
