//! Every word that a question can be understood by: the model's, the members', the vocabulary's.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use contracts::Language;

use super::{
    text::{Kind, Token, fold, stem, tokens},
    vocabulary::{Role, phrases},
};
use crate::{
    Members, Model,
    model::{Dimension, Formula, Metric},
};

/// What a phrase can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sense {
    /// By place in the model.
    Metric(usize),
    /// A metric and the end of its order that comes first: "best-selling".
    Ranked(usize, bool),
    /// By place in the model.
    Dimension(usize),
    /// By place in [`Lexicon::members`].
    Member(usize),
    Role(Role),
}

/// A member by its dimension.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// By place in the model.
    pub dimension: usize,
    pub code: String,
    /// What people call it first; the code where nobody calls it anything.
    pub name: String,
}

/// How well a phrase fits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    pub senses: Vec<Sense>,
    /// Letter for letter, but for accents and capitals.
    pub exact: bool,
}

/// Phrases by their words.
pub(crate) struct Lexicon {
    pub model: Arc<Model>,
    pub members: Vec<Named>,
    exact: HashMap<String, Vec<Sense>>,
    stems: HashMap<String, Vec<Sense>>,
    /// Two-letter codes, which are words only in capitals.
    codes: HashMap<String, Sense>,
    /// The longest phrase that begins with a word or a stem.
    reach: HashMap<String, usize>,
    /// Beginnings of longer phrases, by words and by stems.
    beginnings: HashSet<String>,
    words: HashSet<String>,
    /// Words that say something: of phrases that are no fillers.
    solid: HashSet<String>,
    languages: HashMap<String, (u8, u8)>,
    /// Members of entities by a word of their names.
    by_word: HashMap<String, Vec<usize>>,
}

/// Superlatives that a metric's own synonym may hold: with whether they ask for the highest.
const SUPERLATIVES: [(&str, bool); 14] = [
    ("best", true),
    ("top", true),
    ("most", true),
    ("mas", true),
    ("mejor", true),
    ("mejores", true),
    ("highest", true),
    ("worst", false),
    ("least", false),
    ("menos", false),
    ("peor", false),
    ("peores", false),
    ("lowest", false),
    ("fewest", false),
];

/// Letters from which a filler is long enough to be told from other words by its typo.
const LONG_FILLER: usize = 8;

impl Lexicon {
    pub fn new(model: Arc<Model>, members: &Members) -> Self {
        let mut lexicon = Self {
            model: Arc::clone(&model),
            members: Vec::new(),
            exact: HashMap::new(),
            stems: HashMap::new(),
            codes: HashMap::new(),
            reach: HashMap::new(),
            beginnings: HashSet::new(),
            words: HashSet::new(),
            solid: HashSet::new(),
            languages: HashMap::new(),
            by_word: HashMap::new(),
        };
        for (place, metric) in model.metrics().iter().enumerate() {
            let labels = Language::ALL.map(|language| metric.label(language).to_owned());
            for synonym in metric
                .synonyms
                .iter()
                .chain(&labels)
                .filter(|synonym| !asks(synonym))
            {
                let superlative = tokens(synonym).iter().find_map(|token| {
                    SUPERLATIVES
                        .iter()
                        .find(|(word, _)| *word == token.text)
                        .map(|(_, high)| *high)
                });
                let sense =
                    superlative.map_or(Sense::Metric(place), |high| Sense::Ranked(place, high));
                lexicon.add(synonym, sense, true);
            }
        }
        for (place, dimension) in model.dimensions().iter().enumerate() {
            let labels = Language::ALL.map(|language| dimension.label(language).to_owned());
            for synonym in dimension.synonyms.iter().chain(&labels) {
                lexicon.add(synonym, Sense::Dimension(place), true);
            }
        }
        lexicon.add_members(&model, members);
        for phrase in phrases() {
            lexicon.insert(&phrase.words, Sense::Role(phrase.role), false);
            for word in &phrase.words {
                let (es, en) = lexicon.languages.entry(word.clone()).or_default();
                let votes = if phrase.language == Language::Es {
                    es
                } else {
                    en
                };
                *votes = 1;
            }
        }
        lexicon
    }

