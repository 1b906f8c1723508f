//! What is pgvector's own: how its indexes are built, searched and rebuilt, and what damage does.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use contracts::{Filters, ImageId};
use embedder::index::{
    IndexEntry, IndexQuery, VectorIndex,
    pgvector::{HnswOptions, PgVectorIndex},
};
use sqlx::PgPool;
use test_support::TestDatabase;

use crate::{
    harness::{dot, id, unit},
    index_adapters::model,
    index_contract::{entry, nearest_to, put},
};

const DIMENSIONS: usize = 64;
/// Of a collection that is measured; others are smaller.
const DOCUMENTS: usize = 2_000;
const FEW: usize = 300;
const DEPTH: usize = 20;

/// Numbers between -1 and 1, the same in each run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    fn vector(&mut self) -> Vec<f32> {
        unit((0..DIMENSIONS).map(|_| self.next()).collect())
    }
}

/// Random documents; one in a hundred is of the theme `rare`, one in twenty of `scarce`.
fn documents(count: usize) -> Vec<IndexEntry> {
    let mut dice = Dice(7);
    let document = |n: usize| {
        let mut entry = entry(&format!("d{n}"), 1, "x");
        entry.dense.es = dice.vector();
        entry.dense.en = dice.vector();
        let mut themes = vec!["common".to_owned()];
        if n % 100 == 3 {
            themes.push("rare".to_owned());
        }
        if n % 20 == 3 {
            themes.push("scarce".to_owned());
        }
        entry.document.facets.themes = themes;
        entry
    };
    (0..count).map(document).collect()
}

/// A filled collection, whose planner has no way but HNSW indexes to find the nearest.
async fn filled(count: usize) -> Option<(TestDatabase, PgVectorIndex, Vec<IndexEntry>)> {
    let database = test_support::fresh_database().await?;
    let index = connect(&graphs_only(&database.url), HnswOptions::default()).await;
    let documents = documents(count);
    index
        .apply(documents.iter().map(put).collect())
        .await
        .unwrap();
    assert!(index.tune().await.unwrap());
    sqlx::query("ANALYZE index_test_model_v1.documents")
        .execute(&database.pool)
        .await
        .unwrap();
    Some((database, index, documents))
}

/// Sorting everything would be exact, and on a table of this size quicker.
fn graphs_only(url: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    let off = ["seqscan", "bitmapscan", "sort"].map(|way| format!("options[enable_{way}]=off"));
    format!("{url}{joint}{}", off.join("&"))
}

async fn connect(url: &str, options: HnswOptions) -> PgVectorIndex {
    PgVectorIndex::connect(url, &model(), DIMENSIONS, options)
        .await
        .unwrap()
}

fn themed(dense: Vec<f32>, theme: Option<&str>) -> IndexQuery {
    IndexQuery {
        filters: Filters {
            themes: theme.map(str::to_owned).into_iter().collect(),
            ..Filters::default()
        },
        depth: DEPTH,
        ..nearest_to(dense)
    }
}

async fn found(index: &PgVectorIndex, query: IndexQuery) -> BTreeSet<ImageId> {
    let candidates = index.candidates(query).await.unwrap();
    candidates
        .into_iter()
        .map(|candidate| candidate.id)
        .collect()
}

/// What a look at every document finds: the union of both languages' lists.
fn exact(documents: &[IndexEntry], query: &IndexQuery) -> BTreeSet<ImageId> {
    let dense = query.dense.as_ref().unwrap();
    let fitting: Vec<&IndexEntry> = documents
        .iter()
        .filter(|entry| {
            let themes = &entry.document.facets.themes;
            query
                .filters
                .themes
                .iter()
                .all(|theme| themes.contains(theme))
        })
        .collect();
    let nearest = |vector: fn(&IndexEntry) -> &Vec<f32>| {
        let mut sorted = fitting.clone();
        sorted.sort_by(|a, b| dot(vector(b), dense).total_cmp(&dot(vector(a), dense)));
        sorted.truncate(DEPTH);
        sorted
    };
    let both = [
        nearest(|entry| &entry.dense.es),
        nearest(|entry| &entry.dense.en),
    ]
    .concat();
    both.into_iter()
        .map(|entry| entry.document.id.clone())
        .collect()
}

/// The share of the exact answers that is found, over some queries.
async fn recall(index: &PgVectorIndex, documents: &[IndexEntry], theme: Option<&str>) -> f32 {
    let mut dice = Dice(99);
    let (mut hits, mut all) = (0, 0);
    for _ in 0..40 {
        let query = themed(dice.vector(), theme);
        let expected = exact(documents, &query);
        let found = found(index, query).await;
        hits += expected.intersection(&found).count();
        all += expected.len();
    }
    hits as f32 / all as f32
}

