//! Answers to cache.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use content_api::{
    ApiError,
    cache::{AnswerCache, CacheKey, Served},
};
use contracts::{ContentHit, GetContentAnswer, Language, ModelId, search::Reason};
use futures::FutureExt;

use crate::sample::{draft, id};

/// An answer with so many results, that says which question it answers.
pub fn answer(question: &str, results: usize) -> GetContentAnswer {
    let result = |index: usize| {
        let draft = draft(&format!("image-{index}"));
        let text = draft.text[&Language::Es].clone();
        ContentHit {
            id: id(&format!("image-{index}")),
            // A number without a short form in decimals.
            score: 1.0 / (index as f32 + 3.0),
            reason: Reason {
                dense: 0.1 + index as f32 / 7.0,
                lexical: 0.3,
                matched_terms: vec!["niño".to_owned()],
            },
            title: text.title,
            description: format!("{} «{index}»", text.description),
            alt: text.alt,
            hashtags: text.hashtags,
            channels: draft.channels,
            image_url: format!("https://content.test/v1/content/image-{index}/image"),
            image: draft.image,
            renditions: Vec::new(),
            rights: draft.rights,
        }
    };
    GetContentAnswer {
        results: (0..results).map(result).collect(),
        no_match: results == 0,
        message: question.to_owned(),
        language: Language::Es,
        engine: "pgvector".to_owned(),
        model: ModelId::new("double-v1"),
        cached: false,
        took_ms: 1.0 / 3.0,
    }
}

/// Counts how often it makes answers.
#[derive(Clone, Default)]
pub struct Maker(Arc<AtomicUsize>);

impl Maker {
    pub fn made(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Asks for a question's answer, which has two results, and makes it if it must.
    pub async fn ask(&self, cache: &dyn AnswerCache, question: &str) -> Served {
        let served = self
            .try_ask(cache, question, async { Ok(answer(question, 2)) })
            .await;
        let served = served.unwrap();
        assert_eq!(*served.answer, answer(question, 2));
        served
    }

    pub async fn try_ask(
        &self,
        cache: &dyn AnswerCache,
        question: &str,
        make: impl Future<Output = Result<GetContentAnswer, ApiError>> + Send,
    ) -> Result<Served, Arc<ApiError>> {
        let making = async {
            self.0.fetch_add(1, Ordering::SeqCst);
            make.await
        };
        cache
            .get_or_make(CacheKey::of(question), making.boxed())
            .await
    }
}
