//! One score out of the evidence: weights and floors, fitted on the judged queries.
//!
//! The score is `(1 - w) d + w l`. `l` is the lexical evidence, 0 to 1. `d` is the dense evidence
//! `(cos + a) / (1 + a)`: the cosine of query and document, meant over both languages, lifted by the
//! affinity `a` of the query to the collection as a whole (its cosine to the collection's centre).
//! A brief in general terms is near to many pictures and very near to none; a query about something
//! that the collection does not hold is far from all of them. The lift tells the two apart, and
//! changes no order within a query.
//!
//! Reciprocal rank fusion gives a weak list as much say as a strong one; it was measured and lost.
//! How the numbers were found, and how good they are on queries that they were not fitted on:
//! `embedder/eval/README.md`. `promptsales eval search` measures them again.

use contracts::SearchMode;

use crate::index::PerLanguage;

/// Of the floor, what suffices for a hit that follows a better one. The floor decides whether anything
/// fits; once something does, its neighbours are worth a look.
pub const FOLLOWERS: f32 = 0.8;

/// What is known about one candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Cosine of the query to the texts of each language.
    pub dense: PerLanguage<f32>,
    /// Cosine of the query to the collection's centre, the mean of both languages, not negative.
    pub affinity: f32,
    /// Share of the best possible BM25 score in each language.
    pub lexical: PerLanguage<f32>,
}

/// How evidence becomes a score, and from which score on something fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fusion {
    /// The lexical part's weight, 0 to 1.
    pub lexical_weight: f32,
    /// Least score of the best hit, when both kinds of evidence count.
    pub fused_floor: f32,
    /// Least score of the best hit by meaning alone.
    pub dense_floor: f32,
    /// Least score of the best hit by words alone.
    pub lexical_floor: f32,
}

impl Default for Fusion {
    fn default() -> Self {
        Self {
            lexical_weight: 0.35,
            fused_floor: 0.313,
            dense_floor: 0.44,
            lexical_floor: 0.205,
        }
    }
}

impl Fusion {
    /// The score, 0 to 1.
    pub fn score(&self, evidence: &Evidence, mode: SearchMode) -> f32 {
        let affinity = evidence.affinity.max(0.0);
        let dense = ((evidence.cosine() + affinity) / (1.0 + affinity)).clamp(0.0, 1.0);
        let lexical = evidence.lexical().clamp(0.0, 1.0);
        match mode {
            SearchMode::Dense => dense,
            SearchMode::Lexical => lexical,
            SearchMode::Fused => {
                (1.0 - self.lexical_weight) * dense + self.lexical_weight * lexical
            }
        }
    }

    /// The floor: when the best score is below it, nothing fits.
    pub fn floor(&self, mode: SearchMode) -> f32 {
        match mode {
            SearchMode::Dense => self.dense_floor,
            SearchMode::Lexical => self.lexical_floor,
            SearchMode::Fused => self.fused_floor,
        }
    }
}

impl Evidence {
    /// The mean over both languages: two views of one picture tell more than either.
    pub fn cosine(&self) -> f32 {
        (self.dense.es + self.dense.en) / 2.0
    }

    /// The better of both languages: words match in one of them.
    pub fn lexical(&self) -> f32 {
        self.lexical.es.max(self.lexical.en)
    }
}
