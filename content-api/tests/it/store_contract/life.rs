//! Documents through their life, by writes that name what they expect to find.

use content_api::store::{
    Browse, Change, Claim, ContentDraft, ContentStore, PutOutcome, RequestKeys, Store, Write,
};
use contracts::{ImageFacts, Language, content::Status, lifecycle::Duplicate};
use time::Duration;

use super::updated;
use crate::sample::{NOW, draft, id, retitled, stamp};

pub async fn suite(store: &dyn Store) {
    creating(store).await;
    replacing(store).await;
    deleting(store).await;
    creating_and_replacing_at_once(store).await;
    browsing(store).await;
    likeness(store).await;
    request_keys(store).await;
}

async fn creating(store: &(impl ContentStore + ?Sized)) {
    let one = draft("created");
    let created = store.create(&one, "first", &stamp()).await.unwrap();
    let inserted = PutOutcome {
        revision: 1,
        change: Change::Inserted,
    };
    assert_eq!(created, Write::Done(inserted));
    let version = store.contents_version().await.unwrap();
    let other = retitled("created", "Other");
    for (request, expected) in [
        ("first", Write::Repeated { revision: 1 }),
        ("second", Write::Conflict { revision: 1 }),
    ] {
        let again = store.create(&other, request, &stamp()).await.unwrap();
        assert_eq!(again, expected);
    }
    assert_eq!(store.contents_version().await.unwrap(), version);
    let stored = store.get(&[id("created")]).await.unwrap();
    assert_eq!(stored, [one.into_document(1, NOW, NOW)]);

    store.delete(&id("created"), None, &stamp()).await.unwrap();
    let anew = store.create(&other, "second", &stamp()).await.unwrap();
    assert_eq!(anew, updated(3), "a deleted one gives its id back");
    let late = store.create(&other, "first", &stamp()).await.unwrap();
    assert_eq!(late, Write::Conflict { revision: 3 });
}

async fn replacing(store: &(impl ContentStore + ?Sized)) {
    let absent = store.replace(&draft("replaced"), 1, &[], &stamp()).await;
    assert_eq!(absent.unwrap(), Write::Absent);
    store.put(&draft("replaced"), NOW).await.unwrap();
    let version = store.contents_version().await.unwrap();
    let second = retitled("replaced", "Second");
    let outdated = store.replace(&second, 7, &[], &stamp()).await.unwrap();
    assert_eq!(outdated, Write::Conflict { revision: 1 });
    let same = store.replace(&draft("replaced"), 1, &[], &stamp()).await;
    let unchanged = PutOutcome {
        revision: 1,
        change: Change::Unchanged,
    };
    assert_eq!(same.unwrap(), Write::Done(unchanged));
    assert_eq!(store.contents_version().await.unwrap(), version);
    let done = store.replace(&second, 1, &[], &stamp()).await.unwrap();
    assert_eq!(done, updated(2));
    assert!(store.contents_version().await.unwrap() > version);
    let stored = store.get(&[id("replaced")]).await.unwrap();
    assert_eq!(stored, [second.into_document(2, NOW, NOW)]);
}

async fn deleting(store: &(impl ContentStore + ?Sized)) {
    store.put(&draft("going"), NOW).await.unwrap();
    let outdated = store.delete(&id("going"), Some(7), &stamp()).await.unwrap();
    assert_eq!(outdated, Write::Conflict { revision: 1 });
    let done = store.delete(&id("going"), Some(1), &stamp()).await.unwrap();
    assert_eq!(done, updated(2));
    let gone = store.replace(&draft("going"), 2, &[], &stamp()).await;
    assert_eq!(gone.unwrap(), Write::Absent);
}

async fn creating_and_replacing_at_once(store: &(impl ContentStore + ?Sized)) {
    let creations = (0..8).map(|n| async move {
        let request = format!("request {n}");
        let (draft, stamp) = (draft("wanted-by-all"), stamp());
        store.create(&draft, &request, &stamp).await.unwrap()
    });
    let outcomes = futures::future::join_all(creations).await;
    let won = |outcome: &&Write| matches!(outcome, Write::Done(_));
    assert_eq!(outcomes.iter().filter(won).count(), 1, "{outcomes:?}");
    let changes = (0..8).map(|n| async move {
        let (draft, stamp) = (retitled("wanted-by-all", &n.to_string()), stamp());
        store.replace(&draft, 1, &[], &stamp).await.unwrap()
    });
    let outcomes = futures::future::join_all(changes).await;
    assert_eq!(outcomes.iter().filter(won).count(), 1, "{outcomes:?}");
    let lost = outcomes.iter().filter(|outcome| !won(outcome));
    for outcome in lost {
        assert_eq!(*outcome, Write::Conflict { revision: 2 });
    }
}

fn tagged(slug: &str, status: Status, channel: &str, hashtag: &str) -> ContentDraft {
    let mut draft = draft(slug);
    draft.status = status;
    draft.channels = vec![channel.to_owned()];
    if let Some(text) = draft.text.get_mut(&Language::Es) {
        text.hashtags = vec![hashtag.to_owned()];
    }
    draft
}

