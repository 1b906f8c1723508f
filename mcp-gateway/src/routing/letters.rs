//! The runs of letters in a question, as a vector of fixed length: what a word list lacks, words
//! that are misspelt and the order of words included.

use std::collections::BTreeMap;

use super::words::words;

/// Length of the vector. Runs that share a place are told apart by the others of their question.
pub const PLACES: usize = 4_096;
/// Letters in a run, the word's ends among them.
const RUNS: [usize; 2] = [3, 4];

/// Places and values of a text's vector, in the order of places; its length is 1, or 0 without words.
pub type Letters = Vec<(usize, f32)>;

/// The runs of three and four letters of each word, and each two words that stand side by side,
/// hashed to places (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009).
pub fn letters(text: &str) -> Letters {
    let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    let mut counts = BTreeMap::<usize, f32>::new();
    let mut count = |run: &str| *counts.entry(place(run)).or_default() += 1.0;
    for word in &words {
        let bounded: Vec<char> = format!(" {word} ").chars().collect();
        for length in RUNS {
            let runs = bounded.windows(length.min(bounded.len()));
            runs.for_each(|run| count(&run.iter().collect::<String>()));
        }
    }
    let ends = |word| std::iter::once(word);
    let all = ends("<").chain(words.iter().map(String::as_str));
    let all: Vec<&str> = all.chain(ends(">")).collect();
    if !words.is_empty() {
        all.windows(2).for_each(|two| count(&two.join(" ")));
    }
    let damped = counts.into_iter().map(|(at, count)| (at, count.ln_1p()));
    let damped: Letters = damped.collect();
    let length = damped.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
    damped.into_iter().map(|(at, x)| (at, x / length)).collect()
}

/// FNV-1a, its upper half folded in: the same on every machine, which the standard library's
/// hash does not promise.
fn place(run: &str) -> usize {
    let hash = run.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    ((hash >> 16) ^ hash) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::{PLACES, letters, place};

    fn alike(one: &str, other: &str) -> f32 {
        let (one, other) = (letters(one), letters(other));
        let same = |at| other.iter().find(|(place, _)| *place == at);
        let products = one
            .iter()
            .filter_map(|(at, x)| same(*at).map(|(_, y)| x * y));
        products.sum()
    }

    #[test]
    fn a_text_is_as_long_as_another_and_likest_itself() {
        for text in [
            "x",
            "¿Cuánto vendimos ayer?",
            "photos of dogs, photos of cats",
        ] {
            assert!((alike(text, text) - 1.0).abs() < 1e-5, "{text}");
            assert!(letters(text).iter().all(|(at, _)| *at < PLACES));
        }
        assert_eq!(letters(" … "), []);
        // The published value of FNV-1a for "foobar" is 0xbf9cf968.
        assert_eq!(place("foobar"), (0xbf9c ^ 0xf968) % PLACES);
    }

    #[test]
    fn a_slip_changes_little_and_the_order_something() {
        let typed = alike("paisage de otoño", "paisaje de otono");
        assert!(typed > 0.5 && typed < 1.0, "{typed}");
        assert!(alike("paisage", "paisaje") > alike("paisage", "mensaje"));
        assert!(alike("dog bites man", "man bites dog") < 0.999);
    }
}
