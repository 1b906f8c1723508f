//! The catalogue into the store.

use content_api::{
    PostgresStore,
    seed::{SeedReport, seed},
    store::ContentStore,
};
use images::Catalogue;

use contracts::content::Origin;

use crate::sample::{NOW, stamp};

#[tokio::test]
async fn a_second_seeding_changes_nothing_and_a_changed_entry_one_document() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    let catalogue = Catalogue::bundled().unwrap();
    let all = catalogue.len() as u32;

    let first = seed(&store, &catalogue, NOW).await.unwrap();
    assert_eq!(
        first,
        SeedReport {
            inserted: all,
            ..SeedReport::default()
        }
    );
    assert_eq!(store.count().await.unwrap(), u64::from(all));
    let version = store.contents_version().await.unwrap();

    let second = seed(&store, &catalogue, NOW + time::Duration::HOUR)
        .await
        .unwrap();
    assert_eq!(
        second,
        SeedReport {
            unchanged: all,
            ..SeedReport::default()
        }
    );
    assert_eq!(store.contents_version().await.unwrap(), version);

    let entry = &catalogue.entries()[0];
    let file = store.image(&entry.facts.sha256).await.unwrap().unwrap();
    assert_eq!(file.bytes, entry.image.bytes.as_ref());
    assert_eq!(file.media_type, entry.image.media_type());

    let mut entries = catalogue.entries().to_vec();
    entries[0].themes.push("work".to_owned());
    let third = seed(&store, &Catalogue::from_entries(entries), NOW)
        .await
        .unwrap();
    assert_eq!(
        third,
        SeedReport {
            inserted: 0,
            updated: 1,
            unchanged: all - 1,
            kept: 0,
        }
    );
}

#[tokio::test]
async fn what_callers_changed_or_deleted_stays_so() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    let catalogue = Catalogue::bundled().unwrap();
    seed(&store, &catalogue, NOW).await.unwrap();
    let [changed, deleted, ..] = catalogue.entries() else {
        panic!("two entries")
    };
    let mut draft = content_api::seed::draft(changed);
    draft.origin = Origin::Api;
    draft.themes.clear();
    store.replace(&draft, 1, &[], &stamp()).await.unwrap();
    store.delete(&deleted.id, None, &stamp()).await.unwrap();

    let again = seed(&store, &catalogue, NOW).await.unwrap();
    assert_eq!((again.kept, again.inserted, again.updated), (2, 0, 0));
    let left = [changed.id.clone(), deleted.id.clone()];
    let left = store.get(&left).await.unwrap();
    assert_eq!((left.len(), left[0].themes.len()), (1, 0));
}