async fn browsing(store: &(impl ContentStore + ?Sized)) {
    let later = NOW + Duration::days(3);
    for (draft, at) in [
        (tagged("browse-a", Status::Draft, "sms", "#Ñandú"), NOW),
        (tagged("browse-b", Status::Retired, "search", "#ÑANDÚ"), NOW),
        (tagged("browse-c", Status::Retired, "sms", "#otro"), later),
    ] {
        store.put(&draft, at).await.unwrap();
    }
    let found = async |wanted: Browse| {
        let page = store.browse(&wanted, Some(&id("browse")), 100).await;
        let documents = page.unwrap().items.into_iter();
        documents
            .map(|document| document.id.to_string())
            .filter(|id| id.starts_with("browse-"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let none = Browse::default;
    assert_eq!(found(none()).await, "browse-a browse-b browse-c");
    let status = Some(Status::Retired);
    assert_eq!(
        found(Browse { status, ..none() }).await,
        "browse-b browse-c"
    );
    let hashtag = Some("#ñandú".to_owned());
    assert_eq!(
        found(Browse { hashtag, ..none() }).await,
        "browse-a browse-b"
    );
    let channel = Some("sms".to_owned());
    assert_eq!(
        found(Browse { channel, ..none() }).await,
        "browse-a browse-c"
    );
    let changed_since = Some(later);
    let since = Browse {
        changed_since,
        ..none()
    };
    assert_eq!(found(since).await, "browse-c", "the time itself is since");
    let all = Browse {
        status: Some(Status::Draft),
        hashtag: Some("#otro".to_owned()),
        ..none()
    };
    assert_eq!(found(all).await, "", "each condition counts");

    let mut pages = Vec::new();
    let mut after = Some(id("browse"));
    let wanted = Browse {
        channel: Some("sms".to_owned()),
        ..none()
    };
    while let Some(from) = after {
        let page = store.browse(&wanted, Some(&from), 1).await.unwrap();
        assert!(page.items.len() <= 1);
        pages.extend(page.items);
        after = page.next;
    }
    assert_eq!(pages.len(), 2);
}

async fn likeness(store: &(impl ContentStore + ?Sized)) {
    let looks = |sha: char, hash: &str| ImageFacts {
        sha256: sha.to_string().repeat(64),
        perceptual_hash: hash.to_owned(),
        ..draft("any").image
    };
    for (slug, image) in [
        ("alike-same", looks('a', "f0f0f0f0f0f0f0f0")),
        ("alike-near", looks('b', "f0f0f0f0f0f0f0f7")),
        ("alike-far", looks('c', "f0f0f0f0f0f0ffff")),
        ("alike-gone", looks('a', "f0f0f0f0f0f0f0f0")),
        // The same file read by an older version, which hashed it in another way.
        ("alike-odd", looks('a', "0000000000000000")),
    ] {
        let like = ContentDraft {
            image,
            ..draft(slug)
        };
        store.put(&like, NOW).await.unwrap();
    }
    store
        .delete(&id("alike-gone"), None, &stamp())
        .await
        .unwrap();
    let image = looks('a', "f0f0f0f0f0f0f0f0");
    let like = |slug: &str, exact, distance| Duplicate {
        id: id(slug),
        exact,
        distance,
    };
    let expected = [
        like("alike-same", true, 0),
        like("alike-odd", true, 32),
        like("alike-near", false, 3),
    ];
    assert_eq!(store.alike(&image, 6, 10).await.unwrap(), expected);
    assert_eq!(store.alike(&image, 3, 10).await.unwrap(), expected);
    assert_eq!(store.alike(&image, 2, 10).await.unwrap(), expected[..2]);
    assert_eq!(store.alike(&image, 6, 1).await.unwrap(), expected[..1]);
}

async fn request_keys(store: &(impl RequestKeys + ?Sized)) {
    let claim = |fingerprint: &str, slug: &str| Claim {
        fingerprint: fingerprint.to_owned(),
        subject: id(slug),
        answer: None,
        erased: false,
    };
    let (first, second) = (claim("one", "a"), claim("two", "b"));
    let expired = NOW - Duration::days(1);
    let held = store.claim("key", &first, NOW, expired).await.unwrap();
    assert_eq!(held, first);
    let held = store.claim("key", &second, NOW, expired).await.unwrap();
    assert_eq!(held, first, "the first one counts");
    store.keep_answer("key", "answer").await.unwrap();
    store.keep_answer("key", "another").await.unwrap();
    store.keep_answer("unknown", "answer").await.unwrap();
    let held = store.claim("key", &second, NOW, expired).await.unwrap();
    assert_eq!(held.answer.as_deref(), Some("answer"));

    let later = NOW + Duration::days(1);
    let at_the_bound = store.claim("key", &second, later, NOW).await.unwrap();
    assert_eq!(at_the_bound.fingerprint, "one");
    let beyond = NOW + Duration::SECOND;
    let held = store.claim("key", &second, later, beyond).await.unwrap();
    assert_eq!(held, second, "an old one is forgotten, answer and all");

    assert_eq!(store.purge_keys(later).await.unwrap(), 0);
    let beyond = later + Duration::SECOND;
    assert_eq!(store.purge_keys(beyond).await.unwrap(), 1);

    let claims = (0..8).map(|n| async move {
        let own = Claim {
            fingerprint: n.to_string(),
            subject: id("a"),
            answer: None,
            erased: false,
        };
        store.claim("contended", &own, NOW, expired).await.unwrap()
    });
    let held = futures::future::join_all(claims).await;
    assert!(held.iter().all(|claim| *claim == held[0]), "{held:?}");
}
