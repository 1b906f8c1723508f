//! Writing to two and three indexes, some of which fail.

use std::sync::Arc;

use contracts::{ModelId, SearchMode, content::Status, index::Repair};
use embedder::{
    Service,
    index::{IndexEntry, IndexError, Manifest, VectorIndex},
    indexing::IndexingError,
    model::Embedder,
    state::Shared,
};
use service_kit::{CancellationToken, Clock};
use time::{Duration, OffsetDateTime};

use crate::harness::{FUSION, Flaky, Mood, WordHashes, deletion, id, plain, request};

/// A service over indexes called `one`, `two` and so on.
pub struct Bench {
    pub embedder: Arc<WordHashes>,
    pub indexes: Vec<Arc<Flaky>>,
    pub service: Service,
}

impl Bench {
    pub async fn of(count: usize) -> Self {
        let names = ["one", "two", "three"];
        let indexes = names.into_iter().take(count).map(Flaky::new).collect();
        Self::over(indexes).await.unwrap()
    }

    /// A service that finds these indexes at its start.
    pub async fn over(indexes: Vec<Arc<Flaky>>) -> Result<Self, IndexError> {
        let embedder = WordHashes::new();
        let held = indexes
            .iter()
            .map(|index| Arc::clone(index) as Arc<dyn VectorIndex>);
        let service = Service::with(
            Arc::clone(&embedder) as Arc<dyn Embedder>,
            held.collect(),
            FUSION,
            &Clock::system(),
        )
        .await?;
        Ok(Self {
            embedder,
            indexes,
            service,
        })
    }

    pub async fn manifest(&self, place: usize) -> Manifest {
        self.indexes[place].manifest().await.unwrap()
    }

    async fn entry(&self, place: usize, slug: &str) -> Option<IndexEntry> {
        let entries = self.indexes[place].entries(vec![id(slug)]).await;
        entries.unwrap().pop()
    }

    /// Puts one document and returns (written, unchanged, generation).
    async fn put(&self, slug: &str, revision: i64, word: &str) -> (u32, u32, i64) {
        let documents = vec![plain(slug, revision, word)];
        let answer = self.service.indexer().put(documents).await.unwrap();
        (answer.written, answer.unchanged, answer.generation)
    }

    /// Deletes one document and returns (deleted, generation).
    async fn delete(&self, slug: &str, revision: i64) -> (u32, i64) {
        let deletions = vec![deletion(slug, revision)];
        let answer = self.service.indexer().delete(deletions).await.unwrap();
        (answer.deleted, answer.generation)
    }

    async fn reconcile(&self) -> Vec<Repair> {
        self.service.indexer().reconcile().await.unwrap().engines
    }

    pub async fn words_found(&self, text: &str) -> Vec<String> {
        let mut request = request(text);
        request.mode = SearchMode::Lexical;
        let answer = self.service.searcher().search(&request).await.unwrap();
        answer
            .hits
            .into_iter()
            .map(|hit| hit.id.to_string())
            .collect()
    }

    async fn assert_level(&self) {
        let first = self.manifest(0).await.sha256();
        for place in 1..self.indexes.len() {
            assert_eq!(self.manifest(place).await.sha256(), first, "index {place}");
        }
    }
}

fn repair(engine: &str, missing: u32, stale: u32, extra: u32) -> Repair {
    Repair {
        engine: engine.to_owned(),
        missing,
        stale,
        extra,
    }
}

#[tokio::test]
async fn a_repeated_put_changes_nothing() {
    let bench = Bench::of(2).await;
    let (written, unchanged, generation) = bench.put("a", 1, "playa").await;
    assert_eq!((written, unchanged), (1, 0));
    assert_eq!(bench.embedder.embedded(), 2, "one text in each language");
    assert_eq!(bench.put("a", 1, "playa").await, (0, 1, generation));
    assert_eq!(bench.put("a", 0, "older").await, (0, 0, generation));
    assert_eq!(bench.embedder.embedded(), 2);
    bench.assert_level().await;
}

