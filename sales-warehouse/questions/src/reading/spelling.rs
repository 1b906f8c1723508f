//! Typos: an unknown word that is one slip away from a known one.

use std::collections::{HashMap, HashSet};

use super::{
    lexicon::Lexicon,
    text::{Kind, Token, stem},
};

/// Known words, by first letter and length.
pub(crate) struct Spelling {
    buckets: HashMap<(u8, usize), Vec<String>>,
    /// Words of either language that mean nothing here, and so are no typo for what does.
    common: HashSet<&'static str>,
}

/// Words of one question that are looked at: a question has a few typos, a flood of letters has none.
const LOOKED_AT: usize = 24;

/// What people write in a hurry.
const SHORT: [(&str, &str); 8] = [
    ("avg", "average"),
    ("rev", "revenue"),
    ("impr", "impressions"),
    ("prom", "promedio"),
    ("x", "por"),
    ("xa", "para"),
    ("xq", "porque"),
    ("cta", "cuenta"),
];

/// Months and the like, which no lexicon holds.
const TIMES: &str = "january february march april june july august september october november december \
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre monday tuesday \
    wednesday thursday friday saturday sunday lunes martes miercoles jueves viernes sabado domingo week weeks month months \
    quarter year years semana semanas mes meses trimestre trimestres semestre quincena yesterday today ayer hoy last \
    previous pasado pasada anterior ultimo ultima ultimos ultimas since until before after desde hasta antes \
    despues primer primero segundo tercer cuarto first second third fourth days dias weekend navidad christmas";

impl Spelling {
    pub fn new(lexicon: &Lexicon) -> Self {
        let mut buckets: HashMap<(u8, usize), Vec<String>> = HashMap::new();
        let words: HashSet<&str> = lexicon.words().chain(TIMES.split_whitespace()).collect();
        for word in words {
            if word.len() >= 4 && word.bytes().all(|b| b.is_ascii_lowercase()) {
                buckets
                    .entry((word.as_bytes()[0], word.len()))
                    .or_default()
                    .push(word.to_owned());
            }
        }
        for words in buckets.values_mut() {
            words.sort_unstable();
        }
        let common = include_str!("common.txt").split_whitespace().collect();
        Self { buckets, common }
    }

    /// Puts known words in the place of typos, and says where: (token, what was written).
    pub fn correct(
        &self,
        tokens: &mut [Token],
        known: impl Fn(usize, &Token) -> bool,
    ) -> Vec<(usize, String)> {
        let mut corrected = Vec::new();
        let mut looked_at = 0;
        for (at, token) in tokens.iter_mut().enumerate() {
            if let Some((_, word)) = SHORT.iter().find(|(short, _)| *short == token.text) {
                token.text = (*word).to_owned();
                token.stem = stem(word);
                continue;
            }
            let candidate = token.kind == Kind::Word
                && (4..=24).contains(&token.text.len())
                && token.text.bytes().all(|b| b.is_ascii_lowercase())
                && !self.common.contains(token.text.as_str())
                && !known(at, token);
            if !candidate {
                continue;
            }
            looked_at += 1;
            if looked_at > LOOKED_AT {
                break;
            }
            if let Some(word) = self.meant(&token.text) {
                corrected.push((at, token.text.clone()));
                token.text = word.to_owned();
                token.stem = stem(word);
            }
        }
        corrected
    }

    /// The word that was meant; `None` where two fit as well.
    fn meant(&self, typo: &str) -> Option<&str> {
        let bytes = typo.as_bytes();
        // A slip may hit the first letter only by swapping it with the second.
        let firsts = if bytes[0] == bytes[1] {
            vec![bytes[0]]
        } else {
            vec![bytes[0], bytes[1]]
        };
        let mut best: Option<(&str, usize, f64)> = None;
        let mut tie = false;
        for first in firsts {
            for length in typo.len().saturating_sub(2)..=typo.len() + 2 {
                for word in self.buckets.get(&(first, length)).into_iter().flatten() {
                    let Some(distance) = slip(typo, word) else {
                        continue;
                    };
                    let alike = strsim::jaro_winkler(typo, word);
                    let better =
                        best.is_none_or(|(_, least, most)| (distance, -alike) < (least, -most));
                    tie = best.is_some_and(|(other, least, most)| {
                        distance == least
                            && (alike - most).abs() < 1e-9
                            && stem(other) != stem(word)
                    }) || (tie && !better);
                    if better {
                        best = Some((word, distance, alike));
                    }
                }
            }
        }
        best.filter(|_| !tie).map(|(word, ..)| word)
    }
}

/// How many slips make the one of the other; `None` for too many for words of their length.
fn slip(typo: &str, word: &str) -> Option<usize> {
    // Two slips change at most four letters; counting them is far cheaper than the distance.
    if (letters(typo) ^ letters(word)).count_ones() > 4 {
        return None;
    }
    let distance = strsim::osa_distance(typo, word);
    let shorter = typo.len().min(word.len());
    let allowed = match distance {
        1 => {
            // In a short word another letter makes another word.
            let replaced = typo.len() == word.len() && !is_swap(typo, word);
            shorter >= if replaced { 6 } else { 4 }
        }
        2 => shorter >= 8 && typo.as_bytes()[0] == word.as_bytes()[0],
        _ => false,
    };
    allowed.then_some(distance)
}

/// A bit for each letter that a word of `a` to `z` has.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |letters, byte| {
        letters | 1 << (byte.wrapping_sub(b'a') & 31)
    })
}

fn is_swap(a: &str, b: &str) -> bool {
    let different: Vec<usize> = (0..a.len())
        .filter(|at| a.as_bytes()[*at] != b.as_bytes()[*at])
        .collect();
    matches!(different[..], [first, second] if second == first + 1)
}
