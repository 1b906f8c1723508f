//! What every adapter of the store's ports must do. Call [`suite`] with an empty store.

mod campaigns;
mod changes;
mod erasing;
mod life;

use content_api::store::{Change, ContentStore, ImageFile, Pending, PutOutcome, Store, Write};
use time::Duration;

use crate::sample::{NOW, draft, id, retitled, stamp};

/// Runs everything; parts use ids of their own and leave nothing pending. `server` is name and
/// version of what the store is on.
pub async fn suite(store: &dyn Store, server: &str) {
    test_support::contract("Store", server);
    writing(store).await;
    deleting(store).await;
    paging(store).await;
    publishing(store).await;
    raising(store).await;
    writing_at_once(store).await;
    images(store).await;
    life::suite(store).await;
    campaigns::suite(store).await;
    changes::suite(store).await;
    erasing::suite(store).await;
}

fn updated(revision: i64) -> Write {
    Write::Done(PutOutcome {
        revision,
        change: Change::Updated,
    })
}

async fn writing(store: &dyn ContentStore) {
    assert_eq!(store.get(&[id("unknown")]).await.unwrap(), []);
    let before = store.contents_version().await.unwrap();
    let inserted = store.put(&draft("written"), NOW).await.unwrap();
    assert_eq!(
        inserted,
        PutOutcome {
            revision: 1,
            change: Change::Inserted
        }
    );
    let after_insert = store.contents_version().await.unwrap();
    assert!(after_insert > before);

    let later = NOW + Duration::days(1);
    let repeated = store.put(&draft("written"), later).await.unwrap();
    assert_eq!(
        repeated,
        PutOutcome {
            revision: 1,
            change: Change::Unchanged
        }
    );
    assert_eq!(store.contents_version().await.unwrap(), after_insert);
    assert_eq!(
        store.get(&[id("written")]).await.unwrap(),
        [draft("written").into_document(1, NOW, NOW)]
    );

    let changed = retitled("written", "Other");
    let updated = store.put(&changed, later).await.unwrap();
    assert_eq!(
        updated,
        PutOutcome {
            revision: 2,
            change: Change::Updated
        }
    );
    assert!(store.contents_version().await.unwrap() > after_insert);
    assert_eq!(
        store.get(&[id("unknown"), id("written")]).await.unwrap(),
        [changed.into_document(2, NOW, later)]
    );
}

async fn deleting(store: &dyn ContentStore) {
    assert_eq!(
        store.delete(&id("unknown"), None, &stamp()).await.unwrap(),
        Write::Absent
    );
    store.put(&draft("deleted"), NOW).await.unwrap();
    let (count, version) = (
        store.count().await.unwrap(),
        store.contents_version().await.unwrap(),
    );
    let deleted = store.delete(&id("deleted"), None, &stamp()).await.unwrap();
    assert_eq!(deleted, updated(2));
    assert_eq!(
        store.delete(&id("deleted"), None, &stamp()).await.unwrap(),
        Write::Absent
    );
    assert_eq!(store.get(&[id("deleted")]).await.unwrap(), []);
    assert_eq!(store.count().await.unwrap(), count - 1);
    assert!(store.contents_version().await.unwrap() > version);
    let revived = store.put(&draft("deleted"), NOW).await.unwrap();
    assert_eq!(
        revived,
        PutOutcome {
            revision: 3,
            change: Change::Updated
        }
    );
    assert_eq!(store.get(&[id("deleted")]).await.unwrap().len(), 1);
}

