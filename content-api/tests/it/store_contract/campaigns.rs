//! Campaigns, their log, and what becomes of the documents that they use.

use content_api::store::{CampaignDraft, CampaignStore, Change, PutOutcome, Store, Write};
use contracts::{
    campaigns::{CampaignEvent, CampaignStatus},
    content::Status,
};
use time::{Duration, OffsetDateTime};

use super::updated;
use crate::sample::{NOW, campaign, draft, id, stamp};

pub async fn suite(store: &dyn Store) {
    registering(store).await;
    changing(store).await;
    paging(store).await;
    hearing_of_documents(store).await;
    forgetting(store).await;
}

async fn registering(store: &(impl CampaignStore + ?Sized)) {
    assert_eq!(store.campaign(&id("unknown")).await.unwrap(), None);
    let draft = campaign("registered", &["x", "y"]);
    let events = [CampaignEvent::Registered];
    let done = store.register(&draft, "first", &events, &stamp()).await;
    let inserted = PutOutcome {
        revision: 1,
        change: Change::Inserted,
    };
    assert_eq!(done.unwrap(), Write::Done(inserted));
    for (request, expected) in [
        ("first", Write::Repeated { revision: 1 }),
        ("second", Write::Conflict { revision: 1 }),
    ] {
        let other = campaign("registered", &[]);
        let again = store.register(&other, request, &events, &stamp()).await;
        assert_eq!(again.unwrap(), expected);
    }
    let stored = store.campaign(&id("registered")).await.unwrap();
    assert_eq!(stored, Some(draft.into_campaign(1, NOW, NOW)));
    assert_eq!(log(store, "registered").await, events, "once");
}

async fn log(store: &(impl CampaignStore + ?Sized), slug: &str) -> Vec<CampaignEvent> {
    let since = OffsetDateTime::UNIX_EPOCH;
    let entries = store.log(&id(slug), 0, since, 100).await.unwrap();
    assert!(entries.iter().all(|entry| entry.by == "tester"));
    let grows = entries
        .windows(2)
        .all(|two| two[0].position < two[1].position);
    assert!(grows, "{entries:?}");
    entries.into_iter().map(|entry| entry.event).collect()
}

async fn changing(store: &(impl CampaignStore + ?Sized)) {
    let first = campaign("changed", &[]);
    let absent = store.change(&first, 1, &[], &stamp()).await.unwrap();
    assert_eq!(absent, Write::Absent);
    store.register(&first, "c", &[], &stamp()).await.unwrap();
    let second = CampaignDraft {
        status: CampaignStatus::Active,
        ..first.clone()
    };
    let event = [CampaignEvent::StatusChanged {
        from: CampaignStatus::Planned,
        to: CampaignStatus::Active,
    }];
    let outdated = store.change(&second, 2, &event, &stamp()).await.unwrap();
    assert_eq!(outdated, Write::Conflict { revision: 1 });
    let same = store.change(&first, 1, &event, &stamp()).await.unwrap();
    let unchanged = PutOutcome {
        revision: 1,
        change: Change::Unchanged,
    };
    assert_eq!(same, Write::Done(unchanged));
    assert_eq!(
        log(store, "changed").await,
        [],
        "nothing done, nothing said"
    );
    let done = store.change(&second, 1, &event, &stamp()).await.unwrap();
    assert_eq!(done, updated(2));
    assert_eq!(log(store, "changed").await, event);

    let at_once = (0..8).map(|n| {
        let draft = CampaignDraft {
            name: n.to_string(),
            ..second.clone()
        };
        let event = event.clone();
        async move { store.change(&draft, 2, &event, &stamp()).await.unwrap() }
    });
    let outcomes = futures::future::join_all(at_once).await;
    let won = |outcome: &&Write| matches!(outcome, Write::Done(_));
    assert_eq!(outcomes.iter().filter(won).count(), 1, "{outcomes:?}");
    assert_eq!(log(store, "changed").await.len(), 2);
}

