//! Erasing, and the ledger of it.

use content_api::store::{Change, Claim, ContentDraft, Erased, ImageFile, Stamp, Store, Write};
use contracts::{
    ImageFacts, Language,
    campaigns::CampaignEvent,
    changes::ChangedItem,
    lifecycle::{ErasedElsewhere, ErasedFromStore, Erasure, ErasureRecord, ErasureStage},
};
use time::{Duration, OffsetDateTime};

use crate::sample::{NOW, campaign, draft, id, stamp};

pub async fn suite(store: &dyn Store) {
    nothing_stays(store).await;
    what_is_deleted_can_be_erased(store).await;
    its_request_does_not_create_it_anew(store).await;
    the_ledger_is_a_chain(store).await;
}

async fn file(store: &dyn Store, digit: char) -> ImageFacts {
    let sha256 = digit.to_string().repeat(64);
    let file = ImageFile {
        sha256: sha256.clone(),
        media_type: "image/png".to_owned(),
        bytes: vec![1, 2].into(),
    };
    store.put_image(&file).await.unwrap();
    ImageFacts {
        sha256,
        ..draft("any").image
    }
}

async fn nothing_stays(store: &dyn Store) {
    let (own, former, shared) = (
        file(store, 'd').await,
        file(store, 'e').await,
        file(store, 'f').await,
    );
    let mut erased = draft("erased");
    if let Some(text) = erased.text.get_mut(&Language::Es) {
        text.hashtags = vec!["#secreto".to_owned()];
    }
    let (image, former_images) = (own.clone(), vec![former.clone(), shared.clone()]);
    let erased = ContentDraft {
        image,
        former_images,
        ..erased
    };
    let other = ContentDraft {
        image: shared.clone(),
        ..draft("shares-a-file")
    };
    store.put(&erased, NOW).await.unwrap();
    store.put(&other, NOW).await.unwrap();
    let attached = CampaignEvent::ContentAttached {
        content_id: id("erased"),
    };
    let registered = campaign("used-it", &["erased", "shares-a-file"]);
    let events = [CampaignEvent::Registered, attached];
    store
        .register(&registered, "u", &events, &stamp())
        .await
        .unwrap();
    let claim = Claim {
        fingerprint: "f".to_owned(),
        subject: id("erased"),
        answer: None,
        erased: false,
    };
    let old = NOW - Duration::days(1);
    store.claim("of-erased", &claim, NOW, old).await.unwrap();
    store.keep_answer("of-erased", "all of it").await.unwrap();
    let version = store.contents_version().await.unwrap();
    let fed = store
        .changes(0, 10_000)
        .await
        .unwrap()
        .last()
        .unwrap()
        .position;

    let Erased::Now(record) = store.erase(&id("erased"), &stamp()).await.unwrap() else {
        panic!("there was something")
    };
    let gone = ErasedFromStore {
        revision: 2,
        documents: 1,
        image_files: 2,
        campaign_links: 1,
        log_entries: 1,
        kept_answers: 1,
    };
    assert_eq!(record.erasure.stage, ErasureStage::Store(gone));
    assert_eq!(
        (record.erasure.id.as_str(), record.erasure.by.as_str()),
        ("erased", "tester")
    );
    assert_eq!(store.get(&[id("erased")]).await.unwrap(), []);
    assert!(
        store.contents_version().await.unwrap() > version,
        "cached answers are not found"
    );
    for (image, stays) in [(own, false), (former, false), (shared, true)] {
        assert_eq!(store.has_image(&image.sha256).await.unwrap(), stays);
    }
    let since = OffsetDateTime::UNIX_EPOCH;
    let log = store.log(&id("used-it"), 0, since, 9).await.unwrap();
    let log: Vec<CampaignEvent> = log.into_iter().map(|entry| entry.event).collect();
    assert_eq!(
        log,
        [CampaignEvent::Registered, CampaignEvent::ContentErased]
    );
    let using = store.campaign(&id("used-it")).await.unwrap().unwrap();
    assert_eq!(
        (using.content_ids, using.revision),
        (vec![id("shares-a-file")], 2)
    );
    let held = store.claim("of-erased", &claim, NOW, old).await.unwrap();
    assert_eq!(held.answer, None);

    let mut changed: Vec<_> = store.changes(fed, 9).await.unwrap();
    assert_eq!(changed.len(), 3, "{changed:?}");
    changed.retain(|change| matches!(change.item, ChangedItem::Campaign { .. }));
    assert_eq!(changed.len(), 1);
    let pending = store.pending(Some(&id("erase")), 1).await.unwrap();
    assert_eq!((pending[0].id(), pending[0].revision()), (&id("erased"), 2));
    assert_eq!(
        store.deletion_acknowledged(&id("erased")).await.unwrap(),
        None
    );
    store.acknowledge(&[(id("erased"), 2)]).await.unwrap();
    let acknowledged = store.deletion_acknowledged(&id("erased")).await.unwrap();
    assert_eq!(acknowledged, Some(2));

    let again = store.erase(&id("erased"), &stamp()).await.unwrap();
    assert_eq!(again, Erased::Before);
    assert_eq!(store.erasures_of(&id("erased")).await.unwrap(), [*record]);
    let unknown = store.erase(&id("unknown"), &stamp()).await.unwrap();
    assert_eq!(unknown, Erased::Unknown);
    assert_eq!(store.erasures_of(&id("unknown")).await.unwrap(), []);
}

