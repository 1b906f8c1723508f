//! The adapter of a Qdrant server: on a stand-in that speaks the protocol, and on a real one where there is one.

mod alias;
pub mod double;
mod faults;
mod late;
mod real;
mod service;

use std::collections::BTreeMap;

use contracts::ModelId;
use embedder::index::{
    Change, IndexError, Manifest, VectorIndex,
    memory::MemoryIndex,
    point,
    qdrant::{QdrantIndex, QdrantOptions},
};
use qdrant_client::qdrant::{Distance, vectors_config::Config};

use self::double::{Double, Setup};
use crate::{
    harness::id,
    index_contract::{DIMENSIONS, delete, entry, leaning, nearest_to, put},
};

pub use self::real::fresh;

pub fn model() -> ModelId {
    ModelId::new("test-model-v1")
}

pub async fn fresh_double() -> Option<(Double, QdrantIndex)> {
    let double = Double::start().await;
    let index = connect(double.options()).await.unwrap();
    Some((double, index))
}

pub async fn connect(options: QdrantOptions) -> Result<QdrantIndex, IndexError> {
    QdrantIndex::connect(&options.check().unwrap(), &model(), DIMENSIONS).await
}

#[tokio::test]
async fn a_collection_is_laid_out_and_kept() {
    let double = Double::start().await;
    let index = connect(double.options()).await.unwrap();
    assert_eq!(index.version(), "1.20.1");
    assert_eq!(index.collection(), "promptsales_test-model-v1_v1");
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    {
        let state = double.state();
        let held = &state.collections[index.collection()];
        let Some(Config::ParamsMap(dense)) =
            held.created.vectors_config.clone().and_then(|v| v.config)
        else {
            panic!("{held:?}");
        };
        for name in ["dense_es", "dense_en"] {
            assert_eq!(dense.map[name].size, DIMENSIONS as u64);
            assert_eq!(dense.map[name].distance(), Distance::Dot);
        }
        let fields: Vec<&str> = point::FILTER_FIELDS.map(|(field, _)| field).to_vec();
        assert_eq!(held.indexes.len(), fields.len());
        assert!(fields.iter().all(|field| held.indexes.contains_key(*field)));
    }
    // A start that was killed before its last payload index.
    let removed = double
        .state()
        .collection(index.collection())
        .unwrap()
        .indexes
        .remove("themes");
    assert!(removed.is_some());
    let again = connect(double.options()).await.unwrap();
    let held = again.entries(vec![id("a")]).await.unwrap();
    assert_eq!(held, [entry("a", 1, "x")]);
    let mut state = double.state();
    assert!(
        state
            .collection(again.collection())
            .unwrap()
            .indexes
            .contains_key("themes")
    );
    assert_eq!(state.collections.len(), 1);
}

#[tokio::test]
async fn manifests_are_read_page_by_page_and_equal_the_other_adapters() {
    let (_double, index) = fresh_double().await.unwrap();
    let memory = MemoryIndex::default();
    let changes: Vec<Change> = (0..200)
        .map(|n| put(&entry(&format!("d{n}"), n % 7 + 1, "x")))
        .chain((0..20).map(|n| delete(&format!("d{n}"), 9)))
        .chain([delete("ghost", 4), put(&entry("ghost", 3, "late"))])
        .collect();
    memory.apply(changes.clone()).await.unwrap();
    index.apply(changes).await.unwrap();
    let manifest = index.manifest().await.unwrap();
    assert_eq!(manifest, memory.manifest().await.unwrap());
    assert_eq!(manifest.documents(), 180);
}

#[tokio::test]
async fn a_deleted_document_leaves_no_vector_behind() {
    let (double, index) = fresh_double().await.unwrap();
    let changes = vec![
        put(&entry("a", 1, "x")),
        put(&entry("b", 1, "x")),
        delete("a", 1),
    ];
    index.apply(changes).await.unwrap();
    let mut state = double.state();
    let points = &state.collection(index.collection()).unwrap().points;
    let held: BTreeMap<&str, usize> = points
        .values()
        .map(|point| {
            (
                point.payload["id"].as_str().unwrap().as_str(),
                point.vectors.len(),
            )
        })
        .collect();
    assert_eq!(held, BTreeMap::from([("a", 0), ("b", 4)]));
}

