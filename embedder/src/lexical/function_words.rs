//! Words that are grammar rather than content.

use contracts::Language;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_lists_are_sorted_for_the_binary_search() {
        assert!(SPANISH.is_sorted() && ENGLISH.is_sorted());
    }
}
