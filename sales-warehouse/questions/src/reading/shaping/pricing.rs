//! What something costs: "what a lead costs", "the cheapest clicks".

use super::{Ask, Shaper};
use crate::{
    model::Unit,
    reading::{
        parts::{Part, What},
        vocabulary::Role,
    },
};

/// Words for paying: with "per click" they are another metric.
const PAYING: [&str; 20] = [
    "cost",
    "costs",
    "pay",
    "spend",
    "spends",
    "spent",
    "cuesta",
    "cuestan",
    "costo",
    "coste",
    "costaron",
    "costado",
    "pagamos",
    "gastamos",
    "gasto",
    "gastado",
    "invertimos",
    "invertido",
    "sale",
    "salen",
];

/// Roots of words for how much is paid.
const PRICED: [&str; 10] = [
    "cheap",
    "expensive",
    "pric",
    "costli",
    "dear",
    "car",
    "barat",
    "economic",
    "costos",
    "inexpensive",
];

/// Words after which a noun stands for one of it.
const EACH: [&str; 8] = ["a", "an", "un", "una", "cada", "each", "per", "one"];

impl Shaper<'_> {
    /// "How much does a lead cost", "the cheapest channel per click", "the cheapest clicks".
    pub(super) fn prices(&mut self) -> Result<(), Ask> {
        let priced = |part: &Part| {
            let root = |word: &str| PRICED.iter().any(|root| word.starts_with(root));
            part.role().is_some_and(Role::is_rank) && part.text.split(' ').any(root)
        };
        let paid =
            |part: &Part| part.metric().is_some() && PAYING.contains(&&*part.text) || priced(part);
        let Some(verb) = self.parts.iter().position(paid) else {
            return Ok(());
        };
        let ranked = priced(&self.parts[verb]);
        let measured = self
            .parts
            .iter()
            .filter(|part| part.metric().is_some())
            .count();
        // "The cheapest campaign with more than 100 leads": these have no price.
        let conditional = self.parts.iter().any(|part| {
            matches!(part.what, What::Number(_))
                || part.role().is_some_and(|role| {
                    role.is_comparison() || [Role::Not, Role::HowMany].contains(&role)
                })
        });
        for at in 0..self.parts.len() {
            let noun = &self.parts[at];
            if at == verb || noun.used || noun.text.contains(' ') {
                continue;
            }
            let by = at.checked_sub(1).filter(|by| self.parts[*by].is(Role::By));
            let beside = verb + 1 == at || at + 1 == verb;
            let fits = match by {
                // "Pay the most per click": what ranks may stand between.
                Some(by) => {
                    self.parts[verb].metric().is_none()
                        || self.parts[by.min(verb + 1)..by]
                            .iter()
                            .all(|part| part.role().is_some_and(Role::is_rank))
                            && verb < by
                }
                None if ranked => beside || measured == 1 && !conditional,
                None => beside && EACH.contains(&&*noun.lead),
            };
            if !fits {
                continue;
            }
            let called = [
                format!("cost per {}", noun.text),
                format!("coste por {}", noun.text),
            ];
            let Some(metric) = called
                .iter()
                .find_map(|name| self.lexicon.metric_called(name))
            else {
                continue;
            };
            self.parts[at].what = What::Metric(metric);
            if self.parts[verb].metric().is_some() {
                self.parts[verb].what = What::Role(Role::Filler);
            }
            if let Some(by) = by {
                self.parts[by].what = What::Role(Role::Filler);
            }
            return Ok(());
        }
        // The cheapest of what has no price.
        let money = |metric: usize| self.lexicon.model.metrics()[metric].unit == Unit::Usd;
        let metrics: Vec<usize> = self.parts.iter().filter_map(Part::metric).collect();
        if ranked && !metrics.is_empty() && !metrics.into_iter().any(money) {
            return Err(Ask::Unexplained(vec![verb]));
        }
        Ok(())
    }
}
