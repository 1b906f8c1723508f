//! A question as tokens: folded words, numbers and the marks that matter, each with its place.

use std::ops::Range;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A word, a number or a mark.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    /// Lower case, without accents. A number as it was written.
    pub text: String,
    /// `text` without plural and gender, the same for both languages where they share a root.
    pub stem: String,
    /// Bytes of the question.
    pub span: Range<usize>,
    pub kind: Kind,
    /// Nothing but a hyphen, an apostrophe or nothing at all stands between it and the token before.
    pub joined: bool,
    /// Written in capitals only.
    pub capitals: bool,
    /// Begins with a capital.
    pub capital: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    Mark,
}

impl Token {
    pub fn is(&self, words: &[&str]) -> bool {
        words.contains(&self.text.as_str())
    }
}

/// Lower case without accents: `Campaña` and `CAMPANA` are one word.
pub(crate) fn fold(text: &str) -> String {
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Without plural and gender. Lossy on purpose: it is only ever compared with another stem.
pub(crate) fn stem(word: &str) -> String {
    if word.len() <= 3 || !word.is_ascii() || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let mut stem = word;
    let before_s = stem.as_bytes()[stem.len() - 2];
    if stem.ends_with('s') && !matches!(before_s, b's' | b'i' | b'u') {
        stem = &stem[..stem.len() - 1];
    }
    if stem.len() > 3 && stem.ends_with(['a', 'e', 'o']) {
        stem = &stem[..stem.len() - 1];
    }
    match stem.strip_suffix('y') {
        Some(root) if root.len() > 2 => format!("{root}i"),
        _ => stem.to_owned(),
    }
}

/// Marks that say something; others only part words.
const MARKS: [char; 19] = [
    ',', ';', '?', '!', ':', '%', '$', '€', '£', '<', '>', '=', '/', '&', '(', ')', '≥', '≤', '.',
];

/// Tokens in order. Linear in the length of `text`.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut joined = false;
    while let Some((start, c)) = chars.next() {
        // The sign of a hashtag belongs to its word: `#sale` is no sale.
        if c.is_alphabetic() || c == '#' && follows_letter(text, start + 1) {
            let mut end = start + c.len_utf8();
            while let Some(&(at, next)) = chars.peek() {
                let letter = next.is_alphanumeric() || is_combining_mark(next);
                if !letter && !is_apostrophe(next)
                    || is_apostrophe(next) && !follows_letter(text, at + next.len_utf8())
                {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
            tokens.push(word(text, start..end, joined));
            joined = true;
        } else if c.is_numeric() {
            let mut end = start + c.len_utf8();
            while let Some(&(at, next)) = chars.peek() {
                let within = next.is_ascii_digit()
                    || (matches!(next, '.' | ',') && follows_digit(text, at + 1));
                if !within {
                    break;
                }
                end = at + next.len_utf8();
                chars.next();
            }
            tokens.push(plain(text, start..end, Kind::Number, joined));
            joined = true;
        } else if MARKS.contains(&c) {
            let end = start + c.len_utf8();
            // A full stop inside an abbreviation ("EE. UU.", "p. ej.") ends no sentence.
            let short = tokens
                .last()
                .is_some_and(|t| t.kind == Kind::Word && t.text.len() <= 2);
            if c != '.' || !short {
                tokens.push(plain(text, start..end, Kind::Mark, joined));
            }
            joined = true;
        } else {
            joined = joined && (is_hyphen(c) || is_apostrophe(c));
        }
    }
    tokens
}

fn word(text: &str, span: Range<usize>, joined: bool) -> Token {
    let raw = &text[span.clone()];
    let mut folded: String = fold(raw);
    for possessive in ["'s", "\u{2019}s"] {
        if let Some(owner) = folded.strip_suffix(possessive) {
            folded = owner.to_owned();
        }
    }
    folded.retain(|c| !is_apostrophe(c));
    let mut letters = raw.chars().filter(|c| c.is_alphabetic());
    Token {
        stem: stem(&folded),
        text: folded,
        span: span.clone(),
        kind: Kind::Word,
        joined,
        capitals: letters.clone().count() > 1 && letters.all(char::is_uppercase),
        capital: raw.starts_with(char::is_uppercase),
    }
}

fn plain(text: &str, span: Range<usize>, kind: Kind, joined: bool) -> Token {
    let raw = &text[span.clone()];
    Token {
        text: raw.to_owned(),
        stem: raw.to_owned(),
        span,
        kind,
        joined,
        capitals: false,
        capital: false,
    }
}

fn follows_letter(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(char::is_alphabetic)
}

fn follows_digit(text: &str, at: usize) -> bool {
    text.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{b4}')
}

/// Hyphens, minus and dashes.
pub(crate) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn words_are_folded_and_numbers_kept_whole() {
        assert_eq!(
            texts("¿CAMPAÑAS con más de 1.000,5 clics?"),
            ["campanas", "con", "mas", "de", "1.000,5", "clics", "?"]
        );
        assert_eq!(
            texts("EE. UU. in Q3, 2025."),
            ["ee", "uu", "in", "q3", ",", "2025", "."]
        );
        assert_eq!(
            texts("today's click-through didn't"),
            ["today", "click", "through", "didnt"]
        );
    }

    #[test]
    fn the_sign_of_a_hashtag_belongs_to_its_word() {
        assert_eq!(
            texts("#BlackFriday, #CaféLatte y # de clics #1"),
            ["#blackfriday", ",", "#cafelatte", "y", "de", "clics", "1"]
        );
    }

    #[test]
    fn plural_and_gender_share_a_stem() {
        for (one, other) in [
            ("campana", "campanas"),
            ("campaign", "campaigns"),
            ("canal", "canales"),
            ("activa", "activos"),
            ("country", "countries"),
            ("producto", "products"),
            ("mes", "meses"),
            ("pais", "paises"),
            ("coste", "costos"),
            ("sale", "sales"),
        ] {
            assert_eq!(stem(one), stem(other), "{one}, {other}");
        }
        assert_ne!(stem("mayor"), stem("mayo"));
    }
}
