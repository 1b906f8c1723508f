//! The change feed as an adapter of `Source`.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::http::StatusCode;
use sales_warehouse::source::{FeedSource, Source, SourceError, System, Watermark};
use service_kit::with_causes;
use url::Url;

use crate::{
    feed::{Feed, Mood},
    source_contract::{
        self, Backend, Drift, Held, Scene, Write,
        scene::{self, lines},
    },
};

struct FeedBackend {
    feed: Arc<Feed>,
}

fn apply(feed: &Feed, write: Write) {
    let id = |number: i64| format!("row-{number}");
    match write {
        Write::Insert(number) => feed.content(&id(number), "Row", number, &["#row"]),
        Write::Update(number, measure) => feed.content(&id(number), "Row", measure, &["#row"]),
        Write::Delete(number) => feed.delete(&id(number), 1),
    }
}

struct Open {
    feed: Arc<Feed>,
    write: Write,
}

#[async_trait]
impl Held for Open {
    // A place in the feed is given to what is seen, as ADR 0019 has it.
    async fn commit(self: Box<Self>) {
        apply(&self.feed, self.write);
    }

    async fn roll_back(self: Box<Self>) {}
}

#[async_trait]
impl Backend for FeedBackend {
    fn scene(&self) -> &'static Scene {
        &scene::PROMPTCONTENT
    }

    fn source(&self) -> Box<dyn Source> {
        Box::new(self.feed.source())
    }

    fn nowhere(&self) -> Box<dyn Source> {
        let nowhere: Url = "http://127.0.0.1:1".parse().unwrap();
        let reader = self.feed.client_at(&nowhere, &nowhere, "nobody", "hush");
        Box::new(FeedSource::new(reader))
    }

    async fn write(&self, write: Write) {
        apply(&self.feed, write);
    }

    async fn hold(&self, write: Write) -> Box<dyn Held> {
        let feed = Arc::clone(&self.feed);
        Box::new(Open { feed, write })
    }

    async fn write_text(&self, text: &str) {
        self.feed.content("old-town", text, 3, &[]);
    }

    async fn truncate(&self) {
        self.feed.forget_everything();
    }

    async fn drift(&self, drift: Drift, back: bool) {
        self.feed.set(match drift {
            _ if back => Mood::Sound,
            Drift::NewColumn => Mood::Added,
            Drift::OtherType => Mood::OtherType,
            Drift::NoColumn => Mood::Without,
            Drift::NoTable => Mood::Status(StatusCode::NOT_FOUND),
        });
    }

    /// Whatever was written has its place.
    async fn settle(&self) {}
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let feed = Arc::new(Feed::filled().await);
    Box::pin(source_contract::suite(&FeedBackend { feed })).await;
}

/// Ids of contents, from the watermark that a snapshot is opened with.
async fn contents(feed: &Feed, from: Watermark) -> (BTreeSet<String>, Watermark) {
    let mut snapshot = feed.source().open(from).await.unwrap();
    let table = &System::PromptContent.tables()[0];
    let read = lines(snapshot.as_mut(), table, from).await;
    let ids = read.iter().map(|line| line[0].clone()).collect();
    (ids, snapshot.facts().next)
}

fn ids<const N: usize>(of: [&str; N]) -> BTreeSet<String> {
    of.map(str::to_owned).into()
}

#[tokio::test]
async fn what_was_read_is_not_asked_for_again() {
    let feed = Feed::filled().await;
    let (all, next) = contents(&feed, Watermark::START).await;
    assert_eq!(all, ids(["old-town", "sunny-beach"]));
    assert_eq!(next, Watermark(6));
    assert_eq!(feed.asked(), ["p.0", "p.3", "p.5"]);
    let (none, same) = contents(&feed, next).await;
    assert_eq!((none, same), (ids([]), next));
    // The last thing that was read, by which it is known again, and the end.
    assert_eq!(feed.asked(), ["p.4", "p.5"]);
    feed.content("old-town", "Older town", 3, &[]);
    let (some, later) = contents(&feed, next).await;
    assert_eq!((some, later), (ids(["old-town"]), Watermark(7)));
}

#[tokio::test]
async fn what_moves_while_it_is_read_comes_once_and_as_it_is_now() {
    let feed = Feed::filled().await;
    // While the first page is asked for, the second image moves behind all others.
    feed.set(Mood::Restless);
    let mut snapshot = feed.source().open(Watermark::START).await.unwrap();
    let table = &System::PromptContent.tables()[0];
    let read = lines(snapshot.as_mut(), table, Watermark::START).await;
    assert_eq!(read.len(), 2, "{read:?}");
    assert_eq!(snapshot.facts().next, Watermark(7));
    let totals = snapshot.totals(table).await.unwrap().unwrap();
    assert_eq!((totals.rows, totals.sum.as_str()), (2, "3"));
}

