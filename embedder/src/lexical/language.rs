//! Guessing a short text's language.

use contracts::Language;

use super::{Lexicon, analyzer::words, function_words::is_function_word};
use crate::index::PerLanguage;

/// The likelier language of a text: function words and spelling count most, then which language's
/// documents know its words. Spanish when nothing speaks for either.
pub fn guess(text: &str, lexicons: &PerLanguage<&Lexicon>) -> Language {
    let analyzers = PerLanguage::from_fn(super::Analyzer::new);
    let score = |language: Language| -> u32 {
        let grammar = words(text)
            .filter(|(folded, _)| is_function_word(folded, language))
            .count();
        let known = analyzers
            .get(language)
            .terms(text)
            .iter()
            .filter(|term| lexicons.get(language).contains(&term.stem))
            .count();
        2 * grammar as u32 + known as u32
    };
    let spelling = if text.chars().any(|c| "áéíóúñü¿¡ÁÉÍÓÚÑÜ".contains(c)) {
        3
    } else {
        0
    };
    if score(Language::En) > score(Language::Es) + spelling {
        Language::En
    } else {
        Language::Es
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar_and_spelling_tell_the_language() {
        let empty = Lexicon::default();
        let lexicons = PerLanguage {
            es: &empty,
            en: &empty,
        };
        assert_eq!(guess("a dog on the beach", &lexicons), Language::En);
        assert_eq!(guess("un perro en la playa", &lexicons), Language::Es);
        assert_eq!(guess("niña", &lexicons), Language::Es);
    }
}
