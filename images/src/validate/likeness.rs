//! No two entries may be nearly the same: a search could not tell them apart.

use std::collections::{HashMap, HashSet};

use contracts::Language;

use crate::{
    catalogue::{Catalogue, CatalogueEntry, Fault},
    facts::{NEAR_BITS, perceptual_distance},
};

/// Share of common shingles above which two descriptions are nearly the same.
const NEAR_SHARE: f64 = 0.6;
/// Words in a shingle.
const SHINGLE_WORDS: usize = 3;

type Shingles = HashSet<Vec<String>>;

pub(super) fn check(catalogue: &Catalogue, faults: &mut Vec<Fault>) {
    let shingles: Vec<_> = catalogue.into_iter().map(shingles_of).collect();
    let entries = catalogue.entries();
    for (index, entry) in entries.iter().enumerate() {
        for (earlier_index, earlier) in entries.iter().enumerate().take(index) {
            if let Some(bits) =
                perceptual_distance(&entry.facts.perceptual_hash, &earlier.facts.perceptual_hash)
                    .filter(|bits| *bits <= NEAR_BITS)
            {
                let reason = format!(
                    "the picture is nearly that of {}: {bits} of 64 bits differ, expected more than {NEAR_BITS}",
                    earlier.file
                );
                faults.push(Fault::new(entry.file.as_str(), reason));
            }
            for (language, words) in &shingles[index] {
                let share = shingles[earlier_index]
                    .get(language)
                    .map_or(0.0, |other| jaccard(words, other));
                if share > NEAR_SHARE {
                    let reason = format!(
                        "{language}.description is nearly that of {}: {:.0}% of their three-word runs are shared, expected at most {:.0}%",
                        earlier.file,
                        share * 100.0,
                        NEAR_SHARE * 100.0
                    );
                    faults.push(Fault::new(entry.file.as_str(), reason));
                }
            }
        }
    }
}

fn shingles_of(entry: &CatalogueEntry) -> HashMap<Language, Shingles> {
    entry
        .text
        .iter()
        .map(|(language, text)| (*language, shingles(&text.description)))
        .collect()
}

/// Runs of three words, without case and punctuation.
fn shingles(text: &str) -> Shingles {
    let words: Vec<_> = text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.windows(SHINGLE_WORDS).map(<[_]>::to_vec).collect()
}

/// Shared elements as a part of all elements (Jaccard); 0 when there are none.
fn jaccard(left: &Shingles, right: &Shingles) -> f64 {
    let shared = left.intersection(right).count();
    let all = left.len() + right.len() - shared;
    if all == 0 {
        0.0
    } else {
        shared as f64 / all as f64
    }
}