async fn paging(store: &(impl CampaignStore + ?Sized)) {
    for slug in ["page-1", "page-2", "page-3"] {
        let mut draft = campaign(slug, &[]);
        if slug == "page-2" {
            draft.status = CampaignStatus::Paused;
        }
        store.register(&draft, slug, &[], &stamp()).await.unwrap();
    }
    let first = store.campaigns(None, Some(&id("page")), 2).await.unwrap();
    assert_eq!(first.next, Some(id("page-2")));
    let second = store.campaigns(None, first.next.as_ref(), 2).await.unwrap();
    assert_eq!(second.items[0].id, id("page-3"));
    let paused = Some(CampaignStatus::Paused);
    let paused = store.campaigns(paused, None, 100).await.unwrap();
    assert_eq!((paused.items.len(), paused.next), (1, None));

    let events = vec![CampaignEvent::Registered; 5];
    let logged = campaign("page-log", &[]);
    store
        .register(&logged, "l", &events, &stamp())
        .await
        .unwrap();
    let since = OffsetDateTime::UNIX_EPOCH;
    let first = store.log(&logged.id, 0, since, 3).await.unwrap();
    let rest = store.log(&logged.id, first[2].position, since, 3).await;
    assert_eq!((first.len(), rest.unwrap().len()), (3, 2));
}

async fn hearing_of_documents(store: &dyn Store) {
    let used = draft("heard-of");
    store.put(&used, NOW).await.unwrap();
    for (slug, contents) in [
        ("hears", &["heard-of"] as &[&str]),
        ("hears-too", &["heard-of", "other"]),
        ("deaf", &["other"]),
    ] {
        let draft = campaign(slug, contents);
        store.register(&draft, slug, &[], &stamp()).await.unwrap();
    }
    let mut retired = used.clone();
    retired.status = Status::Retired;
    let content_id = id("heard-of");
    let events = [
        CampaignEvent::ContentStatusChanged {
            content_id: content_id.clone(),
            to: Status::Retired,
        },
        CampaignEvent::ContentImageReplaced {
            content_id: content_id.clone(),
        },
    ];
    let lost = store.replace(&retired, 9, &events, &stamp()).await.unwrap();
    assert_eq!(lost, Write::Conflict { revision: 1 });
    assert_eq!(log(store, "hears").await, []);
    store.replace(&retired, 1, &events, &stamp()).await.unwrap();
    assert_eq!(log(store, "hears").await, events);
    assert_eq!(log(store, "hears-too").await, events);

    // Who uses it no longer hears of it no longer.
    let without = campaign("hears-too", &["other"]);
    store.change(&without, 1, &[], &stamp()).await.unwrap();
    store.delete(&content_id, None, &stamp()).await.unwrap();
    let told = log(store, "hears").await;
    assert_eq!(
        told.last(),
        Some(&CampaignEvent::ContentDeleted { content_id })
    );
    assert_eq!(log(store, "hears-too").await, events);
    assert_eq!(log(store, "deaf").await, []);
}

async fn forgetting(store: &(impl CampaignStore + ?Sized)) {
    let old = content_api::store::Stamp {
        now: NOW - Duration::days(100),
        ..stamp()
    };
    let events = [CampaignEvent::Registered];
    let draft = campaign("forgetful", &[]);
    store.register(&draft, "f", &events, &old).await.unwrap();
    let read = async |since| {
        store
            .log(&id("forgetful"), 0, since, 9)
            .await
            .unwrap()
            .len()
    };
    assert_eq!(read(old.now).await, 1, "the time itself is since");
    assert_eq!(read(old.now + Duration::SECOND).await, 0);
    assert_eq!(store.purge_log(old.now).await.unwrap(), 0);
    let beyond = old.now + Duration::SECOND;
    assert_eq!(store.purge_log(beyond).await.unwrap(), 1);
    assert_eq!(read(old.now).await, 0);
    assert_ne!(log(store, "registered").await, [], "the young ones stay");
}