    fn add_members(&mut self, model: &Model, members: &Members) {
        for member in members.iter() {
            let found = model
                .dimensions()
                .iter()
                .position(|one| one.name == member.dimension);
            let Some(dimension) = found else { continue };
            let name = member.names.first().unwrap_or(&member.code).clone();
            let place = self.members.len();
            self.members.push(Named {
                dimension,
                code: member.code.clone(),
                name,
            });
            let sense = Sense::Member(place);
            for name in &member.names {
                self.add(name, sense, true);
            }
            // "Hashtag verano", as people say it.
            if let Some(word) = member.code.strip_prefix('#') {
                for said in model.dimensions()[dimension].synonyms.iter() {
                    self.add(&format!("{said} {word}"), sense, false);
                }
            }
            let short =
                member.code.len() == 2 && member.code.bytes().all(|b| b.is_ascii_uppercase());
            if short {
                self.codes.insert(fold(&member.code), sense);
            } else if self.senses_of(&member.code).is_empty() {
                // A code such as `sales` is a word for something else first.
                self.add(&member.code, sense, false);
            }
            if model.dimensions()[dimension].entity {
                let mut seen = HashSet::new();
                for token in member.names.iter().flat_map(|name| tokens(name)) {
                    if seen.insert(token.text.clone()) {
                        self.by_word.entry(token.text).or_default().push(place);
                    }
                }
            }
        }
    }

    fn add(&mut self, phrase: &str, sense: Sense, stems: bool) {
        let words: Vec<String> = plain(&tokens(phrase))
            .map(|token| token.text.clone())
            .collect();
        self.insert(&words, sense, stems);
    }

    fn insert(&mut self, words: &[String], sense: Sense, with_stems: bool) {
        if words.is_empty() || words.len() > 12 {
            return;
        }
        let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
        for first in [&words[0], &stems[0]] {
            let reach = self.reach.entry(first.clone()).or_default();
            *reach = (*reach).max(words.len());
        }
        for end in 1..words.len() {
            self.beginnings.insert(words[..end].join(" "));
            if with_stems {
                self.beginnings.insert(stems[..end].join(" "));
            }
        }
        push(self.exact.entry(words.join(" ")).or_default(), sense);
        if with_stems {
            push(self.stems.entry(stems.join(" ")).or_default(), sense);
        }
        let stems = if with_stems { &stems[..] } else { &[] };
        let all = words.iter().chain(stems).cloned();
        if sense != Sense::Role(Role::Filler) {
            self.solid.extend(all.clone());
        }
        self.words.extend(all);
    }

    fn senses_of(&self, phrase: &str) -> Vec<Sense> {
        let tokens = tokens(phrase);
        self.lookup(&plain(&tokens).collect::<Vec<_>>()).senses
    }

    /// The one metric that a phrase names.
    pub fn metric_called(&self, phrase: &str) -> Option<usize> {
        self.senses_of(phrase)
            .into_iter()
            .find_map(|sense| match sense {
                Sense::Metric(metric) | Sense::Ranked(metric, _) => Some(metric),
                _ => None,
            })
    }

    /// The one dimension that a phrase names.
    pub fn dimension_called(&self, phrase: &str) -> Option<usize> {
        self.senses_of(phrase)
            .into_iter()
            .find_map(|sense| match sense {
                Sense::Dimension(dimension) => Some(dimension),
                _ => None,
            })
    }

    /// How many tokens the longest phrase that begins with this one has.
    pub fn reach(&self, first: &Token) -> usize {
        let of = |word: &str| self.reach.get(word).copied().unwrap_or(0);
        let code = usize::from(self.codes.contains_key(&first.text));
        of(&first.text).max(of(&first.stem)).max(code)
    }

    /// Whether a phrase stands in the lexicon letter for letter.
    pub fn has_exactly(&self, phrase: &str) -> bool {
        self.exact.contains_key(phrase)
    }

    /// Whether some longer phrase begins with a run of tokens.
    pub fn goes_on(&self, run: &[Token]) -> bool {
        let join = |part: fn(&Token) -> &str| run.iter().map(part).collect::<Vec<_>>().join(" ");
        self.beginnings.contains(&join(|token| &token.text))
            || self.beginnings.contains(&join(|token| &token.stem))
    }

    /// What a run of tokens means as a whole.
    pub fn lookup(&self, run: &[&Token]) -> Match {
        let join = |part: fn(&Token) -> &str| {
            run.iter()
                .map(|token| part(token))
                .collect::<Vec<_>>()
                .join(" ")
        };
        if let [only] = run
            && only.capitals
            && let Some(code) = self.codes.get(&only.text)
        {
            return Match {
                senses: vec![*code],
                exact: true,
            };
        }
        if let Some(senses) = self.exact.get(&join(|token| &token.text)) {
            let mut senses = senses.clone();
            // "Venta" is an objective, and one of the sales too.
            if run.len() == 1 && senses.iter().all(|sense| matches!(sense, Sense::Member(_))) {
                let stems = self.stems.get(&run[0].stem).into_iter().flatten();
                senses.extend(stems.filter(|sense| matches!(sense, Sense::Metric(_))));
            }
            return Match {
                senses,
                exact: true,
            };
        }
        let stems = self.stems.get(&join(|token| &token.stem));
        Match {
            senses: stems.cloned().unwrap_or_default(),
            exact: false,
        }
    }

