//! What writing changes and searching reads: the lexicons and the generation.

use std::sync::{
    PoisonError, RwLock, RwLockReadGuard,
    atomic::{AtomicI64, Ordering},
};

use contracts::{Language, index::IndexDocument};
use service_kit::Clock;

use crate::{
    index::PerLanguage,
    lexical::{Analyzer, Lexicon, Term, analyzer::split_camel_case},
};

/// Shared between the writer and the searcher.
pub struct Shared {
    lexicons: RwLock<PerLanguage<Lexicon>>,
    centre: RwLock<PerLanguage<Vec<f32>>>,
    generation: AtomicI64,
}

impl Shared {
    /// Empty lexicons. The generation starts at the clock's milliseconds, so that it grows across
    /// restarts too and a cached answer of an earlier run is never taken for a current one.
    pub fn new(clock: &Clock) -> Self {
        let millis = clock.now().unix_timestamp_nanos() / 1_000_000;
        let generation = AtomicI64::new(i64::try_from(millis).unwrap_or(i64::MAX / 2));
        Self {
            lexicons: RwLock::default(),
            centre: RwLock::default(),
            generation,
        }
    }

    /// Grows with every write.
    pub fn generation(&self) -> i64 {
        self.generation.load(Ordering::Acquire)
    }

    /// To be called after a write that changed something; returns the new generation.
    pub fn bump(&self) -> i64 {
        self.generation.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// For reading. Not to be held across an await.
    pub fn lexicons(&self) -> RwLockReadGuard<'_, PerLanguage<Lexicon>> {
        self.lexicons.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mean vector of the collection per language; empty while nothing is indexed.
    pub fn centre(&self) -> RwLockReadGuard<'_, PerLanguage<Vec<f32>>> {
        self.centre.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the centre.
    pub fn set_centre(&self, centre: PerLanguage<Vec<f32>>) {
        *self.centre.write().unwrap_or_else(PoisonError::into_inner) = centre;
    }

    /// Changes the lexicons.
    pub fn update(&self, change: impl FnOnce(&mut PerLanguage<Lexicon>)) {
        change(
            &mut self
                .lexicons
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }
}

/// The terms of a document's texts, per language: title, description and hashtags.
pub fn document_terms(
    document: &IndexDocument,
    analyzers: &PerLanguage<Analyzer>,
) -> PerLanguage<Vec<Term>> {
    PerLanguage::from_fn(|language| {
        analyzers
            .get(language)
            .terms(&full_text(document, language))
    })
}

/// What is embedded and indexed of a document in one language.
pub fn full_text(document: &IndexDocument, language: Language) -> String {
    let Some(text) = document.text.get(&language) else {
        return String::new();
    };
    let hashtags: Vec<String> = text.hashtags.iter().map(|tag| spoken(tag)).collect();
    format!(
        "{}. {} {}. {}.",
        text.title,
        text.description,
        hashtags.join(", "),
        text.keywords.join(", ")
    )
}

/// What is embedded for one language: the text in the other where that one is missing, since a
/// vector says what is meant in whichever language. Its words are counted in its own language only.
pub fn embedded_text(document: &IndexDocument, language: Language) -> String {
    let is_there = |language: &Language| document.text.contains_key(language);
    let mut there = [language].into_iter().chain(Language::ALL);
    let told = there.find(is_there);
    told.map_or_else(String::new, |language| full_text(document, language))
}

/// `#RunningShoes` as "Running Shoes": models read words.
fn spoken(hashtag: &str) -> String {
    split_camel_case(hashtag.trim_start_matches('#')).join(" ")
}
