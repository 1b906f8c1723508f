//! BM25 weights as sparse vectors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Lexicon, Term};

/// Term-frequency saturation, BM25's `k1`.
pub const K1: f32 = 1.2;
/// Length normalisation, BM25's `b`.
pub const B: f32 = 0.75;
/// Terms in a usual document. Fixed, so that a document's weights do not change when others are
/// added: the catalogue's texts with title, hashtags and keywords hold 35 to 55 terms.
pub const AVERAGE_TERMS: f32 = 44.0;
/// Most distinct terms of a vector: pgvector's HNSW index refuses a `sparsevec` with more.
pub const MAX_TERMS: usize = 1_000;

/// Term weights, by ascending index without repetition: the form that Qdrant and pgvector take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseVector {
    /// [`term_index`] of each term.
    pub indices: Vec<u32>,
    /// Weight of each term.
    pub values: Vec<f32>,
}

impl SparseVector {
    /// Holds no term.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The inner product: with document weights on one side and IDF on the other, the BM25 score.
    pub fn dot(&self, other: &Self) -> f32 {
        let (mut here, mut there, mut sum) = (0, 0, 0.0);
        while here < self.indices.len() && there < other.indices.len() {
            match self.indices[here].cmp(&other.indices[there]) {
                std::cmp::Ordering::Less => here += 1,
                std::cmp::Ordering::Greater => there += 1,
                std::cmp::Ordering::Equal => {
                    sum += self.values[here] * other.values[there];
                    here += 1;
                    there += 1;
                }
            }
        }
        sum
    }

    /// Does it hold this term?
    pub fn contains(&self, index: u32) -> bool {
        self.indices.binary_search(&index).is_ok()
    }
}

impl FromIterator<(u32, f32)> for SparseVector {
    fn from_iter<I: IntoIterator<Item = (u32, f32)>>(weights: I) -> Self {
        // Two terms that collide on one index add up; a map also sorts them.
        let mut sorted = BTreeMap::new();
        for (index, weight) in weights {
            *sorted.entry(index).or_insert(0.0) += weight;
        }
        let (indices, values) = sorted.into_iter().unzip();
        Self { indices, values }
    }
}

/// A term's place in the sparse space: 29 bits of its SHA-256, because pgvector's `sparsevec` has at
/// most 10^9 dimensions. Among 100,000 terms some nine pairs collide; each costs a wrong match.
pub fn term_index(stem: &str) -> u32 {
    let digest = Sha256::digest(stem);
    u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]) & 0x1fff_ffff
}

/// The document side: `tf (k1 + 1) / (tf + k1 (1 - b + b length / average))`. Of a text with more
/// than [`MAX_TERMS`] distinct terms, the first ones count.
pub fn document_weights(terms: &[Term]) -> SparseVector {
    let length_factor = 1.0 - B + B * terms.len() as f32 / AVERAGE_TERMS;
    let mut frequencies: BTreeMap<u32, f32> = BTreeMap::new();
    for term in terms {
        let index = term_index(&term.stem);
        if frequencies.len() < MAX_TERMS || frequencies.contains_key(&index) {
            *frequencies.entry(index).or_insert(0.0) += 1.0;
        }
    }
    frequencies
        .into_iter()
        .map(|(index, tf)| (index, tf * (K1 + 1.0) / (tf + K1 * length_factor)))
        .collect()
}

/// The query side: each distinct term's IDF, [`Lexicon::idf`].
pub fn query_weights(terms: &[Term], lexicon: &Lexicon) -> SparseVector {
    let distinct: BTreeMap<u32, f32> = terms
        .iter()
        .map(|term| term_index(&term.stem))
        .map(|index| (index, lexicon.idf(index)))
        .collect();
    distinct.into_iter().collect()
}
