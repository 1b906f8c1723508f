//! Which of an item's senses is meant, by the items around it.

use super::{Part, What};
use crate::{
    query::Grain,
    reading::{
        lexicon::{Lexicon, Sense, counts},
        linking::Item,
        text::Token,
        vocabulary::Role,
    },
};

pub(super) struct Settle<'a> {
    pub(super) lexicon: &'a Lexicon,
    pub(super) tokens: &'a [Token],
    pub(super) items: &'a [Item],
    pub(super) place: usize,
}

/// Comparisons of numbers that are plain prepositions where no number follows.
const PREPOSITIONS: &[&str] = &[
    "over",
    "under",
    "desde",
    "hasta",
    "sobre",
    "past",
    "up to",
    "between",
    "entre",
    "a partir de",
];

impl Settle<'_> {
    fn item(&self) -> &Item {
        &self.items[self.place]
    }

    fn text(&self) -> String {
        let words: Vec<&str> = self.tokens[self.item().tokens.clone()]
            .iter()
            .map(|token| &*token.text)
            .collect();
        words.join(" ")
    }

    /// The next item that is no filler; nobody puts nine of them between two words that belong together.
    fn next(&self) -> Option<&Item> {
        let ahead = self.items[self.place + 1..].iter().take(9);
        ahead.into_iter().find(|item| !item.has(Role::Filler))
    }

    /// "Which has", "cuál de las campañas tiene": its verb, here or after the noun, is a singular.
    pub(super) fn asks_for_one(&self) -> bool {
        let item = self.item();
        if !item.has(Role::Which) {
            return false;
        }
        // "Had" may be of several.
        const ONE: &[&str] = &["has", "is", "was", "tiene", "tuvo", "es", "fue"];
        const SEVERAL: &[&str] = &["have", "are", "were", "tienen", "tuvieron", "son", "fueron"];
        let rest = &self.tokens[item.tokens.end..];
        let own = &self.tokens[item.tokens.clone()];
        let of = own
            .iter()
            .chain(rest.first())
            .any(|token| token.is(&["of", "one", "cual"]));
        let verb = rest
            .iter()
            .take(8)
            .find(|token| token.is(ONE) || token.is(SEVERAL));
        own[0].is(&["which", "cual"])
            && verb.is_some_and(|verb| verb.is(ONE))
            && (of || rest.first().is_some_and(|next| next.is(ONE)))
    }

    /// Whether a word before it parts what follows.
    fn parts_from(&self) -> bool {
        const WORDS: &[&str] = &[
            "split",
            "divided",
            "distribution",
            "difference",
            "reparto",
            "distribucion",
            "diferencia",
            "dividido",
        ];
        self.tokens[..self.item().tokens.start]
            .iter()
            .any(|token| token.is(WORDS))
    }

    /// "Revenue is up", "break revenue down".
    fn direction(&self) -> Option<Option<What>> {
        const PARTING: &[&str] = &[
            "break", "breaks", "breaking", "broken", "split", "slice", "drill", "narrow", "cut",
        ];
        let at = self.item().tokens.start;
        let said = |words: &[&str]| self.tokens[..at].iter().any(|token| token.is(words));
        match &*self.text() {
            "down" if said(PARTING) => Some(None),
            "up" if self.tokens[0].is(&["is", "are", "was", "were"]) => {
                Some(Some(What::Role(Role::Change)))
            }
            _ => None,
        }
    }

    /// `None` for what says nothing.
    pub(super) fn what(&self, before: Option<&Part>) -> Option<What> {
        let item = self.item();
        let members: Vec<usize> = item
            .senses
            .iter()
            .filter_map(|sense| match sense {
                Sense::Member(member) => Some(*member),
                _ => None,
            })
            .collect();
        if let Some(meaning) = item.time {
            return Some(if members.is_empty() {
                What::Time(meaning)
            } else {
                What::TimeOr(meaning, members)
            });
        }
        if let Some(quantity) = item.quantity {
            let pronoun =
                quantity.value == 1.0 && self.tokens[item.tokens.start].is(&["one", "uno"]);
            let none = quantity.value == 0.0
                && !quantity.percent
                && !before.and_then(Part::role).is_some_and(Role::is_comparison);
            let counted = self.next().is_some_and(|item| {
                item.senses
                    .iter()
                    .any(|sense| matches!(sense, Sense::Metric(_)))
            });
            if none && counted {
                return Some(What::Role(Role::Not));
            }
            return (!pronoun).then_some(What::Number(quantity));
        }
        if self.tokens[item.tokens.start].is(&["?", "!", ";", "."]) {
            return Some(What::Break);
        }
        if let Some(unit) = unit(&self.text()) {
            return Some(What::Unit(unit));
        }
        if item.is_unknown() {
            return Some(What::Unknown);
        }
        if let Some(what) = self.role(before) {
            return what;
        }
        let named = before.and_then(Part::dimension).is_some_and(|dimension| {
            members
                .iter()
                .any(|member| self.lexicon.members[*member].dimension == dimension)
        });
        if !named && let Some(what) = self.metric() {
            return Some(what);
        }
        let dimension = item.senses.iter().find_map(|sense| match sense {
            Sense::Dimension(dimension) => Some(*dimension),
            _ => None,
        });
        if let Some(dimension) = dimension {
            return Some(What::Dimension(dimension));
        }
        // In "the campaigns we launch" it's a verb.
        let verb = item.tokens.len() == 1
            && item
                .tokens
                .start
                .checked_sub(1)
                .is_some_and(|at| self.tokens[at].is(&["we", "they", "you", "i"]));
        if verb {
            return None;
        }
        if self.tokens[item.tokens.start].is(&["de", "from"]) && !self.belongs(&members, before) {
            // "From campaigns" is a source of leads, and nothing of spend.
            let words: Vec<&Token> = self.tokens[item.tokens.start + 1..item.tokens.end]
                .iter()
                .collect();
            let rest = self.lexicon.lookup(&words);
            let items = [Item {
                tokens: item.tokens.start + 1..item.tokens.end,
                senses: rest.senses,
                exact: rest.exact,
                ..item.clone()
            }];
            return Settle {
                lexicon: self.lexicon,
                tokens: self.tokens,
                items: &items,
                place: 0,
            }
            .what(before);
        }
        Some(What::Members(members))
    }

    /// Whether a member's dimension is of the facts that the metric before counts.
    fn belongs(&self, members: &[usize], before: Option<&Part>) -> bool {
        let follows = self.next().is_none_or(|item| {
            !item
                .senses
                .iter()
                .any(|sense| matches!(sense, Sense::Member(_)))
        });
        let Some(metric) = before.and_then(Part::metric) else {
            return false;
        };
        follows
            && members.iter().any(|member| {
                let dimension =
                    &self.lexicon.model.dimensions()[self.lexicon.members[*member].dimension];
                counts(&self.lexicon.model.metrics()[metric], dimension)
            })
    }

    pub(super) fn plain(&self, sense: Sense) -> What {
        match sense {
            Sense::Metric(metric) => What::Metric(metric),
            Sense::Ranked(metric, high) => What::Ranked(metric, high),
            Sense::Dimension(dimension) => What::Dimension(dimension),
            Sense::Member(member) => What::Members(vec![member]),
            Sense::Role(role) => What::Role(role),
        }
    }

    /// `Some(None)` for a filler.
    fn role(&self, before: Option<&Part>) -> Option<Option<What>> {
        let item = self.item();
        let roles: Vec<Role> = item
            .senses
            .iter()
            .filter_map(|sense| match sense {
                Sense::Role(role)
                    if *role != Role::Command
                        && !(*role == Role::Person && item.senses.len() > 1) =>
                {
                    Some(*role)
                }
                _ => None,
            })
            .collect();
        if roles.is_empty() {
            // What would be a command at the beginning is a word like any other here.
            let other = item
                .senses
                .iter()
                .any(|sense| !matches!(sense, Sense::Role(_)));
            return (!other).then_some(Some(What::Unknown));
        }
        if let Some(what) = self.direction() {
            return Some(what);
        }
        // "Images with 100 clicks or more": counted, not shown.
        if roles.contains(&Role::Picture)
            && self.items.iter().any(|item| {
                item.senses
                    .iter()
                    .any(|sense| matches!(sense, Sense::Metric(_)))
            })
        {
            let noun = self.lexicon.forms(&self.tokens[item.tokens.start]);
            let image = noun
                .into_iter()
                .find(|sense| matches!(sense, Sense::Dimension(_)));
            if let Some(image) = image {
                return Some(Some(self.plain(image)));
            }
        }
        let number_next = self.next().is_some_and(|item| item.quantity.is_some());
        if number_next && let Some(comparison) = roles.iter().find(|role| role.is_comparison()) {
            return Some(Some(What::Role(*comparison)));
        }
        if roles.contains(&Role::Average)
            && item
                .senses
                .iter()
                .any(|sense| matches!(sense, Sense::Dimension(_)))
        {
            let grouped = before.is_some_and(|part| {
                part.is(Role::By)
                    || part.is(Role::Which)
                    || part.is(Role::All)
                    || part.role().is_some_and(Role::is_rank)
            });
            return (!grouped).then_some(Some(What::Role(Role::Average)));
        }
        if roles.contains(&Role::Advice) && self.text() == "por que" && self.groups_next() {
            return Some(Some(What::Role(Role::By)));
        }
        let member_next = self.next().is_some_and(|item| {
            item.senses
                .iter()
                .any(|sense| matches!(sense, Sense::Member(_)))
        });
        if member_next
            && self.text() == "que"
            && before.is_some_and(|part| matches!(part.what, What::Members(_)))
        {
            return Some(Some(What::Role(Role::Versus)));
        }
        let time_next = self.next().is_some_and(|item| item.time.is_some());
        if time_next
            && self.text() == "que"
            && before.is_some_and(|part| matches!(part.what, What::Time(_)))
        {
            return Some(Some(What::Role(Role::Versus)));
        }
        if member_next && self.text() == "menos" && before.is_some_and(|part| part.is(Role::All)) {
            return Some(Some(What::Role(Role::Except)));
        }
        let rest: Vec<Role> = roles
            .iter()
            .copied()
            .filter(|role| !role.is_comparison())
            .collect();
        if rest.is_empty() {
            let text = self.text();
            return Some(match text {
                // "The split of orders between consumers and companies."
                text if member_next
                    && matches!(&*text, "between" | "entre")
                    && self.parts_from() =>
                {
                    Some(What::Role(Role::Between))
                }
                text if PREPOSITIONS.contains(&&*text) => None,
                text if (member_next || time_next)
                    && (text.ends_with(" than") || text.ends_with(" que")) =>
                {
                    Some(What::Role(Role::Versus))
                }
                _ => Some(What::Unknown),
            });
        }
        let chosen = rest.iter().find(|role| **role != Role::Filler);
        Some(chosen.map(|role| What::Role(*role)))
    }

    fn groups_next(&self) -> bool {
        self.next().is_some_and(|item| {
            item.senses
                .iter()
                .any(|sense| matches!(sense, Sense::Dimension(_)))
        })
    }

    fn metric(&self) -> Option<What> {
        let item = self.item();
        let metric = item.senses.iter().find_map(|sense| match sense {
            Sense::Metric(metric) => Some((*metric, None)),
            Sense::Ranked(metric, high) => Some((*metric, Some(*high))),
            _ => None,
        });
        let (metric, high) = metric?;
        if let Some(high) = high {
            return Some(What::Ranked(metric, high));
        }
        let whole = item.senses.iter().find_map(|sense| match sense {
            Sense::Dimension(dimension) => Some(*dimension),
            _ => None,
        });
        if let Some(dimension) = whole {
            return Some(What::Either {
                metric,
                dimension,
                members: Vec::new(),
            });
        }
        let run: Vec<&Token> = self.tokens[item.tokens.clone()].iter().collect();
        if run.len() > 1
            && let Some((dimension, member)) = self.decompose(&run)
        {
            return Some(What::Either {
                metric,
                dimension,
                members: vec![member],
            });
        }
        if run.len() == 1 && !item.exact {
            let rates = self.rates_of(&run[0].text);
            if !rates.is_empty() {
                let mut all = vec![metric];
                all.extend(rates.into_iter().filter(|rate| *rate != metric));
                return Some(What::Unclear(all));
            }
        }
        Some(What::Metric(metric))
    }

    /// "Active campaigns" as campaigns that are active.
    fn decompose(&self, run: &[&Token]) -> Option<(usize, usize)> {
        [0, run.len() - 1].into_iter().find_map(|noun| {
            let senses = self.lexicon.forms(run[noun]);
            let counted = senses.iter().any(|sense| matches!(sense, Sense::Metric(_)));
            let dimension = senses.into_iter().find_map(|sense| match sense {
                Sense::Dimension(dimension) if counted => Some(dimension),
                _ => None,
            })?;
            let rest = if noun == 0 { &run[1..] } else { &run[..noun] };
            let member =
                self.lexicon
                    .lookup(rest)
                    .senses
                    .into_iter()
                    .find_map(|sense| match sense {
                        Sense::Member(member) => Some(member),
                        _ => None,
                    })?;
            Some((dimension, member))
        })
    }

    /// Metrics called "<word> rate": the word alone may stand for them.
    fn rates_of(&self, word: &str) -> Vec<usize> {
        let names = [format!("{word} rate"), format!("tasa de {word}")];
        let mut rates: Vec<usize> = names
            .iter()
            .filter_map(|name| self.lexicon.metric_called(name))
            .collect();
        rates.dedup();
        rates
    }
}

fn unit(text: &str) -> Option<Grain> {
    Some(match text {
        "day" | "days" | "dia" | "dias" => Grain::Day,
        "week" | "weeks" | "semana" | "semanas" => Grain::Week,
        "month" | "months" | "mes" | "meses" => Grain::Month,
        "quarter" | "quarters" | "trimestre" | "trimestres" => Grain::Quarter,
        "year" | "years" | "ano" | "anos" => Grain::Year,
        _ => return None,
    })
}