#[tokio::test]
async fn the_generation_grows_with_changes_only() {
    let bench = Bench::of(2).await;
    let (_, _, first) = bench.put("a", 1, "playa").await;
    let (_, _, second) = bench.put("a", 2, "monte").await;
    assert!(second > first);
    let (deleted, third) = bench.delete("a", 3).await;
    assert_eq!(deleted, 1);
    assert!(third > second);
    assert_eq!(bench.delete("a", 3).await, (0, third), "repeated");
    assert_eq!(bench.delete("ghost", 1).await, (0, third), "unknown");
    assert_eq!(bench.put("a", 3, "late").await, (0, 0, third), "outdated");
    assert!(bench.reconcile().await.iter().all(|r| !r.did_something()));
    assert_eq!(bench.put("a", 2, "late").await, (0, 0, third));
}

#[test]
fn a_restart_is_a_greater_generation() {
    let at = |millis: i64| {
        let time = OffsetDateTime::UNIX_EPOCH + Duration::milliseconds(millis);
        Shared::new(&Clock::from_fn(move || time))
    };
    let first = at(1_000);
    assert_eq!((first.bump(), first.generation()), (1_001, 1_001));
    assert!(at(1_500).generation() > first.generation());
}

#[tokio::test]
async fn a_revision_without_new_content_costs_no_embedding_and_still_counts() {
    let bench = Bench::of(2).await;
    let (_, _, generation) = bench.put("a", 1, "playa").await;
    assert_eq!(bench.put("a", 5, "playa").await, (0, 1, generation));
    assert_eq!(bench.embedder.embedded(), 2);
    assert_eq!(bench.entry(1, "a").await.unwrap().document.revision, 5);
    assert_eq!(bench.put("a", 3, "late").await, (0, 0, generation));
    assert_eq!(bench.delete("a", 4).await.0, 0);
    let entry = bench.entry(0, "a").await.unwrap();
    assert_eq!(entry.document, plain("a", 5, "playa"));
}

#[tokio::test]
async fn a_document_twice_in_one_push_ends_as_the_newer() {
    let bench = Bench::of(2).await;
    let push = vec![plain("a", 2, "nuevo"), plain("a", 1, "viejo")];
    bench.service.indexer().put(push).await.unwrap();
    assert_eq!(bench.entry(0, "a").await.unwrap().document.revision, 2);
    assert_eq!(bench.words_found("nuevo").await, ["a"]);
    assert_eq!(bench.put("a", 2, "nuevo").await.0, 0, "the newer is known");
    let (written, ..) = bench.put("a", 3, "viejo").await;
    assert_eq!(written, 1, "what was never held is news");
    bench.assert_level().await;
}

#[tokio::test]
async fn what_one_index_missed_is_repaired_from_the_other() {
    let bench = Bench::of(2).await;
    bench.put("stale", 1, "uno").await;
    bench.put("gone", 1, "uno").await;
    bench.indexes[1].set(Mood::Failing);
    assert_eq!(bench.put("missing", 1, "uno").await.0, 1, "accepted");
    assert_eq!(bench.put("stale", 2, "dos").await.0, 1);
    let (deleted, generation) = bench.delete("gone", 2).await;
    assert_eq!(deleted, 1);
    let report = bench.reconcile().await;
    assert_eq!(report, [repair("one", 0, 0, 0), repair("two", 0, 0, 0)]);

    bench.indexes[1].set(Mood::Well);
    assert_ne!(bench.manifest(0).await, bench.manifest(1).await);
    let before = bench.embedder.embedded();
    let report = bench.reconcile().await;
    assert_eq!(report, [repair("one", 0, 0, 0), repair("two", 1, 1, 1)]);
    assert_eq!(bench.embedder.embedded(), before, "copied, not embedded");
    assert_eq!(bench.manifest(0).await, bench.manifest(1).await);
    assert_eq!(bench.entry(1, "stale").await, bench.entry(0, "stale").await);
    assert!(bench.entry(1, "gone").await.is_none());
    let (_, _, unmoved) = bench.put("stale", 2, "dos").await;
    assert!(unmoved > generation, "a repair is a change");
    let report = bench.reconcile().await;
    assert_eq!(report, [repair("one", 0, 0, 0), repair("two", 0, 0, 0)]);
}

