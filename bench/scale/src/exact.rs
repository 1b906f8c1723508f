//! What an exact search gives, to hold the engines against.

use contracts::{ImageId, Language};
use embedder::index::{Candidate, IndexEntry, PerLanguage, VectorIndex};

use crate::catalogue::image_id;

/// Documents of the list whose recall is measured.
pub const TOP: usize = 10;
/// Entries read back at a time.
const PAGE: u64 = 256;
/// Scores that differ by less are the same: engines add in another order.
const ROUNDING: f32 = 1e-5;

/// Every vector, read back from an index.
pub struct Exact {
    vectors: PerLanguage<Vec<f32>>,
    themes: Vec<String>,
    dimensions: usize,
}

/// The score that a document needs to be among the first ten: of each list, and of both together.
pub struct Needed {
    list: PerLanguage<f32>,
    both: f32,
    /// How many there are to find: ten, or all that there are.
    top: usize,
}

impl Exact {
    pub async fn of(
        index: &dyn VectorIndex,
        documents: u64,
        dimensions: usize,
    ) -> anyhow::Result<Self> {
        let mut exact = Self {
            vectors: PerLanguage::default(),
            themes: Vec::new(),
            dimensions,
        };
        for first in (0..documents).step_by(PAGE as usize) {
            let numbers = first..documents.min(first + PAGE);
            let ids: Vec<ImageId> = numbers.map(image_id).collect::<anyhow::Result<_>>()?;
            let asked = ids.len();
            let entries: Vec<IndexEntry> = index.entries(ids).await?;
            if entries.len() != asked {
                let (engine, held) = (index.engine(), entries.len());
                anyhow::bail!("{engine} holds {held} of {asked} documents");
            }
            for entry in entries {
                exact.vectors.es.extend(&entry.dense.es);
                exact.vectors.en.extend(&entry.dense.en);
                exact.themes.extend(entry.document.facets.themes);
            }
        }
        Ok(exact)
    }

    /// Compares with every document, or with those of a theme; each has one.
    pub fn needed(&self, query: &[f32], theme: Option<&str>) -> Needed {
        let fits = |place: &usize| theme.is_none_or(|theme| self.themes[*place] == theme);
        let fitting: Vec<usize> = (0..self.themes.len()).filter(fits).collect();
        let scores = PerLanguage::from_fn(|language| {
            let vectors = self.vectors.get(language);
            let score = |place: &usize| {
                let first = place * self.dimensions;
                dot(query, &vectors[first..first + self.dimensions])
            };
            fitting.iter().map(score).collect::<Vec<f32>>()
        });
        let both = scores.es.iter().zip(&scores.en);
        let both = both.map(|(es, en)| (es + en) / 2.0).collect();
        Needed {
            both: tenth(both),
            top: fitting.len().min(TOP),
            list: PerLanguage {
                es: tenth(scores.es),
                en: tenth(scores.en),
            },
        }
    }
}

impl Needed {
    /// Recall at 10 of the lists that the engine was asked for, each ten long.
    pub fn recall_of_lists(&self, query: &[f32], found: &[Candidate]) -> f64 {
        let [es, en] = Language::ALL.map(|language| {
            let needed = *self.list.get(language) - ROUNDING;
            self.share(found, |one| dot(query, one.dense.get(language)) >= needed)
        });
        (es + en) / 2.0
    }

    /// Recall at 10 of the ranking by the mean of both languages, as the search service makes it.
    pub fn recall_of_ranking(&self, query: &[f32], found: &[Candidate]) -> f64 {
        let mean = |one: &Candidate| (dot(query, &one.dense.es) + dot(query, &one.dense.en)) / 2.0;
        self.share(found, |one| mean(one) >= self.both - ROUNDING)
    }

    fn share(&self, found: &[Candidate], fits: impl Fn(&Candidate) -> bool) -> f64 {
        let fitting = found.iter().filter(|one| fits(one)).count();
        fitting.min(self.top) as f64 / self.top.max(1) as f64
    }
}

/// The tenth greatest; of fewer, the least.
fn tenth(mut scores: Vec<f32>) -> f32 {
    scores.sort_unstable_by(|a, b| b.total_cmp(a));
    scores.truncate(TOP);
    scores.last().copied().unwrap_or(f32::INFINITY)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
