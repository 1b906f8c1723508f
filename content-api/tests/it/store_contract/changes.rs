//! The change feed: complete, in order, and nothing behind the reader.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use content_api::store::{ChangeFeed, Stamp, Store, Write};
use contracts::changes::{Change, ChangedItem};

use crate::sample::{NOW, campaign, draft, id, retitled, stamp};

pub async fn suite(store: &dyn Store) {
    each_thing_at_its_last_change(store).await;
    what_is_raised_above_the_indexes(store).await;
    many_writers_and_a_reader(store).await;
}

/// Everything after a position, in pages of this many.
async fn read(store: &(impl ChangeFeed + ?Sized), mut after: i64, limit: u32) -> Vec<Change> {
    let mut all: Vec<Change> = Vec::new();
    loop {
        let page = store.changes(after, limit).await.unwrap();
        assert!(page.len() <= limit as usize);
        let Some(last) = page.last() else { return all };
        after = last.position;
        all.extend(page);
    }
}

fn named(change: &Change) -> String {
    match &change.item {
        ChangedItem::Content { document } => format!("{} {}", document.id, document.revision),
        ChangedItem::ContentDeleted { id, revision } => format!("-{id} {revision}"),
        ChangedItem::Campaign { campaign } => format!("c:{} {}", campaign.id, campaign.revision),
        ChangedItem::ContentUse {
            campaign_id,
            content_id,
        } => format!("{campaign_id}/{content_id}"),
        ChangedItem::ContentUseDeleted {
            campaign_id,
            content_id,
        } => format!("-{campaign_id}/{content_id}"),
    }
}

/// After a restore revisions go up, and readers of the feed have to hear it.
async fn what_is_raised_above_the_indexes(store: &dyn Store) {
    for slug in ["raised-1", "raised-2", "raised-3"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    let deleted = store.delete(&id("raised-2"), None, &stamp()).await;
    assert!(matches!(deleted.unwrap(), Write::Done(_)));
    let start = read(store, 0, 1_000).await.last().unwrap().position;
    let held = [("raised-1", 7), ("raised-2", 4), ("raised-3", 0)];
    let held = held.map(|(slug, revision)| (id(slug), revision));
    assert_eq!(store.raise_revision(&held).await.unwrap(), 2);
    let names = async |after| {
        let told = read(store, after, 1).await;
        let mut names: Vec<_> = told.iter().map(named).collect();
        names.sort_unstable();
        (names, told.last().map(|last| last.position))
    };
    let (told, last) = names(start).await;
    assert_eq!(told, ["-raised-2 5", "raised-1 8"]);
    assert_eq!(store.raise_revision(&held).await.unwrap(), 0, "repeated");
    // The next one's place is behind theirs.
    store.put(&draft("raised-4"), NOW).await.unwrap();
    assert_eq!(names(last.unwrap()).await.0, ["raised-4 1"]);
}

async fn each_thing_at_its_last_change(store: &dyn Store) {
    let before = read(store, 0, 1_000).await;
    let start = before.last().map_or(0, |last| last.position);
    assert_eq!(read(store, start, 10).await, [], "up to date");
    let stamp = stamp();
    for slug in ["fed-1", "fed-2", "fed-3"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    store.put(&draft("fed-1"), NOW).await.unwrap();
    let first = campaign("fed", &["fed-1", "fed-3"]);
    store.register(&first, "fed", &[], &stamp).await.unwrap();
    store.put(&retitled("fed-2", "New"), NOW).await.unwrap();
    store.delete(&id("fed-3"), None, &stamp).await.unwrap();
    let second = campaign("fed", &["fed-1", "fed-2"]);
    store.change(&second, 1, &[], &stamp).await.unwrap();
    store.change(&second, 2, &[], &stamp).await.unwrap();

    let changes = read(store, start, 2).await;
    let mut names: Vec<String> = changes.iter().map(named).collect();
    let expected = [
        "fed-1 1",
        "fed/fed-1",
        "fed-2 2",
        "-fed-3 2",
        "c:fed 2",
        "fed/fed-2",
        "-fed/fed-3",
    ];
    // What one write changes comes in any order.
    names[4..].sort_unstable();
    let mut sorted = expected.map(str::to_owned);
    sorted[4..].sort_unstable();
    assert_eq!(names, sorted);
    assert_eq!(
        read(store, start, 1_000).await,
        changes,
        "whatever the page"
    );
    let beginning = read(store, 0, 3).await;
    assert_eq!(beginning.len(), before.len() + changes.len());
    let grows = beginning
        .windows(2)
        .all(|two| two[0].position < two[1].position);
    assert!(grows);
}

const WRITERS: usize = 8;
const WRITES: usize = 40;

/// Eight write as fast as they can while one reads. What the reader holds at its end must be what
/// is there, and it must never have been given anything out of order.
async fn many_writers_and_a_reader(store: &dyn Store) {
    let start = read(store, 0, 1_000).await.last().unwrap().position;
    let writing = AtomicBool::new(true);
    let reading = async {
        let (mut held, mut position, mut pages) = (BTreeMap::new(), start, 0);
        loop {
            // Asked before the reading: what was written by then is in it.
            let is_last = !writing.load(Ordering::SeqCst);
            let page = store.changes(position, 7).await.unwrap();
            for change in &page {
                assert!(change.position > position, "{change:?} behind {position}");
                position = change.position;
                keep(&mut held, change);
            }
            pages += 1;
            if page.is_empty() && is_last {
                return (held, pages);
            }
        }
    };
    let writers = async {
        futures::future::join_all((0..WRITERS).map(|n| write(store, n))).await;
        writing.store(false, Ordering::SeqCst);
    };
    let ((held, pages), ()) = tokio::join!(reading, writers);
    assert!(pages > 1);
    let mut anew = BTreeMap::new();
    for change in read(store, start, 1_000).await {
        keep(&mut anew, &change);
    }
    assert_eq!(held, anew);
    assert_eq!(anew.len(), 2 * WRITERS + WRITERS + WRITERS);
}

/// The last state of each thing, by its name without revision and sign.
fn keep(held: &mut BTreeMap<String, String>, change: &Change) {
    let name = named(change);
    let thing = name.trim_start_matches('-').split(' ').next().unwrap();
    held.insert(thing.to_owned(), name.clone());
}

async fn write(store: &dyn Store, n: usize) {
    let stamp = Stamp {
        now: NOW,
        by: "writer".to_owned(),
    };
    let (own, shared) = (format!("busy-{n}"), format!("shared-{n}"));
    let slug = format!("busy-campaign-{n}");
    let registered = campaign(&slug, &[]);
    store
        .register(&registered, &slug, &[], &stamp)
        .await
        .unwrap();
    let mut revision = 1;
    for step in 0..WRITES {
        store
            .put(&retitled(&own, &step.to_string()), NOW)
            .await
            .unwrap();
        let others = format!("shared-{}", (n + step) % WRITERS);
        store
            .put(&retitled(&others, &format!("{n} {step}")), NOW)
            .await
            .unwrap();
        if step % 4 == 0 {
            let contents = if step % 8 == 0 {
                vec![own.as_str()]
            } else {
                vec![]
            };
            let changed = campaign(&slug, &contents);
            let done = store.change(&changed, revision, &[], &stamp).await.unwrap();
            assert!(matches!(done, Write::Done(_)), "{done:?}");
            revision += 1;
        }
        if step % 10 == 9 {
            store.delete(&id(&own), None, &stamp).await.unwrap();
        }
    }
    store.put(&retitled(&shared, "end"), NOW).await.unwrap();
}