/// How often each index of meaning was used. The database counts with a delay, at the end of a statement.
async fn scans(pool: &PgPool) -> i64 {
    let statement = "SELECT coalesce(min(idx_scan), 0) FROM pg_stat_user_indexes
        WHERE indexrelname IN ('documents_dense_es', 'documents_dense_en')";
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn graphs_find_what_a_look_at_everything_finds_with_and_without_filters() {
    let Some((database, index, documents)) = filled(DOCUMENTS).await else {
        return;
    };
    let halves = HnswOptions {
        halfvec: true,
        ..HnswOptions::default()
    };
    let halved = connect(&graphs_only(&database.url), halves).await;
    for (halfvec, index) in [(false, index), (true, halved)] {
        assert!(index.tune().await.unwrap());
        for (theme, least) in [(None, 0.95), (Some("scarce"), 0.95), (Some("rare"), 0.95)] {
            let recall = recall(&index, &documents, theme).await;
            println!("halfvec {halfvec}, filter {theme:?}: recall@{DEPTH} {recall:.3}");
            assert!(recall >= least, "halfvec {halfvec}, {theme:?}: {recall}");
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        while scans(&database.pool).await == 0 {
            assert!(Instant::now() < deadline, "the graphs are not used");
            found(&index, themed(documents[0].dense.es.clone(), None)).await;
        }
    }
}

#[tokio::test]
async fn a_filter_that_keeps_one_in_a_hundred_still_gets_its_depth() {
    let Some((database, index, documents)) = filled(DOCUMENTS).await else {
        return;
    };
    // 20 documents are rare, and as many are asked for: each list must have them all.
    let query = || themed(documents[0].dense.es.clone(), Some("rare"));
    assert_eq!(found(&index, query()).await.len(), DEPTH);
    // The same as the planner chooses by itself.
    let planned = connect(&database.url, HnswOptions::default()).await;
    assert_eq!(found(&planned, query()).await.len(), DEPTH);
    // The bound is one: a scan that may look at hardly anything gives up.
    let short = HnswOptions {
        max_scan_tuples: 1,
        ef_search: 10,
        ..HnswOptions::default()
    };
    let short = connect(&graphs_only(&database.url), short).await;
    assert!(found(&short, query()).await.len() < DEPTH);
}

async fn definitions(pool: &PgPool) -> Vec<String> {
    described(pool).await.unwrap()
}

/// Fails when an index vanishes while it is described.
async fn described(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let statement = "SELECT indexdef FROM pg_indexes
        WHERE schemaname = 'index_test_model_v1' AND indexname LIKE 'documents_dense%' ORDER BY indexname";
    sqlx::query_scalar(statement).fetch_all(pool).await
}

#[tokio::test]
async fn other_options_rebuild_the_indexes_beside_the_old_ones() {
    let Some((database, index, documents)) = filled(FEW).await else {
        return;
    };
    let before = definitions(&database.pool).await;
    assert_eq!(before.len(), 2, "{before:?}");
    let query = || themed(documents[5].dense.en.clone(), None);
    let answer = found(&index, query()).await;

    let other = HnswOptions {
        m: 8,
        ef_construction: 40,
        halfvec: true,
        ..HnswOptions::default()
    };
    let retuned = connect(&database.url, other).await;
    assert_eq!(
        definitions(&database.pool).await,
        before,
        "a start waits for nothing"
    );
    assert_eq!(found(&retuned, query()).await, answer);
    // In the background, as reconciliations do it; searches go on.
    retuned.maintain().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = described(&database.pool).await.unwrap_or_default();
        let built = |definition: &String| {
            definition.contains("halfvec(64)")
                && definition.contains("m='8'")
                && definition.contains("ef_construction='40'")
                && !definition.contains("_next")
        };
        if now.len() == 2 && now.iter().all(built) {
            break;
        }
        assert!(Instant::now() < deadline, "{now:?}");
        assert!(
            found(&retuned, query())
                .await
                .contains(&documents[5].document.id)
        );
    }
    assert!(recall(&retuned, &documents, None).await >= 0.9);
    // A replica with the old options is still right, if slower, and the vectors are still exact.
    assert!(
        found(
            &connect(&database.url, HnswOptions::default()).await,
            query()
        )
        .await
        .len()
            >= DEPTH
    );
    let held = retuned.entries(vec![id("d5")]).await.unwrap();
    assert_eq!(held[0].dense, documents[5].dense);
}

#[tokio::test]
async fn a_rebuild_that_was_killed_is_begun_again() {
    let Some((database, index, _)) = filled(FEW).await else {
        return;
    };
    drop(index);
    let half_done = [
        "CREATE INDEX documents_dense_es_next ON index_test_model_v1.documents (revision)",
        "UPDATE pg_index SET indisvalid = false
         WHERE indexrelid = 'index_test_model_v1.documents_dense_es_next'::regclass",
        "DROP INDEX index_test_model_v1.documents_dense_en",
    ];
    for statement in half_done {
        sqlx::query(statement)
            .execute(&database.pool)
            .await
            .unwrap();
    }
    let index = connect(&database.url, HnswOptions::default()).await;
    assert!(index.tune().await.unwrap());
    let definitions = definitions(&database.pool).await;
    assert_eq!(definitions.len(), 2, "{definitions:?}");
    assert!(
        definitions.iter().all(|d| d.contains("hnsw")),
        "{definitions:?}"
    );
}

#[tokio::test]
async fn one_of_two_replicas_rebuilds() {
    let Some((database, index, _)) = filled(FEW).await else {
        return;
    };
    let other = HnswOptions {
        m: 10,
        ..HnswOptions::default()
    };
    let url = &database.url;
    let (one, two) = (connect(url, other).await, connect(url, other).await);
    let (first, second) = tokio::join!(one.tune(), two.tune());
    let outcomes = [first.unwrap(), second.unwrap()];
    assert!(outcomes.contains(&true), "{outcomes:?}");
    assert_eq!(definitions(&database.pool).await.len(), 2);
    assert!(one.tune().await.unwrap() && two.tune().await.unwrap());
    drop(index);
}

#[tokio::test]
async fn options_out_of_bounds_open_nothing() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let options = HnswOptions {
        m: 101,
        ..HnswOptions::default()
    };
    let refused = PgVectorIndex::connect(&database.url, &model(), DIMENSIONS, options).await;
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("m 101 is not in 2 to 100"), "{error}");
}

#[tokio::test]
async fn an_older_release_still_starts_on_a_newer_ones_schema() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    drop(connect(&database.url, HnswOptions::default()).await);
    sqlx::query(
        "INSERT INTO index_test_model_v1._sqlx_migrations
             (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a later release', true, 'x', 0)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    connect(&database.url, HnswOptions::default()).await;
}
