//! The words and phrases that routes show in: `signs.toml`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use serde::Deserialize;

/// The list, as TOML.
pub const SOURCE: &str = include_str!("signs.toml");

/// Longest phrase, in words.
const LONGEST_PHRASE: usize = 4;

/// Words before a wish that only make it polite.
const POLITE: [&str; 36] = [
    "please", "pls", "hey", "hi", "hello", "ok", "can", "could", "would", "will", "you", "i",
    "want", "need", "to", "like", "d", "just", "and", "now", "por", "favor", "porfa", "hola",
    "oye", "puedes", "podrias", "podria", "quiero", "necesito", "que", "me", "y", "buenas",
    "quisiera", "es",
];

/// Shortest word whose misspelling is put right: shorter ones have too many neighbours.
const SHORTEST_MISSPELT: usize = 6;

/// All signs, ready to be looked for.
pub(crate) struct SignList {
    phrases: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// All words of all phrases.
    vocabulary: BTreeSet<String>,
}

/// How a sign shows in a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sign {
    /// How often.
    pub(crate) count: usize,
    /// The question begins with it, politeness aside.
    pub(crate) leads: bool,
}

/// Every sign, and how it shows in a question.
#[derive(Clone, Debug)]
pub(crate) struct Signs(BTreeMap<&'static str, Sign>);

impl Signs {
    /// 1 if the question shows it.
    pub(crate) fn says(&self, name: &str) -> f64 {
        f64::from(u8::from(
            self.0.get(name).is_some_and(|sign| sign.count > 0),
        ))
    }

    /// In the order of names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Sign)> + '_ {
        self.0.iter().map(|(name, sign)| (*name, *sign))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrases {
    es: String,
    en: String,
}

/// The signs that come with the gateway.
pub(crate) fn builtin() -> &'static SignList {
    static LIST: OnceLock<SignList> = OnceLock::new();
    LIST.get_or_init(|| SignList::parse(SOURCE).expect("a test reads the file that is built in"))
}

impl SignList {
    fn parse(source: &str) -> Result<Self, toml::de::Error> {
        let read: BTreeMap<String, Phrases> = toml::from_str(source)?;
        let phrases = |list: &str| -> Vec<Vec<String>> {
            list.split(',')
                .map(|phrase| phrase.split_whitespace().map(str::to_owned).collect())
                .filter(|phrase: &Vec<String>| !phrase.is_empty())
                .collect()
        };
        let signs = read.into_iter().map(|(name, both)| {
            let all = phrases(&both.es).into_iter().chain(phrases(&both.en));
            (name, all.collect())
        });
        let phrases: BTreeMap<String, BTreeSet<Vec<String>>> = signs.collect();
        let all = phrases.values().flatten().flatten();
        Ok(Self {
            vocabulary: all.cloned().collect(),
            phrases,
        })
    }

    /// A word as it was meant, where one letter is missing, wrong, too many or swapped with the next.
    fn spelt<'a>(&'a self, word: &'a str) -> &'a str {
        if word.len() < SHORTEST_MISSPELT || self.vocabulary.contains(word) {
            return word;
        }
        let mut near = self.vocabulary.iter().filter(|known| {
            known.len() >= SHORTEST_MISSPELT
                && known.len().abs_diff(word.len()) <= 1
                && strsim::osa_distance(known, word) == 1
        });
        near.next().map_or(word, String::as_str)
    }

    /// Does a word by itself show the sign?
    pub(crate) fn is(&self, name: &str, folded: &str) -> bool {
        self.phrases
            .get(name)
            .is_some_and(|phrases| phrases.contains([folded.to_owned()].as_slice()))
    }

    /// How each sign shows in a question's folded words.
    pub(crate) fn of(&'static self, folded: &[String]) -> Signs {
        let folded: Vec<String> = folded.iter().map(|w| self.spelt(w).to_owned()).collect();
        let polite = folded
            .iter()
            .take_while(|word| POLITE.contains(&word.as_str()))
            .count();
        let lead = polite.min(folded.len().saturating_sub(1));
        let signs = self.phrases.iter().map(|(name, phrases)| {
            let mut sign = Sign::default();
            for at in 0..folded.len() {
                let longest = LONGEST_PHRASE.min(folded.len() - at);
                if (1..=longest).any(|length| phrases.contains(&folded[at..at + length])) {
                    sign.leads |= sign.count == 0 && at <= lead;
                    sign.count += 1;
                }
            }
            (name.as_str(), sign)
        });
        Signs(signs.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PHRASE, SOURCE, SignList, builtin};
    use crate::routing::words::{fold, words};

    #[test]
    fn the_list_is_written_as_words_are_compared() {
        let list = SignList::parse(SOURCE).unwrap();
        assert!(list.phrases.len() > 15);
        for (name, phrases) in &list.phrases {
            for phrase in phrases {
                assert!(phrase.len() <= LONGEST_PHRASE, "{name}: {phrase:?}");
                for word in phrase {
                    assert_eq!(fold(word), *word, "{name}");
                    assert_eq!(words(word).len(), 1, "{name}: '{word}'");
                }
            }
        }
    }

    #[test]
    fn signs_are_found_wherever_they_stand() {
        let of = |text: &str| {
            let folded: Vec<_> = words(text).into_iter().map(|word| word.folded).collect();
            builtin().of(&folded)
        };
        let signs = of("Por favor, muéstrame fotos y más FOTOS: ¿cuántas veces?");
        let sign = |name: &str| signs.iter().find(|(one, _)| *one == name).unwrap().1;
        assert_eq!(sign("image").count, 2);
        assert!(!sign("image").leads && sign("see").leads);
        assert_eq!(signs.says("quantity"), 1.0);
        assert_eq!(signs.says("attack"), 0.0);
        assert_eq!(of("").says("image"), 0.0);
        // A slip of the finger hides no word; another word is not taken for one.
        assert_eq!(of("pitcures of tea").says("image"), 1.0);
        assert_eq!(of("fixtures of tea").says("image"), 0.0);
    }
}