async fn what_is_deleted_can_be_erased(store: &dyn Store) {
    let image = file(store, '9').await;
    let deleted = ContentDraft {
        image: image.clone(),
        ..draft("deleted-first")
    };
    store.put(&deleted, NOW).await.unwrap();
    store.delete(&deleted.id, None, &stamp()).await.unwrap();
    assert!(
        store.has_image(&image.sha256).await.unwrap(),
        "a deletion keeps it"
    );
    let erased = store.erase(&deleted.id, &stamp()).await.unwrap();
    let Erased::Now(record) = erased else {
        panic!("{erased:?}")
    };
    let ErasureStage::Store(gone) = record.erasure.stage else {
        panic!("{record:?}")
    };
    assert_eq!((gone.revision, gone.image_files), (2, 1));

    // The id lives again, and is erased again: what counts is what was said since.
    store.create(&deleted, "anew", &stamp()).await.unwrap();
    let again = store.erase(&deleted.id, &stamp()).await.unwrap();
    assert!(matches!(again, Erased::Now(_)), "{again:?}");
    assert_eq!(store.erasures_of(&deleted.id).await.unwrap().len(), 1);
}

async fn its_request_does_not_create_it_anew(store: &dyn Store) {
    let wanted = draft("asked-for");
    let claim = |fingerprint: &str| Claim {
        fingerprint: fingerprint.to_owned(),
        subject: wanted.id.clone(),
        answer: None,
        erased: false,
    };
    let (day, request, other) = (Duration::days(1), "of-asked-for", "of-another");
    store
        .claim(request, &claim("f"), NOW, NOW - day)
        .await
        .unwrap();
    store.create(&wanted, request, &stamp()).await.unwrap();
    store.keep_answer(request, "all of it").await.unwrap();
    store
        .claim(other, &claim("g"), NOW, NOW - day)
        .await
        .unwrap();
    let later = Stamp {
        now: NOW + day / 2,
        ..stamp()
    };
    let erased = store.erase(&wanted.id, &later).await.unwrap();
    let Erased::Now(record) = erased else {
        panic!("{erased:?}")
    };
    let ErasureStage::Store(gone) = record.erasure.stage else {
        panic!("{record:?}")
    };
    assert_eq!(gone.kept_answers, 2);

    // Whatever comes with its key; one that was under way keeps no answer any more.
    store.keep_answer(request, "late").await.unwrap();
    let empty = Claim {
        erased: true,
        ..claim("")
    };
    let begin = later.now - Duration::SECOND;
    for now in [later.now, later.now + day] {
        let held = store.claim(request, &claim("x"), now, begin).await;
        assert_eq!(held.unwrap(), empty);
    }
    let held = store.claim(other, &claim("x"), later.now, begin).await;
    assert_eq!(held.unwrap(), claim("x"), "it created nothing");
    // And of one that had claimed before, or comes when the key is forgotten.
    let end = later.now + Duration::SECOND;
    for _ in 0..2 {
        let created = store.create(&wanted, request, &later).await.unwrap();
        assert_eq!(created, Write::Erased);
        assert_eq!(
            store.get(std::slice::from_ref(&wanted.id)).await.unwrap(),
            []
        );
        let forgotten = store.claim(request, &claim("f"), end + day, end).await;
        assert_eq!(forgotten.unwrap(), claim("f"));
    }

    // Another request may have the id, and then it is not this one's.
    let created = store.create(&wanted, other, &later).await.unwrap();
    assert!(matches!(created, Write::Done(_)), "{created:?}");
    let created = store.create(&wanted, request, &later).await.unwrap();
    assert!(matches!(created, Write::Conflict { .. }), "{created:?}");
    store.erase(&wanted.id, &later).await.unwrap();
    let seeded = store.put(&wanted, NOW).await.unwrap();
    assert_eq!(seeded.change, Change::Updated);
    let created = store.create(&wanted, other, &later).await.unwrap();
    assert!(matches!(created, Write::Conflict { .. }), "{created:?}");
}

async fn the_ledger_is_a_chain(store: &dyn Store) {
    let before = store.erasures(0, 1_000).await.unwrap().len();
    let elsewhere = |n: i64| Erasure {
        id: id("erased"),
        at: NOW,
        by: "tester".to_owned(),
        stage: ErasureStage::IndexesAndCaches(ErasedElsewhere {
            revision: n,
            renditions: 0,
            cached_answers_gone_by: NOW,
        }),
    };
    let notes = (0..8).map(|n| store.note_erasure(elsewhere(n)));
    for noted in futures::future::join_all(notes).await {
        noted.unwrap();
    }
    assert_eq!(store.erasures_of(&id("erased")).await.unwrap().len(), 9);
    let mut ledger = Vec::new();
    while let Some(next) = {
        let after = ledger
            .last()
            .map_or(0, |last: &ErasureRecord| last.sequence);
        store.erasures(after, 3).await.unwrap().into_iter().next()
    } {
        assert!(next.follows(ledger.last()), "{next:?}");
        ledger.push(next);
    }
    assert_eq!(ledger.len(), before + 8);
    let mut forged = ledger[1].clone();
    forged.erasure.by = "nobody".to_owned();
    assert!(!forged.follows(ledger.first()));
    assert!(!ledger[2].follows(ledger.first()), "one is left out");
}