#[tokio::test]
async fn counts_are_of_the_snapshot_or_there_are_none() {
    let feed = Feed::filled().await;
    let table = &System::PromptContent.tables()[0];
    let (_, next) = contents(&feed, Watermark::START).await;
    feed.content("third", "Third", 5, &[]);
    let mut snapshot = feed.source().open(next).await.unwrap();
    let totals = snapshot.totals(table).await.unwrap().unwrap();
    assert_eq!((totals.rows, totals.sum.as_str()), (3, "8"));
    feed.delete("third", 6);
    assert_eq!(snapshot.totals(table).await.unwrap(), None);
}

#[tokio::test]
async fn a_feed_that_was_set_back_is_told_by_its_watermark() {
    let feed = Feed::filled().await;
    let (_, next) = contents(&feed, Watermark::START).await;
    feed.forget_everything();
    feed.content("sunny-beach", "Sunny beach", 1, &[]);
    let snapshot = feed.source().open(next).await.unwrap();
    assert!(snapshot.facts().next < next);
    // All of it is at hand then.
    let (all, _) = contents(&feed, Watermark::START).await;
    assert_eq!(all, ids(["sunny-beach"]));
    feed.forget_everything();
    let snapshot = feed.source().open(next).await.unwrap();
    assert_eq!(snapshot.facts().next, Watermark(1));
}

async fn fault(source: FeedSource) -> (SourceError, String) {
    let Err(error) = source.open(Watermark::START).await else {
        panic!("that went well");
    };
    let told = with_causes(&error);
    assert!(told.starts_with("promptcontent "), "{told}");
    assert!(!told.contains("hush"), "{told}");
    (error, told)
}

#[tokio::test]
async fn a_feed_that_refuses_fails_or_talks_nonsense_is_told_from_another() {
    let feed = Feed::filled().await;
    for (mood, says) in [
        (
            Mood::Status(503.try_into().unwrap()),
            "503 Service Unavailable, not now",
        ),
        (
            Mood::Status(401.try_into().unwrap()),
            "401 Unauthorized, not now",
        ),
        (Mood::Status(302.try_into().unwrap()), "302 Found, not now"),
        (Mood::Garbage, "no page of its change feed: expected value"),
        (Mood::OtherJson, "no page of its change feed: invalid type"),
        (Mood::Stuck, "its pages do not go on"),
        (Mood::Unordered, "follows position"),
        (
            Mood::BreaksOff,
            "promptcontent failed while reading its change feed",
        ),
    ] {
        feed.set(mood);
        let (_, told) = fault(feed.source()).await;
        assert!(told.contains(says), "{mood:?}: {told}");
    }
    feed.set(Mood::Silent);
    let (error, told) = fault(feed.source()).await;
    assert!(matches!(error, SourceError::Stalled { .. }), "{told}");
    assert!(told.contains("sent nothing for 1 s"), "{told}");
}

#[tokio::test]
async fn a_token_is_asked_for_with_the_scope_that_reading_takes() {
    let feed = Feed::filled().await;
    let at = |client: &str, secret: &str| {
        FeedSource::new(feed.client_at(feed.base(), feed.token_url(), client, secret))
    };
    for source in [at("sales-warehouse", "wrong-hush"), at("nobody", "hush")] {
        let (error, told) = fault(source).await;
        assert!(matches!(error, SourceError::Refused { .. }), "{told}");
        assert!(told.contains("asking for a token"), "{told}");
        assert!(told.contains("invalid_client"), "{told}");
    }
    let (_, told) = fault(at("without-scope", Feed::client().1)).await;
    assert!(told.contains("invalid_scope"), "{told}");
}

#[tokio::test]
async fn a_kind_that_nobody_knows_is_told_and_left() {
    let feed = Feed::filled().await;
    feed.set(Mood::OtherKind);
    let mut snapshot = feed.source().open(Watermark::START).await.unwrap();
    assert_eq!(
        snapshot.facts().notices,
        ["changes of the kind weather are new and not read"]
    );
    assert_eq!(snapshot.facts().next, Watermark(7));
    let table = &System::PromptContent.tables()[0];
    assert_eq!(
        lines(snapshot.as_mut(), table, Watermark::START)
            .await
            .len(),
        2
    );
}

#[tokio::test]
async fn more_than_is_held_is_refused() {
    const MIB: usize = 1024 * 1024;
    // Three on a page: of 27 MiB, and of 33.
    for (each, says) in [
        (9, "more than 64 MiB of changed rows"),
        (11, "more than 32 MiB"),
    ] {
        let feed = Feed::start().await;
        let long = "x".repeat(each * MIB);
        for number in 0..8 {
            feed.content(&format!("long-{number}"), &long, 1, &[]);
        }
        let source = FeedSource::new(feed.reader().with_deadline(Duration::from_secs(60)));
        let (_, told) = fault(source).await;
        assert!(told.contains(says), "{told}");
    }
}
