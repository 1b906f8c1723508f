//! Documents, a shared model, and indexes that fail when told to.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use contracts::{
    ImageId, Language, ModelId, SearchMode,
    content::{Orientation, Status},
    index::{Deletion, Facets, IndexDocument, SearchText},
    search::{Filters, SearchRequest},
};
use embedder::{
    Service,
    index::{
        Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, VectorIndex,
        memory::MemoryIndex,
    },
    model::{
        EmbedError, Embedded, Embedder, fastembed::load_onnx_runtime, pool::SessionPool,
        source::ModelSource,
    },
    search::Fusion,
};
use sha2::{Digest, Sha256};

/// Weights and floors that stay when the fitted ones move: five pictures are no catalogue.
pub const FUSION: Fusion = Fusion {
    lexical_weight: 0.3,
    fused_floor: 0.32,
    dense_floor: 0.39,
    lexical_floor: 0.14,
};

/// The bundled model in two sessions, loaded once for all tests; `None` where ONNX Runtime is missing.
pub fn pool() -> Option<Arc<SessionPool>> {
    static POOL: OnceLock<Option<Arc<SessionPool>>> = OnceLock::new();
    let load = || {
        load_onnx_runtime(&test_support::onnxruntime()?).unwrap();
        let two = NonZeroUsize::new(2).unwrap();
        Some(Arc::new(
            SessionPool::start(&ModelSource::Bundled, two).unwrap(),
        ))
    };
    POOL.get_or_init(load).clone()
}

pub fn id(slug: &str) -> ImageId {
    slug.parse().unwrap()
}

pub fn facets() -> Facets {
    Facets {
        status: Status::Approved,
        themes: vec!["sport".to_owned()],
        campaign_themes: vec!["summer".to_owned()],
        channels: vec!["email".to_owned()],
        audience: vec!["families".to_owned()],
        orientation: Orientation::Landscape,
        territories: vec!["*".to_owned()],
        usable_from: "2020-01-01".to_owned(),
        usable_until: None,
    }
}

/// A document with this title and description in Spanish and English.
pub fn document(slug: &str, revision: i64, es: (&str, &str), en: (&str, &str)) -> IndexDocument {
    let text = |(title, description): (&str, &str)| SearchText {
        title: title.to_owned(),
        description: description.to_owned(),
        hashtags: Vec::new(),
        keywords: Vec::new(),
    };
    IndexDocument {
        id: id(slug),
        revision,
        text: [(Language::Es, text(es)), (Language::En, text(en))].into(),
        facets: facets(),
    }
}

/// A document whose content is told by one word.
pub fn plain(slug: &str, revision: i64, word: &str) -> IndexDocument {
    document(slug, revision, ("Foto", word), ("Picture", word))
}

pub fn deletion(slug: &str, revision: i64) -> Deletion {
    Deletion {
        id: id(slug),
        revision,
    }
}

/// A search for the best ten without conditions.
/// Which engine answers. There is a document of that word.
pub async fn engine(service: &Service) -> String {
    let searcher = service.searcher();
    let answer = searcher.search(&request("un faro")).await.unwrap();
    assert_eq!(answer.hits[0].id.as_str(), "faro");
    answer.engine
}

pub fn request(text: &str) -> SearchRequest {
    SearchRequest {
        text: text.to_owned(),
        language: None,
        limit: 10,
        filters: Filters::default(),
        status: None,
        mode: SearchMode::Fused,
        engine: None,
        min_score: None,
    }
}

/// Vectors by the words of a text: quick, and enough where meaning is not what is tested.
pub struct WordHashes {
    model: ModelId,
    embedded: AtomicUsize,
}

impl WordHashes {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            model: ModelId::new("word-hashes"),
            embedded: AtomicUsize::new(0),
        })
    }

    /// Texts embedded so far.
    pub fn embedded(&self) -> usize {
        self.embedded.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Embedder for WordHashes {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn dimensions(&self) -> usize {
        16
    }

    async fn embed(&self, texts: Vec<String>) -> Result<Vec<Embedded>, EmbedError> {
        self.embedded.fetch_add(texts.len(), Ordering::SeqCst);
        let vector = |text: &String| {
            let mut vector = vec![0.1_f32; 16];
            for word in text.split_whitespace() {
                vector[usize::from(Sha256::digest(word)[0] % 16)] += 1.0;
            }
            unit(vector)
        };
        let embedded = |text| Embedded {
            embedding: vector(text),
            tokens: 1,
        };
        Ok(texts.iter().map(embedded).collect())
    }
}

pub fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = dot(&vector, &vector).sqrt();
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// How a [`Flaky`] index behaves.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Mood {
    #[default]
    Well,
    Failing,
    /// Answers and takes no change.
    ReadOnly,
    /// Tells what it holds, takes changes, and gives no entries.
    Locked,
    /// Never answers.
    Hanging,
}

#[derive(PartialEq)]
enum Asked {
    Read,
    Write,
    Entries,
}

/// An index in memory that can be switched off.
pub struct Flaky {
    name: &'static str,
    inner: MemoryIndex,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
}

impl Flaky {
    pub fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            inner: MemoryIndex::default(),
            mood: Mutex::default(),
            asked: AtomicUsize::new(0),
        })
    }

    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Calls so far, answered or not.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn answer(&self, asked: Asked) -> Result<(), IndexError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => Ok(()),
            Mood::ReadOnly if asked != Asked::Write => Ok(()),
            Mood::Locked if asked != Asked::Entries => Ok(()),
            Mood::Failing | Mood::ReadOnly | Mood::Locked => {
                Err(IndexError::engine(self.name, "switched off by s3cret"))
            }
            Mood::Hanging => std::future::pending().await,
        }
    }
}

#[async_trait]
impl VectorIndex for Flaky {
    fn engine(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> &str {
        self.inner.version()
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        self.answer(Asked::Write).await?;
        self.inner.apply(changes).await
    }

    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
        self.answer(Asked::Read).await?;
        self.inner.candidates(query).await
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        self.answer(Asked::Read).await?;
        self.inner.manifest().await
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        self.answer(Asked::Entries).await?;
        self.inner.entries(ids).await
    }
}
