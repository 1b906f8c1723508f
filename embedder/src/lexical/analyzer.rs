//! Words to index terms: folded, without stop words, stemmed.

use contracts::Language;
use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

use super::function_words::is_function_word;

/// Longest word that is indexed, in letters; a longer run of letters is no word.
const MAX_WORD_CHARS: usize = 40;

/// A term with the word that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What is indexed.
    pub stem: String,
    /// The word as it was written.
    pub surface: String,
}

/// Splits the texts of one language into terms. The same text always gives the same terms, for
/// documents and queries alike.
pub struct Analyzer {
    language: Language,
    stemmer: Stemmer,
}

impl Analyzer {
    /// For texts in this language.
    pub fn new(language: Language) -> Self {
        let algorithm = match language {
            Language::Es => Algorithm::Spanish,
            Language::En => Algorithm::English,
        };
        Self {
            language,
            stemmer: Stemmer::create(algorithm),
        }
    }

    /// The terms of a text, in order, repeated ones included.
    pub fn terms(&self, text: &str) -> Vec<Term> {
        words(text)
            .filter(|(folded, _)| !is_function_word(folded, self.language))
            .map(|(folded, surface)| Term {
                stem: self.stemmer.stem(&folded).into_owned(),
                surface,
            })
            .collect()
    }
}

/// The words of a text: folded, and as written. Hashtags in camel case are split, so that
/// `#RunningShoes` is found by `running` and by `shoes`.
pub fn words(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.unicode_words()
        .flat_map(split_camel_case)
        .map(|word| (fold(word), word.to_owned()))
        .filter(|(folded, _)| !folded.is_empty() && folded.chars().count() <= MAX_WORD_CHARS)
}

/// Lower case without diacritics, so that `café`, `Cafe` and `CAFÉ` are one word. People leave
/// accents out when they search; `ñ` becomes `n` for the same reason.
pub fn fold(word: &str) -> String {
    word.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// `RunningShoes` as `Running` and `Shoes`.
pub fn split_camel_case(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut previous_lower = false;
    for (place, letter) in word.char_indices() {
        if letter.is_uppercase() && previous_lower {
            parts.push(&word[start..place]);
            start = place;
        }
        previous_lower = letter.is_lowercase() || letter.is_numeric();
    }
    parts.push(&word[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(language: Language, text: &str) -> Vec<String> {
        Analyzer::new(language)
            .terms(text)
            .into_iter()
            .map(|term| term.stem)
            .collect()
    }

    #[test]
    fn accents_and_case_do_not_matter() {
        assert_eq!(
            stems(Language::Es, "CAFÉ con leche"),
            stems(Language::Es, "cafe leche")
        );
    }

    #[test]
    fn inflections_share_a_stem() {
        assert_eq!(stems(Language::Es, "playas"), stems(Language::Es, "playa"));
        assert_eq!(stems(Language::En, "running"), stems(Language::En, "runs"));
    }

    #[test]
    fn hashtags_fall_into_their_words() {
        assert_eq!(stems(Language::En, "#RunningShoes"), ["run", "shoe"]);
        assert_eq!(
            stems(Language::Es, "#DíaDeMuertos"),
            stems(Language::Es, "dia muertos")
        );
    }

    #[test]
    fn only_symbols_give_no_terms() {
        assert!(stems(Language::Es, "🎉🎉 ... !!").is_empty());
    }
}
