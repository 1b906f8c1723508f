//! The fitted part of the router: multinomial logistic regression, one blend for each set of
//! evidence that can be there.
//!
//! With x the standardised features and e the question's unit vector, route r has the score
//! softmax(w_r · x + v_r · e + b_r). `model.json` holds the numbers and where they come from; the
//! example `fit_route` makes it.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::{Deserialize, Serialize};

use super::{
    Route,
    evidence::Evidence,
    features::{self, Features},
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

/// Weights for one set of evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blend {
    /// What it needs.
    pub needs: Needs,
    /// By the feature's name: mean, standard deviation, and a weight for each of [`Route::ALL`].
    pub features: BTreeMap<String, Weights>,
    /// For each of [`Route::ALL`], a weight for each dimension of the vector; empty without one.
    pub embedding: Vec<Vec<f64>>,
    /// For each of [`Route::ALL`].
    pub bias: Vec<f64>,
}

/// One feature's part in a blend.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Over the labelled utterances.
    pub mean: f64,
    /// Over the labelled utterances; never 0.
    pub deviation: f64,
    /// For each of [`Route::ALL`].
    pub weights: Vec<f64>,
}

/// The model that comes with the gateway.
pub(crate) fn builtin() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        serde_json::from_str(BUILTIN).expect("a test reads the file that is built in")
    })
}

impl Model {
    /// Probabilities of [`Route::ALL`], by the blend that uses most of the evidence.
    pub fn probabilities(&self, features: &Features, evidence: &Evidence) -> Vec<f64> {
        let vector = evidence
            .embedding
            .as_ref()
            .filter(|embedding| embedding.model == self.provenance.embedding_model)
            .map(|embedding| embedding.vector.as_slice());
        let usable = |blend: &&Blend| blend.needs.are_met(evidence, vector.is_some());
        let Some(blend) = self.blends.iter().find(usable) else {
            return vec![1.0 / Route::ALL.len() as f64; Route::ALL.len()];
        };
        blend.probabilities(features, vector.unwrap_or_default())
    }
}

impl Blend {
    /// Probabilities of [`Route::ALL`] by this blend, with the question's vector where it needs one.
    pub fn probabilities(&self, features: &Features, vector: &[f32]) -> Vec<f64> {
        let mut logits = self.bias.clone();
        for (name, part) in &self.features {
            let value = features.get(name).copied().unwrap_or(part.mean);
            let standard = (value - part.mean) / part.deviation;
            for (logit, weight) in logits.iter_mut().zip(&part.weights) {
                *logit += weight * standard;
            }
        }
        for (logit, weights) in logits.iter_mut().zip(&self.embedding) {
            let products = weights.iter().zip(vector);
            *logit += products.map(|(w, x)| w * f64::from(*x)).sum::<f64>();
        }
        softmax(&logits)
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / total).collect()
}

#[cfg(test)]
mod tests {
    use super::{Needs, builtin, softmax};
    use crate::routing::{Route, eval, signs};

    #[test]
    fn the_built_in_model_is_whole_and_made_from_what_is_here() {
        let model = builtin();
        let needs: Vec<Needs> = model.blends.iter().map(|blend| blend.needs).collect();
        assert_eq!(needs, Needs::all());
        for blend in &model.blends {
            assert_eq!(blend.bias.len(), Route::ALL.len());
            assert_eq!(blend.embedding.is_empty(), !blend.needs.embedding);
            for part in blend.features.values() {
                assert!(part.deviation > 0.0 && part.weights.len() == Route::ALL.len());
            }
        }
        // What the weights were fitted on is what they are used with.
        let made = &model.provenance;
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
