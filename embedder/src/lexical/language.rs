//! Function words, and guessing a short text's language by them.

use contracts::Language;

use super::{Lexicon, analyzer::words};
use crate::index::PerLanguage;

/// Articles, pronouns, prepositions, conjunctions and auxiliaries, folded. Not a stop list from
/// elsewhere: those drop words that matter in a description of a picture (`above`, `under`, `two`).
const SPANISH: &[&str] = &[
    "a", "al", "algo", "algun", "alguna", "algunas", "alguno", "algunos", "ante", "aquel",
    "aquella", "asi", "aun", "aunque", "bajo", "cada", "como", "con", "cual", "cuando", "cuyo",
    "de", "del", "desde", "donde", "e", "el", "ella", "ellas", "ellos", "en", "entre", "era", "es",
    "esa", "esas", "ese", "eso", "esos", "esta", "estan", "estar", "estas", "este", "esto",
    "estos", "ha", "hacia", "han", "hasta", "hay", "la", "las", "le", "les", "lo", "los", "mas",
    "me", "mi", "mientras", "mis", "muy", "ni", "no", "nos", "nuestra", "nuestro", "o", "para",
    "pero", "por", "porque", "que", "quien", "se", "ser", "si", "sin", "sobre", "son", "su", "sus",
    "tan", "te", "tiene", "tienen", "tras", "tu", "tus", "u", "un", "una", "unas", "uno", "unos",
    "y", "ya", "yo",
];
const ENGLISH: &[&str] = &[
    "a", "about", "am", "an", "and", "are", "as", "at", "be", "been", "being", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "i",
    "if", "in", "into", "is", "it", "its", "just", "me", "my", "of", "on", "onto", "or", "our",
    "she", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "those", "through", "to", "too", "us", "very", "was", "we", "were", "what",
    "when", "where", "which", "while", "who", "whose", "will", "with", "would", "you", "your",
];

/// Is this folded word grammar rather than content?
pub fn is_function_word(folded: &str, language: Language) -> bool {
    let list = match language {
        Language::Es => SPANISH,
        Language::En => ENGLISH,
    };
    list.binary_search(&folded).is_ok()
}

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
    fn word_lists_are_sorted_for_the_binary_search() {
        assert!(SPANISH.is_sorted() && ENGLISH.is_sorted());
    }

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
