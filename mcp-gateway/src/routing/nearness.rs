//! How near a question is to each labelled utterance.
//!
//! The sum of three kernels: a Gaussian one of the features, a Gaussian one of the vectors, and the
//! product of the [`letters`](super::letters). A linear model of the same evidence cannot say that
//! a picture with a figure means one thing and with a wish another unless somebody named the pair;
//! here the utterances that had both say it.

use serde::{Deserialize, Serialize};

use super::{features::Features, model::Needs, packed::Packed};

/// What each kernel counts for. Chosen by cross-validation, as are the widths.
const FEATURES: f32 = 1.0;
const MEANING: f32 = 4.0;
/// What the product of the letters counts for.
pub const LETTERS: f32 = 3.0;
/// The features' squared distance at which their kernel is down to 1/e, in squares of how far they lie from their mean.
const WIDTH: f32 = 2.0;
/// Deviations from the mean beyond which a feature is cut off.
const MOST_DEVIATIONS: f32 = 12.0;

/// A feature, as the labelled utterances have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    name: String,
    mean: f32,
    /// The furthest from the mean; never 0.
    reach: f32,
    /// What a squared difference of one reach counts for. Dividing by the root of the deviation
    /// lets rare features count for more than common ones, but less than in proportion.
    weight: f32,
}

/// The labelled utterances that a model was fitted on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Utterances {
    scales: Vec<Scale>,
    /// For each utterance, each scale's feature, in reaches from the mean.
    features: Packed,
    /// For each utterance, its unit vector.
    vectors: Packed,
}

/// What a question's nearness is taken from.
#[derive(Clone, Debug)]
pub struct Place {
    features: Vec<f32>,
    vector: Vec<f32>,
}

impl Utterances {
    /// Of as many features as vectors. Features that are the same everywhere are left out.
    pub fn new(features: &[&Features], vectors: &[&[f32]]) -> Self {
        let count = features.len() as f64;
        let names = features.first().into_iter().flat_map(|all| all.keys());
        let scales = names.filter_map(|name| {
            let values = || features.iter().map(|all| all[name]);
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let deviation = variance.sqrt() as f32;
            let furthest = values().map(|x| (x - mean).abs()).fold(0.0, f64::max);
            let reach = (furthest as f32).min(MOST_DEVIATIONS * deviation);
            (variance > 1e-12).then(|| Scale {
                name: name.clone(),
                mean: mean as f32,
                reach,
                weight: reach * reach / deviation,
            })
        });
        let mut all = Self {
            scales: scales.collect(),
            features: Packed::default(),
            vectors: Packed::in_one_byte(&vectors.concat()),
        };
        let standard = features.iter().flat_map(|one| all.standard(one));
        all.features = Packed::in_one_byte(&standard.collect::<Vec<f32>>());
        all
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.features.values().len() / self.scales.len().max(1)
    }

    /// Whether each has a place for the features and a vector of the same length.
    pub fn is_whole(&self) -> bool {
        let (count, width) = (self.count(), self.scales.len());
        count > 0
            && self.features.values().len() == count * width
            && self.vectors.values().len().is_multiple_of(count)
            && self.scales.iter().all(|scale| scale.reach > 0.0)
    }

    /// The mean square of the features' distance from their mean, of those that `needs` allow.
    pub fn spread(&self, needs: Needs) -> f32 {
        let weights = self.weights(needs, 1.0);
        let mean = vec![0.0; weights.len()];
        let rows = self.features.values().chunks_exact(weights.len());
        let all: f32 = rows.map(|row| distance(row, &mean, Some(&weights))).sum();
        all / self.count().max(1) as f32
    }

    /// Where a question is among them. A feature that is not there is as far as nothing.
    pub fn place(&self, features: &Features, vector: &[f32]) -> Place {
        Place {
            features: self.standard(features),
            vector: vector.to_vec(),
        }
    }