#[tokio::test]
async fn the_primary_is_repaired_from_the_secondary() {
    let bench = Bench::of(2).await;
    bench.put("stale", 1, "uno").await;
    bench.indexes[0].set(Mood::Failing);
    bench.put("stale", 2, "dos").await;
    bench.put("missing", 1, "uno").await;
    bench.indexes[0].set(Mood::Well);
    let report = bench.reconcile().await;
    assert_eq!(report, [repair("one", 1, 1, 0), repair("two", 0, 0, 0)]);
    assert_eq!(bench.words_found("dos").await, ["stale"]);
}

#[tokio::test]
async fn a_repair_longer_than_a_page_is_whole() {
    let bench = Bench::of(2).await;
    bench.indexes[1].set(Mood::Failing);
    let many = (0..150).map(|n| plain(&format!("d{n}"), 1, &format!("w{n}")));
    bench.service.indexer().put(many.collect()).await.unwrap();
    bench.indexes[1].set(Mood::Well);
    let report = bench.reconcile().await;
    assert_eq!(report[1], repair("two", 150, 0, 0));
    assert_eq!(bench.manifest(1).await.documents(), 150);
    bench.assert_level().await;
}

#[tokio::test]
async fn three_indexes_end_level() {
    let bench = Bench::of(3).await;
    bench.put("a", 1, "uno").await;
    bench.indexes[0].set(Mood::Failing);
    bench.indexes[1].set(Mood::Failing);
    bench.put("only-third", 1, "uno").await;
    bench.put("a", 2, "dos").await;
    bench.indexes[1].set(Mood::Well);
    bench.indexes[2].set(Mood::Failing);
    bench.put("only-second", 1, "uno").await;
    bench.put("a", 3, "tres").await;
    bench.indexes[0].set(Mood::Well);
    bench.indexes[2].set(Mood::Well);
    let report = bench.reconcile().await;
    assert_eq!(report[0].missing, 2, "{report:?}");
    assert_eq!(report[1], repair("two", 1, 0, 0));
    assert_eq!(report[2], repair("three", 1, 1, 0));
    bench.assert_level().await;
    for place in 0..3 {
        let entry = bench.entry(place, "a").await.unwrap();
        assert_eq!(entry.document.revision, 3, "index {place}");
        assert_eq!(bench.manifest(place).await.documents(), 3);
    }
}

#[tokio::test]
async fn what_no_index_takes_is_refused_and_not_known() {
    let bench = Bench::of(2).await;
    bench.put("a", 1, "uno").await;
    for index in &bench.indexes {
        index.set(Mood::Failing);
    }
    let indexer = bench.service.indexer();
    let put = indexer.put(vec![plain("b", 1, "dos")]).await;
    assert!(matches!(put, Err(IndexingError::Refused(_))), "{put:?}");
    let delete = indexer.delete(vec![deletion("a", 2)]).await;
    assert!(
        matches!(delete, Err(IndexingError::Refused(_))),
        "{delete:?}"
    );
    assert!(indexer.reconcile().await.is_err());
    for index in &bench.indexes {
        index.set(Mood::Well);
    }
    assert!(bench.entry(0, "a").await.is_some());
    assert!(bench.words_found("dos").await.is_empty());
    assert_eq!(bench.put("b", 1, "dos").await.0, 1, "still news");
    assert_eq!(bench.delete("a", 2).await.0, 1, "still there");
}

#[tokio::test]
async fn a_document_whose_only_index_is_gone_is_news_again() {
    let bench = Bench::of(2).await;
    bench.indexes[0].set(Mood::Failing);
    bench.put("a", 1, "uno").await;
    bench.indexes[0].set(Mood::Well);
    bench.indexes[1].set(Mood::Failing);
    bench.reconcile().await;
    assert!(bench.words_found("uno").await.is_empty());
    assert_eq!(bench.put("a", 1, "uno").await.0, 1);
    assert_eq!(bench.words_found("uno").await, ["a"]);
}