async fn paging(store: &dyn ContentStore) {
    // A hyphen comes before digits, and digits before letters: bytes, not a language's order.
    for slug in ["p-b", "pb", "p1"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    let ids = |documents: &[contracts::ContentDocument]| -> Vec<String> {
        documents
            .iter()
            .map(|document| document.id.to_string())
            .collect()
    };
    let first = store.list(Some(&id("p")), 2).await.unwrap();
    assert_eq!(ids(&first), ["p-b", "p1"]);
    let second = store.list(Some(&id("p1")), 1).await.unwrap();
    assert_eq!(ids(&second), ["pb"]);
    let all = store.list(None, 1_000).await.unwrap();
    assert_eq!(all.len() as u64, store.count().await.unwrap());
}

async fn publishing(store: &dyn ContentStore) {
    let everything: Vec<_> = store
        .pending(None, 1_000)
        .await
        .unwrap()
        .iter()
        .map(|change| (change.id().clone(), change.revision()))
        .collect();
    assert_eq!(everything.len() as u64, store.unpublished().await.unwrap());
    store.acknowledge(&everything).await.unwrap();
    assert_eq!(store.unpublished().await.unwrap(), 0);

    store.put(&draft("out-a"), NOW).await.unwrap();
    store.put(&draft("out-b"), NOW).await.unwrap();
    store.delete(&id("out-b"), None, &stamp()).await.unwrap();
    let pending = store.pending(None, 10).await.unwrap();
    let [Pending::Put(document), Pending::Delete(deletion)] = pending.as_slice() else {
        panic!("{pending:?}");
    };
    assert_eq!((document.id.as_str(), document.revision), ("out-a", 1));
    assert_eq!((deletion.id.as_str(), deletion.revision), ("out-b", 2));
    assert_eq!(
        store.pending(Some(&id("out-a")), 10).await.unwrap(),
        pending[1..]
    );
    assert_eq!(store.pending(None, 1).await.unwrap(), pending[..1]);

    // Only what was really sent counts: not an older revision, not one that is yet to come.
    store
        .acknowledge(&[(id("out-b"), 1), (id("out-a"), 2), (id("unknown"), 1)])
        .await
        .unwrap();
    assert_eq!(store.unpublished().await.unwrap(), 2);
    store
        .acknowledge(&[(id("out-a"), 1), (id("out-b"), 2)])
        .await
        .unwrap();
    assert_eq!(store.unpublished().await.unwrap(), 0);
    store.acknowledge(&[(id("out-b"), 1)]).await.unwrap();
    assert_eq!(store.unpublished().await.unwrap(), 0);

    // A write between the sending and its acknowledgement stays pending.
    store.put(&retitled("out-a", "Second"), NOW).await.unwrap();
    store.acknowledge(&[(id("out-a"), 1)]).await.unwrap();
    assert_eq!(store.unpublished().await.unwrap(), 1);
    store.acknowledge(&[(id("out-a"), 2)]).await.unwrap();

    let rows = everything.len() as u64 + 2;
    assert_eq!(store.unacknowledge_all().await.unwrap(), rows);
    assert_eq!(store.unpublished().await.unwrap(), rows);
    assert_eq!(store.unacknowledge_all().await.unwrap(), 0);
}

async fn raising(store: &dyn ContentStore) {
    let everything = store.pending(None, 1_000).await.unwrap();
    let sent: Vec<_> = everything
        .iter()
        .map(|change| (change.id().clone(), change.revision()))
        .collect();
    store.acknowledge(&sent).await.unwrap();
    for slug in ["low", "even", "above", "buried"] {
        store.put(&draft(slug), NOW).await.unwrap();
    }
    store.put(&retitled("above", "Second"), NOW).await.unwrap();
    store.delete(&id("buried"), None, &stamp()).await.unwrap();
    let sent = [("low", 1), ("even", 1), ("above", 2), ("buried", 2)];
    store
        .acknowledge(&sent.map(|(slug, revision)| (id(slug), revision)))
        .await
        .unwrap();
    let before = store.contents_version().await.unwrap();

    let held = [
        ("low", 4),
        ("low", 7),
        ("even", 1),
        ("above", 1),
        ("buried", 3),
        ("unknown", 5),
    ];
    let held = held.map(|(slug, revision)| (id(slug), revision));
    assert_eq!(store.raise_revision(&held).await.unwrap(), 3);
    assert!(store.contents_version().await.unwrap() > before);
    let pending = store.pending(None, 1_000).await.unwrap();
    let raised: Vec<(&str, i64)> = pending
        .iter()
        .map(|change| (change.id().as_str(), change.revision()))
        .collect();
    assert_eq!(raised, [("buried", 4), ("even", 2), ("low", 8)]);
    assert_eq!(store.get(&[id("low")]).await.unwrap()[0].revision, 8);
    let late = [("low", 1), ("even", 1), ("buried", 2)];
    store
        .acknowledge(&late.map(|(slug, revision)| (id(slug), revision)))
        .await
        .unwrap();
    assert_eq!(
        store.unpublished().await.unwrap(),
        3,
        "only the new revision counts"
    );

    let version = store.contents_version().await.unwrap();
    assert_eq!(store.raise_revision(&held).await.unwrap(), 0, "repeated");
    let highest = [(id("above"), i64::MAX)];
    assert_eq!(
        store.raise_revision(&highest).await.unwrap(),
        0,
        "no number above"
    );
    assert_eq!(store.contents_version().await.unwrap(), version);
    let changed = store.put(&retitled("low", "Next"), NOW).await.unwrap();
    assert_eq!((changed.revision, changed.change), (9, Change::Updated));

    let known = store
        .known(&["unknown", "low", "buried"].map(id))
        .await
        .unwrap();
    assert_eq!(known, [id("low"), id("buried")], "a tombstone is known");
}

async fn writing_at_once(store: &dyn ContentStore) {
    let before = store.contents_version().await.unwrap();
    let writes = (0..8).map(|n| async move {
        let outcome = store.put(&retitled("contended", &n.to_string()), NOW).await;
        outcome.unwrap().revision
    });
    let mut revisions = futures::future::join_all(writes).await;
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=8).collect::<Vec<i64>>());
    assert_eq!(store.contents_version().await.unwrap(), before + 8);
}

async fn images(store: &dyn ContentStore) {
    let file = ImageFile {
        sha256: "ab".repeat(32),
        media_type: "image/png".to_owned(),
        bytes: vec![0, 255, 10].into(),
    };
    assert!(!store.has_image(&file.sha256).await.unwrap());
    assert_eq!(store.image(&file.sha256).await.unwrap(), None);
    store.put_image(&file).await.unwrap();
    store.put_image(&file).await.unwrap();
    assert!(store.has_image(&file.sha256).await.unwrap());
    assert_eq!(store.image(&file.sha256).await.unwrap(), Some(file));
}
