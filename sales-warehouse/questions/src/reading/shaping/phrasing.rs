//! Metrics that several parts name together: "what a lead costs", "the percentage of leads that convert".

use super::{Ask, Shaper};
use crate::{
    model::{Formula, Unit},
    query::{Op, Value},
    reading::{
        parts::{Part, What},
        vocabulary::Role,
    },
};

/// Verbs by the participle that names of metrics have.
const PARTICIPLES: [(&str, &str); 39] = [
    ("win", "won"),
    ("ganamos", "ganadas"),
    ("gano", "ganadas"),
    ("ganaron", "ganadas"),
    ("ganado", "ganadas"),
    ("close", "closed"),
    ("cerramos", "cerradas"),
    ("cerro", "cerradas"),
    ("cerraron", "cerradas"),
    ("cerrado", "cerradas"),
    ("cancel", "cancelled"),
    ("cancelaron", "canceladas"),
    ("cancelado", "canceladas"),
    ("convert", "converted"),
    ("convirtieron", "convertidos"),
    ("convertimos", "convertidos"),
    ("convertido", "convertidos"),
    ("qualify", "qualified"),
    ("calificaron", "calificados"),
    ("cualificaron", "cualificados"),
    ("refund", "refunded"),
    ("reembolsaron", "reembolsadas"),
    ("reembolsamos", "reembolsadas"),
    ("lose", "lost"),
    ("wins", "won"),
    ("winning", "won"),
    ("become", "converted"),
    ("became", "converted"),
    ("becomes", "converted"),
    ("converts", "converted"),
    ("turned", "converted"),
    ("convierten", "convertidos"),
    ("convierte", "convertidos"),
    ("convirtio", "convertidos"),
    ("perdieron", "perdidas"),
    ("perdimos", "perdidas"),
    ("perdio", "perdidas"),
    ("perdido", "perdidas"),
    ("ganados", "captados"),
];

/// Whether a word is a verb that goes with a metric's name.
pub(crate) fn is_verb(word: &str) -> bool {
    PARTICIPLES.iter().any(|(verb, _)| *verb == word)
}

/// Verbs for getting something new.
const GAINING: [&str; 15] = [
    "gain", "gained", "gains", "acquire", "acquired", "ganar", "ganamos", "ganado", "ganados",
    "ganaron", "captamos", "captar", "captado", "captados", "captaron",
];

/// Verbs for making use of something.
const USING: [&str; 14] = [
    "use",
    "used",
    "usar",
    "usamos",
    "usan",
    "usaron",
    "usado",
    "usados",
    "usada",
    "usadas",
    "utilizamos",
    "utilizaron",
    "utilizan",
    "utilizadas",
];