#[tokio::test]
async fn the_greatest_revision_stands_after_any_race() {
    let (double, first) = fresh_double().await.unwrap();
    let second = connect(double.options()).await.unwrap();
    for round in 0..20_i64 {
        let revisions: Vec<i64> = (1..=12)
            .map(|n| round * 100 + (n * 7 + round) % 13)
            .collect();
        let newest = *revisions.iter().max().unwrap();
        // The newest is a deletion in every other round.
        let change = |revision: i64| {
            if round % 2 == 0 && revision == newest {
                delete("a", revision)
            } else {
                put(&entry("a", revision, &format!("word{revision}")))
            }
        };
        let writes = revisions.iter().enumerate().map(|(n, revision)| {
            let writer = if n % 2 == 0 { &first } else { &second };
            writer.apply(vec![change(*revision)])
        });
        for outcome in futures::future::join_all(writes).await {
            outcome.unwrap();
        }
        let manifest = second.manifest().await.unwrap();
        let line = manifest.get(&id("a")).unwrap();
        assert_eq!(line.revision, newest, "round {round}");
        assert_eq!(line.content_hash.is_none(), round % 2 == 0);
        let expected = match change(newest) {
            Change::Put(entry) => vec![*entry],
            Change::Delete(_) => Vec::new(),
        };
        assert_eq!(first.entries(vec![id("a")]).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn what_the_server_would_refuse_is_refused_before_anything_is_sent() {
    let (_double, index) = fresh_double().await.unwrap();
    let mut short = entry("short", 1, "x");
    short.dense.en.pop();
    let mut infinite = entry("infinite", 1, "x");
    infinite.dense.es[3] = f32::NAN;
    for bad in [short, infinite] {
        let slug = bad.document.id.to_string();
        let outcome = index
            .apply(vec![put(&entry("good", 1, "x")), put(&bad)])
            .await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(&slug) && error.contains("16"), "{error}");
    }
    assert_eq!(index.manifest().await.unwrap(), Manifest::default());
}

#[tokio::test]
async fn unreadable_points_are_left_out_and_written_over() {
    let (double, index) = fresh_double().await.unwrap();
    let all = ["a", "b", "c"].map(|slug| put(&entry(slug, 1, "x")));
    index.apply(all.to_vec()).await.unwrap();
    let uuid = |slug: &str| point::point_id(&id(slug)).to_string();
    {
        let mut state = double.state();
        let points = &mut state.collection(index.collection()).unwrap().points;
        let spoil = |point: &mut double::Point, field: &str| {
            point
                .payload
                .insert(field.to_owned(), "No Such Thing".into());
        };
        spoil(points.get_mut(&uuid("a")).unwrap(), "id");
        spoil(points.get_mut(&uuid("b")).unwrap(), "revision");
        points.insert("somebody-elses".to_owned(), double::Point::default());
    }
    let manifest = index.manifest().await.unwrap();
    let readable: Vec<String> = manifest.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(readable, ["c"], "what is missing is repaired");
    let found = index.candidates(nearest_to(leaning(0, 0.1))).await.unwrap();
    assert!(found.iter().all(|candidate| candidate.id != id("a")));
    // A revision above what the spoilt point may claim.
    index.apply(vec![put(&entry("a", 2, "x"))]).await.unwrap();
    assert_eq!(index.entries(vec![id("a")]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_dropped_collection_is_made_anew() {
    let (double, index) = fresh_double().await.unwrap();
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    double.state().collections.clear();
    let lost = index.candidates(nearest_to(leaning(0, 0.1))).await;
    assert!(matches!(lost, Err(IndexError::Engine { .. })), "{lost:?}");
    assert_eq!(index.manifest().await.unwrap(), Manifest::default());
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    assert_eq!(index.manifest().await.unwrap().documents(), 1);
}

#[tokio::test]
async fn another_models_collection_is_refused_and_left_alone() {
    let (double, index) = fresh_double().await.unwrap();
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    // Another model of the same slug.
    let settings = double.options().check().unwrap();
    for (model, dimensions) in [("test/model.v1", DIMENSIONS), ("test-model-v1", 32)] {
        let other = ModelId::new(model);
        let error = QdrantIndex::connect(&settings, &other, dimensions)
            .await
            .err()
            .unwrap();
        assert!(matches!(error, IndexError::ModelMismatch { .. }), "{error}");
        let text = error.to_string();
        for part in ["16 dimensions", &dimensions.to_string(), "re-index", model] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!(index.manifest().await.unwrap().documents(), 1);
}

type Spoil = fn(&mut double::Collection);

#[tokio::test]
async fn a_collection_of_another_layout_is_refused_with_what_to_do() {
    let spoil: [(&str, Spoil); 4] = [
        ("its model", |held| held.created.metadata.clear()),
        ("its model", |held| held.created.vectors_config = None),
        ("not Dot", |held| {
            let config = held
                .created
                .vectors_config
                .as_mut()
                .unwrap()
                .config
                .as_mut();
            let Some(Config::ParamsMap(dense)) = config else {
                panic!()
            };
            dense.map.get_mut("dense_en").unwrap().distance = Distance::Cosine.into();
        }),
        ("IDF", |held| {
            let sparse = held.created.sparse_vectors_config.as_mut().unwrap();
            sparse.map.get_mut("sparse_en").unwrap().modifier = None;
        }),
    ];
    for (part, spoil) in spoil {
        let (double, index) = fresh_double().await.unwrap();
        spoil(double.state().collection(index.collection()).unwrap());
        let error = connect(double.options()).await.err().unwrap().to_string();
        for part in [part, index.collection(), "drop it", "prefix"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_knows_no_conditions_is_refused() {
    for (version, served) in [
        ("1.15.5", false),
        ("dev", false),
        ("1.16.0", true),
        ("2.0.0", true),
    ] {
        let double = Double::with(Setup {
            version: Some(version),
            ..Setup::default()
        })
        .await;
        let outcome = connect(double.options()).await;
        assert_eq!(outcome.is_ok(), served, "{version}");
        if let Err(error) = outcome {
            let text = error.to_string();
            assert!(text.contains(version) && text.contains("1.16"), "{text}");
            assert!(double.state().collections.is_empty(), "nothing was touched");
        }
    }
}