    /// Where one of them is.
    pub fn place_of(&self, at: usize) -> Place {
        let row = |packed: &Packed| {
            let width = packed.values().len() / self.count();
            packed.values()[at * width..(at + 1) * width].to_vec()
        };
        Place {
            features: row(&self.features),
            vector: row(&self.vectors),
        }
    }

    /// How near a place is to each of them by features and, where they are needed, vectors.
    pub fn near(&self, place: &Place, needs: Needs, spread: f32) -> Vec<f32> {
        let weights = self.weights(needs, WIDTH * spread);
        let rows = self.features.values().chunks_exact(weights.len());
        let by_features = |row| FEATURES * (-distance(row, &place.features, Some(&weights))).exp();
        let mut near: Vec<f32> = rows.map(by_features).collect();
        if needs.embedding {
            let width = self.vectors.values().len() / self.count();
            let vectors = self.vectors.values().chunks_exact(width);
            for (near, vector) in near.iter_mut().zip(vectors) {
                *near += MEANING * (-distance(vector, &place.vector, None)).exp();
            }
        }
        near
    }

    fn weights(&self, needs: Needs, spread: f32) -> Vec<f32> {
        let weight = |scale: &Scale| {
            let allowed = needs.allow(&scale.name);
            if allowed { scale.weight / spread } else { 0.0 }
        };
        self.scales.iter().map(weight).collect()
    }

    fn standard(&self, features: &Features) -> Vec<f32> {
        let standard = |scale: &Scale| {
            let value = features.get(&scale.name).map(|value| *value as f32);
            let away = (value.unwrap_or(scale.mean) - scale.mean) / scale.reach;
            away.clamp(-1.0, 1.0)
        };
        self.scales.iter().map(standard).collect()
    }
}

/// Squared, each part with its weight. Eight sums at once, which the compiler puts in one register.
fn distance(one: &[f32], other: &[f32], weights: Option<&[f32]>) -> f32 {
    const LANES: usize = 8;
    let mut sums = [0.0_f32; LANES];
    let chunks = one.chunks(LANES).zip(other.chunks(LANES));
    for (at, (one, other)) in chunks.enumerate() {
        let weights = weights.map(|weights| &weights[at * LANES..]);
        for (lane, (one, other)) in one.iter().zip(other).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[lane]);
            sums[lane] += weight * (one - other) * (one - other);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, MEANING, Utterances};
    use crate::routing::{Features, model::Needs};

    fn features(a: f64, b: f64) -> Features {
        [("a".to_owned(), a), ("plan: b".to_owned(), b)].into()
    }

    #[test]
    fn an_utterance_is_nearest_itself_and_what_is_not_allowed_counts_for_nothing() {
        let all = [features(0.0, 1.0), features(1.0, 0.0), features(1.0, 1.0)];
        let vectors: [&[f32]; 3] = [&[1.0, 0.0], &[0.0, 1.0], &[0.6, 0.8]];
        let known = Utterances::new(&all.each_ref(), &vectors);
        assert!(known.is_whole() && known.count() == 3);
        let needs = |embedding, plan| Needs {
            embedding,
            plan,
            hit: false,
        };
        for at in 0..3 {
            let near = known.near(&known.place_of(at), needs(true, true), 1.0);
            assert!((near[at] - FEATURES - MEANING).abs() < 1e-5, "{near:?}");
            assert!((0..3).all(|other| other == at || near[other] < near[at]));
        }
        // Without the plan the last two are one and the same; without vectors these do not count.
        let asked = known.place(&features(1.0, 0.0), &[1.0, 0.0]);
        let near = known.near(&asked, needs(false, false), 1.0);
        assert_eq!(near[1], near[2]);
        assert!((near[1] - FEATURES).abs() < 1e-3 && near[0] < near[1]);
        assert!(known.spread(needs(false, true)) > known.spread(needs(false, false)));
    }
}