impl Shaper<'_> {
    /// "How many subscriptions were cancelled": the word that makes it another metric may stand apart.
    pub(super) fn upgrade(&mut self) {
        for at in 0..self.parts.len() {
            let What::Metric(metric) = self.parts[at].what else {
                continue;
            };
            if self.parts[at].used {
                continue;
            }
            let noun = self.parts[at].text.clone();
            for place in 0..self.parts.len() {
                let apart = matches!(self.parts[place].what, What::Unknown | What::Members(_));
                if !apart || self.parts[place].text.contains(' ') {
                    continue;
                }
                let word = &*self.parts[place].text;
                let participle = PARTICIPLES
                    .iter()
                    .find(|(verb, _)| *verb == word)
                    .map_or(word, |(_, participle)| participle);
                let names = [
                    format!("{participle} {noun}"),
                    format!("{noun} {participle}"),
                ];
                let named = names
                    .iter()
                    .find_map(|name| self.lexicon.metric_called(name));
                if let Some(named) = named.filter(|named| *named != metric) {
                    self.parts[at].what = What::Metric(named);
                    self.parts[place].what = What::Role(Role::Filler);
                }
            }
        }
    }

    /// "How many customers did we gain": a verb that says nothing elsewhere makes it another metric.
    fn gains(&mut self) {
        if !self.says(&GAINING) {
            return;
        }
        // "Gain in revenue" is growth, "gain in Colombia" is where.
        for at in 0..self.parts.len() {
            let measured = self.parts[at + 1..]
                .iter()
                .any(|next| next.metric().is_some());
            if self.parts[at].text == "gain in" && !measured {
                self.parts[at].what = What::Role(Role::Filler);
            }
        }
        if self.has(Role::Growth) {
            return;
        }
        let measured = |part: &&Part| part.metric().is_some();
        if self.parts.iter().filter(measured).count() > 1 {
            return;
        }
        for part in &mut self.parts {
            if part.used || !matches!(part.what, What::Metric(_)) {
                continue;
            }
            let names = [
                format!("acquired {}", part.text),
                format!("{} captados", part.text),
            ];
            let named = names
                .iter()
                .find_map(|name| self.lexicon.metric_called(name));
            if let Some(named) = named {
                part.what = What::Metric(named);
            }
        }
    }

    /// "Subscriptions that 'se dieron de baja'": a name of its own, and no fall.
    fn leaves(&mut self) {
        let leaving = |part: &Part| part.is(Role::Fall) && part.text == "baja" && part.lead == "de";
        let Some(at) = self.parts.iter().position(leaving) else {
            return;
        };
        let named = self.parts.iter().enumerate().find_map(|(place, part)| {
            let What::Metric(_) = part.what else {
                return None;
            };
            let called = format!("bajas de {}", part.text);
            Some((place, self.lexicon.metric_called(&called)?))
        });
        if let Some((place, metric)) = named {
            self.parts[place].what = What::Metric(metric);
            self.parts[at].what = What::Role(Role::Filler);
        }
    }

    /// What several parts name together is one metric.
    pub(super) fn phrases(&mut self) -> Result<(), Ask> {
        self.held_against()?;
        self.exceptions();
        self.gains();
        self.leaves();
        self.prices()?;
        self.rates()?;
        self.signs();
        self.uses();
        Ok(())
    }

    /// "The percentage of leads that convert": the ratio of the two, where the model has it.
    fn rates(&mut self) -> Result<(), Ask> {
        let Some(share) = self.parts.iter().position(|part| part.is(Role::Share)) else {
            return Ok(());
        };
        let named: Vec<(usize, usize)> = (share + 1..self.parts.len())
            .filter_map(|at| self.parts[at].metric().map(|metric| (at, metric)))
            .collect();
        let Some(&(first, _)) = named.first() else {
            return Ok(());
        };
        // "Leads that convert", "deals won": what became of some of them follows.
        let verb = |at: usize| {
            self.parts
                .get(at + 1)
                .is_some_and(|next| next.is(Role::Filler))
                || self.parts[at].text.ends_with(" won")
                || self.parts[at].text.ends_with(" ganadas")
        };
        let both = |part: usize, whole: usize| {
            named.iter().any(|one| one.1 == part) && named.iter().any(|one| one.1 == whole)
        };
        let ratio = named.iter().find_map(|(at, metric)| {
            let found = self.ratio_of(*metric)?;
            let (ratio, whole) = found;
            (verb(*at) || both(*metric, whole)).then_some((*at, ratio, whole))
        });
        let Some((at, ratio, whole)) = ratio else {
            // "Percentage of leads that qualified": of leads, and not of what qualified.
            return if verb(first) {
                Err(Ask::Comparison)
            } else {
                Ok(())
            };
        };
        // "... convert to sales": where they end says nothing new.
        let told = |(place, metric): &(usize, usize)| {
            *place == at
                || *metric == whole
                || *place == at + 2 && verb(at)
                || *place > at
                    && ["to", "into", "in", "en", "a"].contains(&&*self.parts[*place].lead)
        };
        if !named.iter().all(told) {
            return Ok(());
        }
        for (place, _) in &named {
            self.parts[*place].what = What::Role(Role::Filler);
        }
        self.parts[at].what = What::Metric(ratio);
        self.parts[share].what = What::Role(Role::Filler);
        Ok(())
    }

    /// The fraction that a metric is the numerator of, and its denominator.
    fn ratio_of(&self, part: usize) -> Option<(usize, usize)> {
        let metrics = self.lexicon.model.metrics();
        metrics
            .iter()
            .enumerate()
            .find_map(|(ratio, metric)| match &metric.formula {
                Formula::Ratio {
                    numerator,
                    denominator,
                } if metric.unit == Unit::Fraction && numerator.only() == Some(part) => {
                    Some((ratio, denominator.only()?))
                }
                _ => None,
            })
    }

    /// "Negative ROI": below zero.
    fn signs(&mut self) {
        for at in 0..self.parts.len() {
            let op = match self.role(at) {
                Some(Role::Negative) => Op::Below,
                Some(Role::Positive) => Op::Above,
                _ => continue,
            };
            let beside = [at.checked_sub(1), Some(at + 1), at.checked_sub(2)];
            let metric = beside.into_iter().flatten().find_map(|place| {
                let metric = self.parts.get(place)?.metric()?;
                Some((place, metric))
            });
            let Some((place, metric)) = metric else {
                continue;
            };
            self.parts[at].used = true;
            self.parts[place].used = true;
            self.keep(metric, op, Value::Number(0.0));
        }
    }

    /// "How many times were our images used", "used at least 5 times".
    fn uses(&mut self) {
        let (Some(image), Some(uses)) = (
            self.lexicon.dimension_called("image"),
            self.lexicon.metric_called("times used"),
        ) else {
            return;
        };
        let images = self
            .parts
            .iter()
            .position(|part| part.dimension() == Some(image));
        let Some(images) =
            images.filter(|_| !self.parts.iter().any(|part| part.metric().is_some()))
        else {
            return;
        };
        let times = |part: &Part| {
            matches!(part.what, What::Unknown | What::Role(Role::HowMany))
                && part
                    .text
                    .split(' ')
                    .any(|word| matches!(word, "times" | "veces"))
        };
        let Some(at) = self.parts.iter().position(times) else {
            // "Which images were used most", and not "used in our best campaigns".
            let most = ["most", "the most", "mas", "least", "the least", "menos"];
            let ranks = |at: &usize| {
                let part = &self.parts[*at];
                let of_another = self.parts.get(at + 1).is_some_and(|next| {
                    next.tokens.start == part.tokens.end && next.dimension().is_some()
                });
                part.role().is_some_and(Role::is_rank) && most.contains(&&*part.text) && !of_another
            };
            if self.says(&USING)
                && let Some(rank) = (0..self.parts.len()).find(ranks)
            {
                let first = self.parts[rank].role() != Some(Role::Lowest);
                self.parts[rank].what = What::Ranked(uses, first);
            }
            return;
        };
        let asked = self.parts[at].is(Role::HowMany);
        self.parts[at].what = What::Metric(uses);
        // "How many times were our images used": all of them.
        if asked {
            self.parts[images].what = What::Role(Role::Filler);
        }
    }
}
