//! The bundled model on the real ONNX Runtime.

use std::{fs, num::NonZeroUsize, path::Path, process::Command, sync::Arc, time::Duration};

use embedder::model::{
    EmbedError, Embedder,
    fastembed::load_onnx_runtime,
    pool::SessionPool,
    source::{LoadError, MAX_TOKENS, ModelSource},
};
use futures::future::join_all;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::harness::{dot, pool};

const FILES: [&str; 4] = [
    "tokenizer.json",
    "config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
];

fn bundled(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("model/minilm-es-en-v1")
        .join(name)
}

/// The bundled files under other names.
fn copied() -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("My Model.")
        .tempdir()
        .unwrap();
    for name in FILES {
        fs::copy(bundled(name), directory.path().join(name)).unwrap();
    }
    fs::copy(bundled("model.w8.onnx"), directory.path().join("any.onnx")).unwrap();
    directory
}

fn start(source: &ModelSource) -> Result<SessionPool, LoadError> {
    SessionPool::start(source, NonZeroUsize::MIN)
}

fn refused(directory: &Path) -> LoadError {
    start(&ModelSource::Directory(directory.to_owned()))
        .err()
        .unwrap()
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

async fn vectors(pool: &SessionPool, texts: Vec<String>) -> Vec<Vec<f32>> {
    let embedded = pool.embed(texts).await.unwrap();
    embedded.into_iter().map(|item| item.embedding).collect()
}

#[tokio::test]
async fn vectors_are_unit_vectors_of_384_numbers() {
    let Some(pool) = pool() else { return };
    assert_eq!(
        (pool.dimensions(), pool.model().as_str()),
        (384, "minilm-es-en-v1")
    );
    let odd = [
        "a",
        "zapatillas rojas",
        "🎉🎉",
        " \n",
        "日本語",
        "\u{0}\u{202e}",
        "",
    ];
    let embedded = pool.embed(strings(&odd)).await.unwrap();
    for (text, item) in odd.iter().zip(&embedded) {
        assert_eq!(item.embedding.len(), 384);
        let norm = dot(&item.embedding, &item.embedding).sqrt();
        assert!((norm - 1.0).abs() < 1e-4, "{text:?} has length {norm}");
        assert!(item.tokens >= 2, "{text:?}: {}", item.tokens);
    }
    assert_eq!(pool.embed(Vec::new()).await.unwrap(), []);
}

#[tokio::test]
async fn twins_in_two_languages_are_nearer_than_strangers() {
    let Some(pool) = pool() else { return };
    let twins = [
        ("un perro corre por la playa", "a dog runs along the beach"),
        (
            "una taza de café sobre la mesa",
            "a cup of coffee on the table",
        ),
        (
            "gente trabajando en una oficina",
            "people working in an office",
        ),
        ("montañas nevadas al amanecer", "snowy mountains at sunrise"),
    ];
    let spanish = twins.iter().map(|(es, _)| (*es).to_owned()).collect();
    let english = twins.iter().map(|(_, en)| (*en).to_owned()).collect();
    let (spanish, english) = (vectors(&pool, spanish).await, vectors(&pool, english).await);
    for (place, es) in spanish.iter().enumerate() {
        let own = dot(es, &english[place]);
        for (other, en) in english
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
        {
            let stranger = dot(es, en);
            assert!(own > stranger + 0.2, "{place}: {own}, {other}: {stranger}");
        }
    }
}

#[tokio::test]
async fn a_batch_gives_what_each_text_alone_gives_in_the_same_order() {
    let Some(pool) = pool() else { return };
    // Lengths go up and down, so that sorting by length must be undone; more than one batch.
    let texts: Vec<String> = (0..40)
        .map(|n| format!("imagen {n} {}", "de una playa ".repeat((n * 7) % 11)))
        .collect();
    let together = vectors(&pool, texts.clone()).await;
    assert_eq!(together.len(), texts.len());
    for (text, batched) in texts.iter().zip(&together) {
        let alone = vectors(&pool, vec![text.clone()]).await;
        let cosine = dot(&alone[0], batched);
        assert!(cosine > 0.9999, "'{text}': {cosine}");
    }
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut() {
    let Some(pool) = pool() else { return };
    let long = "un faro junto al mar ".repeat(400);
    let longer = format!("{long} y un gato");
    let embedded = pool.embed(vec![long, longer]).await.unwrap();
    assert_eq!(embedded[0].tokens as usize, MAX_TOKENS);
    assert_eq!(embedded[1].tokens as usize, MAX_TOKENS);
    assert!(dot(&embedded[0].embedding, &embedded[1].embedding) > 0.9999);
}

#[tokio::test]
async fn tokens_are_counted_without_padding() {
    let Some(pool) = pool() else { return };
    let texts = strings(&[
        "mar",
        "un faro rojo junto al mar en calma y un barco que llega",
    ]);
    let both = pool.embed(texts.clone()).await.unwrap();
    let alone = pool.embed(vec![texts[0].clone()]).await.unwrap();
    assert_eq!(both[0].tokens, alone[0].tokens);
    assert!(both[0].tokens < both[1].tokens);
}

#[tokio::test]
async fn five_hundred_texts_and_many_callers_are_served() {
    let Some(pool) = pool() else { return };
    let texts: Vec<String> = (0..500).map(|n| format!("foto {n}")).collect();
    let large = pool.embed(texts.clone());
    let callers = (0..32).map(|n| {
        let (pool, text) = (Arc::clone(&pool), texts[n].clone());
        async move { (n, pool.embed(vec![text]).await.unwrap().remove(0)) }
    });
    let (large, small) = tokio::join!(large, join_all(callers));
    let large = large.unwrap();
    assert_eq!(large.len(), 500);
    for (place, alone) in small {
        let cosine = dot(&large[place].embedding, &alone.embedding);
        assert!(cosine > 0.9999, "{place}: {cosine}");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_recovers() {
    if pool().is_none() {
        return;
    }
    // A pool of its own: the shared one serves other tests.
    let pool = Arc::new(start(&ModelSource::Bundled).unwrap());
    let few = |count: usize| vec!["mar".to_owned(); count];
    // 2,048 may wait. A request for more passes when it finds the queue empty; it takes so long that
    // the others meet it.
    let first = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move {
            loop {
                match pool.embed(few(4_096)).await {
                    Err(EmbedError::Overloaded { .. }) => sleep(Duration::from_millis(1)).await,
                    answer => return answer,
                }
            }
        }
    });
    while pool.embed(few(2)).await.is_ok() {
        assert!(!first.is_finished(), "nothing was refused meanwhile");
        sleep(Duration::from_millis(20)).await;
    }
    let (query, second, third) =
        tokio::join!(pool.embed(few(1)), pool.embed(few(2)), pool.embed(few(64)));
    assert_eq!(query.unwrap().len(), 1, "a query has a lane of its own");
    assert!(!first.is_finished(), "and passes the work that waits");
    assert_eq!(first.await.unwrap().unwrap().len(), 4_096);
    for refused in [second, third] {
        let error = refused.unwrap_err();
        assert!(
            matches!(error, EmbedError::Overloaded { queued } if queued > 2_000),
            "{error}"
        );
        assert!(error.to_string().contains("try again"), "{error}");
    }
    assert_eq!(pool.embed(few(2)).await.unwrap().len(), 2, "recovered");
}

#[tokio::test]
async fn a_directory_model_loads_and_carries_its_hash() {
    let Some(bundled_pool) = pool() else { return };
    let directory = copied();
    let pool = start(&ModelSource::Directory(directory.path().to_owned())).unwrap();
    let name = pool.model().to_string();
    let hash = contracts::ContentHash::of(fs::read(bundled("model.w8.onnx")).unwrap());
    assert!(name.starts_with("my-model-"), "{name}");
    assert!(name.ends_with(&hash.as_str()[..8]), "{name}");
    assert!(
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
        "{name}"
    );
    let text = || strings(&["un faro junto al mar"]);
    let (own, other) = (
        vectors(&pool, text()).await,
        vectors(&bundled_pool, text()).await,
    );
    assert!(dot(&own[0], &other[0]) > 0.9999);

    // With several models, the one called model.onnx.
    fs::copy(
        bundled("model.w8.onnx"),
        directory.path().join("model.onnx"),
    )
    .unwrap();
    fs::write(directory.path().join("any.onnx"), "garbage").unwrap();
    assert!(start(&ModelSource::Directory(directory.path().to_owned())).is_ok());
}

#[tokio::test]
async fn a_directory_that_is_no_model_is_refused_with_a_reason() {
    let Some(_) = pool() else { return };
    let directory = copied();
    fs::remove_file(directory.path().join("tokenizer.json")).unwrap();
    let text = refused(directory.path()).to_string();
    assert!(
        text.contains("tokenizer.json") && text.contains("holds one .onnx file"),
        "{text}"
    );

    fs::write(directory.path().join("second.onnx"), "x").unwrap();
    let error = refused(directory.path());
    assert!(matches!(error, LoadError::AmbiguousDirectory(_)), "{error}");

    let empty = tempfile::tempdir().unwrap();
    let error = refused(empty.path());
    assert!(matches!(error, LoadError::AmbiguousDirectory(_)), "{error}");
    let error = refused(&empty.path().join("nowhere"));
    assert!(matches!(error, LoadError::File { .. }), "{error}");

    let spoilt = copied();
    fs::write(spoilt.path().join("any.onnx"), "not a model").unwrap();
    let error = refused(spoilt.path());
    assert!(matches!(error, LoadError::Model(_)), "{error}");
    let spoilt = copied();
    fs::write(spoilt.path().join("tokenizer.json"), "{").unwrap();
    let error = refused(spoilt.path());
    assert!(matches!(error, LoadError::Model(_)), "{error}");
}

#[test]
fn an_unknown_hub_model_is_refused_with_its_name() {
    if pool().is_none() {
        return;
    }
    let source = ModelSource::Hub {
        code: "nobody/nothing".to_owned(),
        cache: "unused".into(),
    };
    let error = start(&source).err().unwrap();
    assert!(matches!(error, LoadError::UnknownHubModel(_)), "{error}");
    assert!(error.to_string().contains("'nobody/nothing'"), "{error}");
}

#[test]
fn a_setting_is_read_or_refused() {
    let parse = |setting: &str| ModelSource::parse(setting, "cache".into());
    assert_eq!(parse("bundled"), Ok(ModelSource::Bundled));
    assert_eq!(parse("dir:/a:b"), Ok(ModelSource::Directory("/a:b".into())));
    let hub = ModelSource::Hub {
        code: "a/b".to_owned(),
        cache: "cache".into(),
    };
    assert_eq!(parse("hub:a/b"), Ok(hub));
    for bad in ["", "dir:", "hub:", "Bundled", "file:x", "bundled:x"] {
        let reason = parse(bad).unwrap_err();
        assert!(
            reason.contains("bundled, dir:<path>, hub:<code>"),
            "{reason}"
        );
    }
}

#[test]
fn a_library_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("libonnxruntime.so");
    let error = load_onnx_runtime(&path).unwrap_err();
    assert!(matches!(error, LoadError::Runtime { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("libonnxruntime.so") && text.contains("no such file"),
        "{text}"
    );
}

/// The first library that is loaded stays, so this one needs a process without another.
#[test]
fn a_library_that_is_none_is_refused() {
    let own = std::env::current_exe().unwrap();
    let ran = Command::new(own)
        .args([
            "--exact",
            "model::alone_a_library_that_is_none_is_refused",
            "--ignored",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run in a process of its own by the test above"]
fn alone_a_library_that_is_none_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("libonnxruntime.so");
    fs::write(&path, "not a library").unwrap();
    let error = load_onnx_runtime(&path).unwrap_err();
    assert!(matches!(error, LoadError::Runtime { .. }), "{error}");
}