#[tokio::test]
async fn a_restarted_service_knows_what_the_indexes_hold() {
    let bench = Bench::of(2).await;
    bench.put("a", 3, "lighthouse").await;
    bench.put("b", 1, "mountain").await;
    bench.put("gone", 1, "lighthose").await;
    bench.delete("gone", 2).await;
    let again = Bench::over(bench.indexes.clone()).await.unwrap();
    let (written, unchanged, _) = again.put("a", 3, "lighthouse").await;
    assert_eq!((written, unchanged), (0, 1));
    assert_eq!(again.embedder.embedded(), 0);
    assert_eq!(
        again.put("gone", 2, "lighthose").await.0,
        0,
        "stays deleted"
    );
    // The lexicon: a typo is mended. The centre: a search has an affinity.
    assert_eq!(again.words_found("lighthuose").await, ["a"]);
    let searcher = again.service.searcher();
    let (_, evidence) = searcher.evidence(&request("mountain")).await.unwrap();
    assert!(evidence[0].1.affinity > 0.0, "{evidence:?}");
}

#[tokio::test]
async fn a_service_starts_with_one_index_down_and_not_with_all() {
    let bench = Bench::of(2).await;
    bench.put("a", 1, "uno").await;
    bench.indexes[0].set(Mood::Failing);
    bench.put("b", 1, "dos").await;
    let again = Bench::over(bench.indexes.clone()).await.unwrap();
    assert_eq!(again.words_found("dos").await, ["b"]);
    again.indexes[1].set(Mood::Failing);
    let refused = Bench::over(again.indexes.clone()).await.err().unwrap();
    assert!(matches!(refused, IndexError::Engine { .. }), "{refused}");
}

#[tokio::test]
async fn the_newest_is_known_even_while_the_primary_takes_no_repair() {
    let bench = Bench::of(2).await;
    bench.put("a", 1, "uno").await;
    bench.indexes[0].set(Mood::Failing);
    bench.put("a", 2, "dos").await;
    bench.delete("b", 4).await;
    bench.indexes[0].set(Mood::ReadOnly);
    bench.reconcile().await;
    assert_eq!(bench.put("a", 2, "dos").await.0, 0, "held by the other");
    assert_eq!(bench.put("b", 3, "late").await.0, 0, "deleted in the other");
    // The same content as the primary's old revision: news all the same.
    assert_eq!(bench.put("a", 3, "uno").await.0, 1);
    bench.indexes[0].set(Mood::Well);
    bench.reconcile().await;
    let content = plain("a", 3, "uno").content_hash();
    assert_eq!(bench.entry(0, "a").await.unwrap().content_hash, content);
    bench.assert_level().await;
}

#[tokio::test]
async fn a_missed_change_calls_for_a_repair() {
    let bench = Bench::of(2).await;
    bench.put("a", 1, "uno").await;
    bench.indexes[1].set(Mood::Failing);
    let indexer = bench.service.indexer();
    tokio::join!(indexer.repair_wanted(), bench.put("b", 1, "dos"));
    let stop = CancellationToken::new();
    stop.cancel();
    bench.service.run_background(stop).await;
}

#[tokio::test]
async fn status_tells_each_engine_and_its_fault() {
    let bench = Bench::of(2).await;
    bench.put("a", 1, "uno").await;
    bench.put("b", 1, "dos").await;
    bench.delete("b", 2).await;
    bench.indexes[1].set(Mood::Failing);
    let status = bench.service.indexer().status().await;
    assert_eq!(status.len(), 2);
    let (one, two) = (&status[0], &status[1]);
    assert_eq!(
        (one.engine.as_str(), one.documents, one.ready),
        ("one", 1, true)
    );
    assert_eq!(one.manifest_sha256, bench.manifest(0).await.sha256());
    assert_eq!(one.model, ModelId::new("word-hashes"));
    assert_eq!(one.fault, None);
    assert_eq!((two.engine.as_str(), two.ready), ("two", false));
    assert!(two.fault.as_ref().unwrap().contains("switched off"));
}

#[tokio::test]
async fn drafts_are_held_and_not_found() {
    let bench = Bench::of(1).await;
    let mut draft = plain("draft", 1, "playa");
    draft.facets.status = Status::Draft;
    bench.service.indexer().put(vec![draft]).await.unwrap();
    assert!(bench.words_found("playa").await.is_empty());
    let mut wanted = request("playa");
    wanted.status = Some(Status::Draft);
    let answer = bench.service.searcher().search(&wanted).await.unwrap();
    assert_eq!(answer.hits.len(), 1);
}