    /// What a word means in any of its forms.
    pub fn forms(&self, word: &Token) -> Vec<Sense> {
        let mut senses = self.lookup(&[word]).senses;
        for sense in self.stems.get(&word.stem).into_iter().flatten() {
            push(&mut senses, *sense);
        }
        senses
    }

    /// Whether a word stands in any phrase.
    pub fn knows(&self, token: &Token) -> bool {
        self.words.contains(&token.text)
            || self.words.contains(&token.stem)
            || (token.capitals && self.codes.contains_key(&token.text))
    }

    /// All words that a typo may have been meant for. A short word that would then be passed over is none:
    /// what it really was would be lost.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let passed_over = |word: &&str| word.len() >= LONG_FILLER || self.solid.contains(*word);
        self.words.iter().map(String::as_str).filter(passed_over)
    }

    /// The language of most words; of the labels of what was asked where none tells.
    pub fn language(&self, question: &str, tokens: &[Token]) -> Language {
        let mut es = u32::from(question.contains(['¿', '¡', 'ñ', 'á', 'é', 'í', 'ó', 'ú'])) * 2;
        let mut en = 0;
        for token in tokens.iter().filter(|token| token.kind == Kind::Word) {
            match self.languages.get(&token.text) {
                Some((1, 0)) => es += 2,
                Some((0, 1)) => en += 2,
                _ => {
                    let ending = [
                        "cion", "ciones", "dad", "mente", "aron", "amos", "anas", "ana", "os",
                        "as", "ales",
                    ];
                    es += u32::from(ending.iter().any(|end| token.text.ends_with(end)));
                    en += u32::from(
                        ["ing", "tion", "tions", "ue", "th"]
                            .iter()
                            .any(|end| token.text.ends_with(end)),
                    );
                }
            }
        }
        if es > en { Language::Es } else { Language::En }
    }

    /// Members of entities whose names share most words with these; best first, at most `limit`.
    pub fn near(&self, dimension: usize, words: &[&str], limit: usize) -> Vec<usize> {
        let mut score: HashMap<usize, f64> = HashMap::new();
        for word in words.iter().take(8) {
            for (known, members) in self
                .by_word
                .iter()
                .filter(|(known, _)| *known == word || alike(known, word))
            {
                let weight =
                    if known == word { 1.0 } else { 0.8 } / (1.0 + members.len() as f64).ln();
                for member in members
                    .iter()
                    .filter(|member| self.members[**member].dimension == dimension)
                {
                    *score.entry(*member).or_default() += weight;
                }
            }
        }
        let mut best: Vec<(usize, f64)> = score.into_iter().collect();
        best.sort_by(|a, b| {
            b.1.total_cmp(&a.1)
                .then_with(|| self.members[a.0].code.cmp(&self.members[b.0].code))
        });
        best.into_iter()
            .take(limit)
            .map(|(member, _)| member)
            .collect()
    }
}

/// "How many campaigns" is a question about campaigns, and no name of theirs.
fn asks(synonym: &str) -> bool {
    let folded = fold(synonym);
    ["how many ", "cuantos ", "cuantas "]
        .iter()
        .any(|head| folded.starts_with(head))
}

fn alike(known: &str, word: &str) -> bool {
    known.len() > 4 && word.len() > 4 && strsim::jaro_winkler(known, word) > 0.9
}

/// Whether a metric counts the very rows that a dimension describes, as interactions by their type.
pub(crate) fn counts(metric: &Metric, dimension: &Dimension) -> bool {
    match &metric.formula {
        Formula::Base { sources, .. } => sources
            .first()
            .is_some_and(|source| source.dataset == dimension.column.dataset),
        _ => false,
    }
}

/// Tokens without marks: what phrases are made of.
pub(crate) fn plain(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    tokens.iter().filter(|token| token.kind != Kind::Mark)
}

fn push(senses: &mut Vec<Sense>, sense: Sense) {
    if !senses.contains(&sense) {
        senses.push(sense);
    }
}
