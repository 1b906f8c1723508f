//! MongoDB is killed, frozen and started again: what was acknowledged stays, and the rest is said.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use content_api::{
    MongoStore,
    store::{Change, ChangeFeed, ContentStore, StoreError},
};
use contracts::changes::ChangedItem;
use serde_json::json;
use test_support::MongoServer;
use tokio::task::JoinHandle;

use crate::{
    life_cycle::{metadata, upload},
    sample::{NOW, draft, id, png, retitled},
    world::{Setup, World, until},
};

/// Options that shorten the waiting for a server which is not there.
const IMPATIENT: &str =
    "x?serverSelectionTimeoutMS=1000&connectTimeoutMS=1000&heartbeatFrequencyMS=500";

async fn connect(server: &MongoServer) -> MongoStore {
    let url = server.url(IMPATIENT);
    MongoStore::connect(&url.as_str().into()).await.unwrap()
}

/// Tasks that write all the time, each documents of its own, and note what was acknowledged.
struct Writers {
    acknowledged: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<BTreeMap<String, (i64, String)>>>,
}

impl Writers {
    fn start(store: &MongoStore, count: usize) -> Self {
        let (acknowledged, refused) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let stop = Arc::<AtomicBool>::default();
        let tasks = (0..count).map(|writer| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            let (acknowledged, refused) = (Arc::clone(&acknowledged), Arc::clone(&refused));
            tokio::spawn(async move {
                let mut held = BTreeMap::new();
                for round in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let slug = format!("w{writer}-{}", round % 7);
                    let title = format!("round {round}");
                    let before = store.contents_version().await;
                    match store.put(&retitled(&slug, &title), NOW).await {
                        Ok(outcome) => {
                            // So that a sequencer is at work, too.
                            store.changes(0, 1).await.ok();
                            held.insert(slug, (outcome.revision, title));
                            if let (Ok(before), Ok(after)) =
                                (before, store.contents_version().await)
                            {
                                assert!(after > before, "what is cached is found again");
                            }
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(StoreError::Backend { .. }) => {
                            refused.fetch_add(1, Ordering::SeqCst);
                            tokio::task::yield_now().await;
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                held
            })
        });
        Self {
            tasks: tasks.collect(),
            acknowledged,
            refused,
            stop,
        }
    }

    async fn more(&self, counted: &AtomicUsize, by: usize) {
        let from = counted.load(Ordering::SeqCst);
        until("they go on", async || {
            counted.load(Ordering::SeqCst) >= from + by
        })
        .await;
    }

    async fn end(self) -> BTreeMap<String, (i64, String)> {
        self.stop.store(true, Ordering::SeqCst);
        let mut held = BTreeMap::new();
        for task in self.tasks {
            held.extend(task.await.unwrap());
        }
        held
    }
}

#[tokio::test]
async fn killed_under_load_it_loses_no_acknowledged_write() {
    let Some(mut server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    let writers = Writers::start(&store, 4);
    for _ in 0..3 {
        writers.more(&writers.acknowledged, 20).await;
        server.kill();
        writers.more(&writers.refused, 2).await;
        server.restart().await;
    }
    writers.more(&writers.acknowledged, 20).await;
    let held = writers.end().await;
    assert!(!held.is_empty());
    for (slug, (revision, title)) in &held {
        let stored = store.get(&[id(slug)]).await.unwrap().remove(0);
        let stored_title = &stored.text[&contracts::Language::En].title;
        // What was refused may have been written all the same, and is then newer.
        assert!(
            stored.revision > *revision || stored_title == title,
            "{slug}: {revision} {title}, and now {} {stored_title}",
            stored.revision
        );
        assert!(stored.revision >= *revision, "{slug}");
    }
    // Nothing half-written: each is whole and pending.
    let stored = store.list(None, 1_000).await.unwrap();
    assert_eq!(stored.len() as u64, store.count().await.unwrap());
    assert_eq!(stored.len() as u64, store.unpublished().await.unwrap());
    // Nothing is missing in the feed, whatever the sequencer was doing.
    let fed = store.changes(0, 1_000).await.unwrap().into_iter();
    let fed = fed.map(|change| match change.item {
        ChangedItem::Content { document } => (document.id.to_string(), document.revision),
        other => panic!("{other:?}"),
    });
    let of_store = stored
        .iter()
        .map(|document| (document.id.to_string(), document.revision));
    assert_eq!(fed.collect::<BTreeMap<_, _>>(), of_store.collect());
}

/// Uploads that are interrupted anywhere are done once by their repetitions.
#[tokio::test]
async fn killed_during_uploads_it_is_a_503_and_a_repetition_is_done_once() {
    let Some(mut server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    let setup = Setup {
        content: Some(Arc::new(store.clone())),
        publish: false,
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    const UPLOADS: u8 = 12;
    let (key, title) = (|n| format!("key-{n}"), |n| format!("Upload {n}"));
    let done = AtomicUsize::new(0);
    let uploading = futures::future::join_all((0..UPLOADS).map(async |n| {
        let reply = upload(&world, &key(n), png(n), metadata(&title(n))).await;
        if reply.status != 201 {
            reply.problem(503, "unavailable");
        }
        done.fetch_add(1, Ordering::SeqCst);
        reply.status
    }));
    let killing = async {
        until("one is done", async || done.load(Ordering::SeqCst) > 0).await;
        server.kill();
    };
    let (first, ()) = tokio::join!(uploading, killing);
    server.restart().await;
    until("it answers again", async || store.count().await.is_ok()).await;
    let before = store.count().await.unwrap();
    let acknowledged = first.iter().filter(|status| **status == 201).count() as u64;
    assert!(before >= acknowledged, "{before} of {acknowledged}");
    for _ in 0..2 {
        for n in 0..UPLOADS {
            let reply = upload(&world, &key(n), png(n), metadata(&title(n))).await;
            assert_eq!(
                reply.status,
                201,
                "{}",
                String::from_utf8_lossy(&reply.body)
            );
        }
    }
    assert_eq!(store.count().await.unwrap(), u64::from(UPLOADS));
    for document in store.list(None, 100).await.unwrap() {
        assert_eq!(document.revision, 1, "{}", document.id);
        assert!(store.has_image(&document.image.sha256).await.unwrap());
    }
}

#[tokio::test]
async fn away_it_is_a_503_and_back_it_serves() {
    let Some(mut server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    let setup = Setup {
        content: Some(Arc::new(store.clone())),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    store.put(&draft("alpha"), NOW).await.unwrap();
    world.publisher.wake();
    world.drained().await;
    let question = json!({"description": "shoes"});
    let answered = world.find(question.clone()).await;
    assert_eq!(answered.status, 200);

    server.kill();
    for reply in [
        world.find(question.clone()).await,
        world.get("/v1/content/alpha", &[]).await,
        world.get("/v1/content/alpha/image", &[]).await,
    ] {
        let problem = reply.problem(503, "unavailable");
        assert!(
            problem.detail.contains("content store"),
            "{}",
            problem.detail
        );
        assert!(!problem.detail.contains("127.0.0.1"), "{}", problem.detail);
    }
    let refused = store.put(&retitled("alpha", "Lost"), NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Backend { .. })),
        "{refused:?}"
    );

    server.restart().await;
    until("it serves again", async || {
        world.get("/v1/content/alpha", &[]).await.status == 200
    })
    .await;
    let stored = store.get(&[id("alpha")]).await.unwrap();
    assert_eq!(stored[0].revision, 1, "nothing was half-written");
    assert_eq!(world.find(question).await.status, 200);
    // Tried again, it is done once.
    let again = retitled("alpha", "Lost");
    assert_eq!(store.put(&again, NOW).await.unwrap().revision, 2);
    let outcome = store.put(&again, NOW).await.unwrap();
    assert_eq!((outcome.revision, outcome.change), (2, Change::Unchanged));
}

#[tokio::test]
async fn frozen_it_is_an_error_within_the_deadline() {
    let Some(server) = test_support::own_mongo().await else {
        return;
    };
    let store = connect(&server).await;
    store.put(&draft("alpha"), NOW).await.unwrap();
    server.freeze();
    let asked = tokio::time::Instant::now();
    let error = store.get(&[id("alpha")]).await.unwrap_err();
    assert!(
        asked.elapsed() < std::time::Duration::from_secs(16),
        "{:?}",
        asked.elapsed()
    );
    assert!(
        matches!(
            error,
            StoreError::Backend {
                action: "read documents",
                ..
            }
        ),
        "{error}"
    );
    server.thaw();
    until("it answers again", async || {
        store.get(&[id("alpha")]).await.is_ok()
    })
    .await;
}
