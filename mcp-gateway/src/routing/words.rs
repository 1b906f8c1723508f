//! The words of a question.

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A word of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Lower case, without accents.
    pub(crate) folded: String,
    /// Where it stands in the question, in bytes.
    pub(crate) span: std::ops::Range<usize>,
    /// A comma, colon, full stop or the like stands before it.
    pub(crate) after_mark: bool,
}

/// Lower case, without accents.
pub(crate) fn fold(text: &str) -> String {
    text.nfd()
        .filter(|letter| !is_combining_mark(*letter))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a text, in order. A word is a run of letters and digits.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let (mut begin, mut mark) = (None, false);
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        if letter.is_alphanumeric() || is_combining_mark(letter) {
            begin.get_or_insert(at);
            continue;
        }
        if let Some(begin) = begin.take() {
            found.push(Word {
                folded: fold(&text[begin..at]),
                span: begin..at,
                after_mark: std::mem::take(&mut mark),
            });
        }
        // An apostrophe parts "quarter's" in two words that belong together.
        mark |= !letter.is_whitespace() && !matches!(letter, '\'' | '’' | '-');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_folded_and_know_their_place() {
        let text = "¿Imágenes de campañas?";
        let found = words(text);
        let folded: Vec<_> = found.iter().map(|word| word.folded.as_str()).collect();
        assert_eq!(folded, ["imagenes", "de", "campanas"]);
        assert_eq!(&text[found[2].span.clone()], "campañas");
        assert!(found[0].after_mark && !found[1].after_mark);
        assert_eq!(words(" … ").len(), 0);
    }
}
