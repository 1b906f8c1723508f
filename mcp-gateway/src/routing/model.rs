//! The fitted part of the router: labelled utterances that vote by how near a question is to them,
//! one blend for each set of evidence that can be there.
//!
//! With k(q, u) a question's nearness to an utterance ([`nearness`]), route r has the score
//! softmax(Σ_u v_ur · k(q, u) + b_r). The votes come from regularised least squares (Rifkin and
//! Klautau, In Defense of One-Vs-All Classification, 2004), calibrated on what cross-validation gave.
//! `model.json` holds the numbers and where they come from; the example `fit_route` makes it.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::{
    Route,
    evidence::Evidence,
    features::{self, Features},
    letters::{self, Letters, letters},
    nearness::{self, Place, Utterances},
    packed::Packed,
};

/// The file that is built in.
const BUILTIN: &str = include_str!("model.json");

/// Weights and where they come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Where they come from.
    pub provenance: Provenance,
    /// Below this score the route is `ambiguous`.
    pub least_score: f64,
    /// The labelled utterances.
    pub utterances: Utterances,
    /// One for each set of evidence, the largest first.
    pub blends: Vec<Blend>,
}

/// Where weights come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The program that made them.
    pub made_by: String,
    /// SHA-256 of the labelled utterances.
    pub train_sha256: String,
    /// How many there are.
    pub utterances: usize,
    /// SHA-256 of `signs.toml`.
    pub signs_sha256: String,
    /// The model whose vectors the weights fit.
    pub embedding_model: String,
}

/// Which evidence a blend needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The question's vector.
    pub embedding: bool,
    /// What the warehouse would make of it.
    pub plan: bool,
    /// The best image.
    pub hit: bool,
}

impl Needs {
    /// Every set of evidence, the largest first.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = (0..8)
            .map(|bits| Self {
                embedding: bits & 1 != 0,
                plan: bits & 2 != 0,
                hit: bits & 4 != 0,
            })
            .collect();
        all.sort_by_key(|needs| std::cmp::Reverse(needs.count()));
        all
    }

    /// Whether a feature of that name can be had from this evidence.
    pub fn allow(self, feature: &str) -> bool {
        let (plan, hit) = features::evidence_of(feature);
        (self.plan || !plan) && (self.hit || !hit)
    }

    fn count(self) -> u8 {
        u8::from(self.embedding) + u8::from(self.plan) + u8::from(self.hit)
    }

    fn are_met(self, evidence: &Evidence, embedding: bool) -> bool {
        (!self.embedding || embedding)
            && (!self.plan || evidence.plan.is_some())
            && (!self.hit || evidence.hit.is_some())
    }
}

/// Votes for one set of evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    /// What it needs.
    pub needs: Needs,
    /// The spread of the utterances' features, [`Utterances::spread`].
    pub spread: f32,
    /// For each utterance, a vote for each of [`Route::ALL`].
    pub votes: Packed,
    /// For each place of the question's letters, a weight for each of [`Route::ALL`]: what the
    /// utterances' votes come to there.
    pub letters: Packed,
    /// For each of [`Route::ALL`].
    pub bias: Vec<f64>,
}

/// Routes that are told apart.
const ROUTES: usize = Route::ALL.len();

/// The model that comes with the gateway.
pub(crate) fn builtin() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        serde_json::from_str(BUILTIN).expect("a test reads the file that is built in")
    })
}

impl Model {
    /// Probabilities of [`Route::ALL`], by the blend that uses most of the evidence.
    pub fn probabilities(&self, text: &str, features: &Features, evidence: &Evidence) -> Vec<f64> {
        let vector = evidence
            .embedding
            .as_ref()
            .filter(|embedding| embedding.model == self.provenance.embedding_model)
            .map(|embedding| embedding.vector.as_slice());
        let usable = |blend: &&Blend| blend.needs.are_met(evidence, vector.is_some());
        let Some(blend) = self.blends.iter().find(usable) else {
            return vec![1.0 / ROUTES as f64; ROUTES];
        };
        let place = self.utterances.place(features, vector.unwrap_or_default());
        blend.probabilities(&self.utterances, &place, &letters(text))
    }
}

impl Blend {
    /// From what least squares made of the utterances: a vote for each route, by utterance.
    pub fn new(
        needs: Needs,
        spread: f32,
        votes: &[Vec<f64>],
        utterances: &[Letters],
        bias: Vec<f64>,
    ) -> Self {
        let mut weights = vec![0.0; letters::PLACES * ROUTES];
        for (votes, letters) in votes.iter().zip(utterances) {
            for (at, x) in letters {
                let weights = &mut weights[at * ROUTES..(at + 1) * ROUTES];
                for (weight, vote) in weights.iter_mut().zip(votes) {
                    *weight += nearness::LETTERS * x * *vote as f32;
                }
            }
        }
        let votes: Vec<f32> = votes.iter().flatten().map(|vote| *vote as f32).collect();
        Self {
            needs,
            spread,
            votes: Packed::in_two_bytes(&votes),
            letters: Packed::in_two_bytes(&weights),
            bias,
        }
    }

    /// Probabilities of [`Route::ALL`] by this blend.
    pub fn probabilities(
        &self,
        utterances: &Utterances,
        place: &Place,
        letters: &Letters,
    ) -> Vec<f64> {
        let mut logits = self.bias.clone();
        let mut add = |much: f32, votes: &[f32]| {
            for (logit, vote) in logits.iter_mut().zip(votes) {
                *logit += f64::from(much * vote);
            }
        };
        let near = utterances.near(place, self.needs, self.spread);
        for (near, votes) in near.iter().zip(self.votes.values().chunks_exact(ROUTES)) {
            add(*near, votes);
        }
        for (at, x) in letters {
            add(*x, &self.letters.values()[at * ROUTES..(at + 1) * ROUTES]);
        }
        softmax(&logits)
    }
}

/// Numbers that add up to 1, from scores.
pub fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / total).collect()
}

#[cfg(test)]
mod tests {
    use super::{Needs, ROUTES, builtin, softmax};
    use crate::routing::{eval, letters::PLACES, signs};

    #[test]
    fn the_built_in_model_is_whole_and_made_from_what_is_here() {
        let model = builtin();
        let needs: Vec<Needs> = model.blends.iter().map(|blend| blend.needs).collect();
        assert_eq!(needs, Needs::all());
        assert!(model.utterances.is_whole());
        for blend in &model.blends {
            assert_eq!(blend.bias.len(), ROUTES);
            assert_eq!(blend.letters.values().len(), PLACES * ROUTES);
            let votes = model.utterances.count() * ROUTES;
            assert!(blend.spread > 0.0 && blend.votes.values().len() == votes);
        }
        // What the weights were fitted on is what they are used with.
        let made = &model.provenance;
        assert_eq!(made.utterances, model.utterances.count());
        assert_eq!(made.train_sha256, eval::sha256(eval::TRAIN));
        assert_eq!(made.signs_sha256, eval::sha256(signs::SOURCE));
    }

    #[test]
    fn probabilities_add_up_however_large_the_scores() {
        let all = softmax(&[1_000.0, 0.0, -1_000.0]);
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(all[0] > 0.999);
    }
}
