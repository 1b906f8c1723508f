//! What servers are killed under, whichever they are.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use content_api::store::{Store, StoreError};
use contracts::changes::ChangedItem;
use tokio::task::JoinHandle;

use crate::{
    life_cycle::{metadata, upload},
    sample::{NOW, id, png, retitled},
    world::{World, until},
};

/// By slug, the last acknowledged revision and title.
pub type Held = BTreeMap<String, (i64, String)>;

/// Tasks that write all the time, each documents of its own, and note what was acknowledged.
pub struct Writers {
    pub acknowledged: Arc<AtomicUsize>,
    pub refused: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Held>>,
}

impl Writers {
    pub fn start(store: &Arc<dyn Store>, count: usize) -> Self {
        let (acknowledged, refused) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let stop = Arc::<AtomicBool>::default();
        let tasks = (0..count).map(|writer| {
            let (store, stop) = (Arc::clone(store), Arc::clone(&stop));
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

    pub async fn more(&self, counted: &AtomicUsize, by: usize) {
        let from = counted.load(Ordering::SeqCst);
        until("they go on", async || {
            counted.load(Ordering::SeqCst) >= from + by
        })
        .await;
    }

    pub async fn end(self) -> Held {
        self.stop.store(true, Ordering::SeqCst);
        let mut held = BTreeMap::new();
        for task in self.tasks {
            held.extend(task.await.unwrap());
        }
        held
    }
}

/// Everything acknowledged is there or something newer, each document is whole and pending, and the
/// feed holds all of them.
pub async fn assert_nothing_lost(store: &dyn Store, held: &Held) {
    assert!(!held.is_empty());
    for (slug, (revision, title)) in held {
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

const UPLOADS: u8 = 12;

async fn send(world: &World, n: u8) -> u16 {
    let (key, title) = (format!("key-{n}"), format!("Upload {n}"));
    let reply = upload(world, &key, png(n), metadata(&title)).await;
    if reply.status != 201 {
        reply.problem(503, "unavailable");
    }
    reply.status.as_u16()
}

/// Uploads at the same time, with a kill once one is done. Returns how many were acknowledged.
pub async fn uploads_and(world: &World, kill: impl AsyncFnOnce()) -> u64 {
    let done = AtomicUsize::new(0);
    let uploading = futures::future::join_all((0..UPLOADS).map(async |n| {
        let status = send(world, n).await;
        done.fetch_add(1, Ordering::SeqCst);
        status
    }));
    let killing = async {
        until("one is done", async || done.load(Ordering::SeqCst) > 0).await;
        kill().await;
    };
    let (first, ()) = tokio::join!(uploading, killing);
    first.iter().filter(|status| **status == 201).count() as u64
}

/// What was interrupted is done once by its repetitions, and what was acknowledged is there before.
pub async fn assert_uploaded_once(world: &World, store: &dyn Store, acknowledged: u64) {
    let before = store.count().await.unwrap();
    assert!(before >= acknowledged, "{before} of {acknowledged}");
    for _ in 0..2 {
        for n in 0..UPLOADS {
            assert_eq!(send(world, n).await, 201, "upload {n}");
        }
    }
    assert_eq!(store.count().await.unwrap(), u64::from(UPLOADS));
    for document in store.list(None, 100).await.unwrap() {
        assert_eq!(document.revision, 1, "{}", document.id);
        assert!(store.has_image(&document.image.sha256).await.unwrap());
    }
}
