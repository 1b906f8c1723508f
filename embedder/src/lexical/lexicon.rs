//! Which terms the indexed documents hold, and in how many of them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use contracts::ImageId;

use super::{Term, bm25::term_index};

/// Shortest word that is corrected: in shorter ones, a letter more or less is another word.
const MIN_CORRECTED_CHARS: usize = 4;

/// Document frequencies of one language, kept in step with the indexes.
#[derive(Default)]
pub struct Lexicon {
    /// Sorted, so that the terms of one first letter stand together.
    terms: BTreeMap<String, u32>,
    frequencies: BTreeMap<u32, u32>,
    documents: HashMap<ImageId, Vec<String>>,
}

impl Lexicon {
    /// Documents counted.
    pub fn documents(&self) -> usize {
        self.documents.len()
    }

    /// Counts a document's terms, instead of those of its former version.
    pub fn put(&mut self, id: &ImageId, terms: &[Term]) {
        self.remove(id);
        let mut stems: Vec<String> = terms.iter().map(|term| term.stem.clone()).collect();
        stems.sort_unstable();
        stems.dedup();
        for stem in &stems {
            *self.terms.entry(stem.clone()).or_default() += 1;
            *self.frequencies.entry(term_index(stem)).or_default() += 1;
        }
        self.documents.insert(id.clone(), stems);
    }

    /// Forgets a document.
    pub fn remove(&mut self, id: &ImageId) {
        for stem in self.documents.remove(id).unwrap_or_default() {
            decrement(&mut self.frequencies, &term_index(&stem));
            decrement(&mut self.terms, &stem);
        }
    }

    /// Does some document hold this stem?
    pub fn contains(&self, stem: &str) -> bool {
        self.terms.contains_key(stem)
    }

    /// `ln(1 + (N - n + 0.5) / (n + 0.5))`, never negative: the form that Lucene and Qdrant use.
    pub fn idf(&self, index: u32) -> f32 {
        let n = self.frequencies.get(&index).copied().unwrap_or(0) as f32;
        let total = self.documents.len() as f32;
        (1.0 + (total - n + 0.5) / (n + 0.5)).ln().max(0.0)
    }

    /// The terms with unknown ones replaced by the nearest known one, where there is a near one:
    /// one slip (a letter wrong, missing, added, or two swapped) in 4 to 7 letters, two from 8 on.
    pub fn corrected(&self, terms: Vec<Term>) -> Vec<Term> {
        terms
            .into_iter()
            .map(|term| match self.nearest(&term.stem) {
                Some(stem) => Term {
                    stem: stem.to_owned(),
                    ..term
                },
                None => term,
            })
            .collect()
    }

    fn nearest(&self, stem: &str) -> Option<&str> {
        if self.contains(stem) {
            return None;
        }
        let length = stem.chars().count();
        let slips = match length {
            0..MIN_CORRECTED_CHARS => return None,
            MIN_CORRECTED_CHARS..=7 => 1,
            _ => 2,
        };
        // First letters are seldom mistyped, and the rule keeps `mesa` from becoming `pesa`.
        let first = stem.chars().next()?;
        self.terms
            .range(first.to_string()..)
            .take_while(|(known, _)| known.starts_with(first))
            .filter(|(known, _)| known.chars().count().abs_diff(length) <= slips)
            .map(|(known, n)| (strsim::osa_distance(known, stem), Reverse(*n), known))
            .filter(|(distance, ..)| *distance <= slips)
            .min()
            .map(|(.., known)| known.as_str())
    }
}

fn decrement<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(stem: &str) -> Term {
        Term {
            stem: stem.to_owned(),
            surface: stem.to_owned(),
        }
    }

    #[test]
    fn replacing_and_removing_leave_no_trace() {
        let mut lexicon = Lexicon::default();
        let id: ImageId = "a".parse().expect("a slug");
        lexicon.put(&id, &[term("shoe"), term("shoe"), term("run")]);
        lexicon.put(&id, &[term("beach")]);
        assert!(!lexicon.contains("shoe") && lexicon.contains("beach"));
        lexicon.remove(&id);
        assert_eq!(lexicon.documents(), 0);
        assert!(!lexicon.contains("beach"));
    }

    #[test]
    fn a_slip_is_mended_and_another_word_is_not() {
        let mut lexicon = Lexicon::default();
        lexicon.put(
            &"a".parse().expect("a slug"),
            &[term("lighthous"), term("mesa")],
        );
        let mended = lexicon.corrected(vec![term("lihgthous"), term("pesa"), term("zzz")]);
        let stems: Vec<&str> = mended.iter().map(|term| term.stem.as_str()).collect();
        assert_eq!(stems, ["lighthous", "pesa", "zzz"]);
    }
}
