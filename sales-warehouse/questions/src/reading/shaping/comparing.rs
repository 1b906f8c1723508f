//! Growth and shares.

use super::{Ask, Shaper};
use crate::{
    model::Unit,
    query::{Baseline, Compare, Measure},
    reading::{
        parts::{Part, What},
        time::Meaning,
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    /// "More clicks than leads": one metric held against another is no ranking by the first.
    pub(super) fn held_against(&self) -> Result<(), Ask> {
        let more = [
            "more", "fewer", "less", "higher", "lower", "mas", "menos", "mayor", "menor",
        ];
        let against = |four: &[Part]| {
            more.contains(&&*four[0].text)
                && four[1].metric().is_some()
                && (four[2].is(Role::Versus) || four[2].text == "que")
                && four[3].metric().is_some()
        };
        match self.parts.windows(4).position(against) {
            Some(at) => Err(Ask::Unexplained(vec![at + 2, at + 3])),
            None => Ok(()),
        }
    }

    /// "The drop between September and October": from the one to the other, or of both?
    fn spans_two(&self) -> bool {
        self.parts.iter().any(|part| {
            let words: Vec<&str> = std::iter::once(&*part.lead)
                .chain(part.text.split(' '))
                .take(2)
                .collect();
            let begins = words
                .iter()
                .any(|word| ["between", "entre", "from", "de", "desde"].contains(word));
            let goes_on = part
                .text
                .split(' ')
                .any(|word| ["and", "y", "to", "a", "al", "hasta", "until"].contains(&word));
            matches!(part.what, What::Time(Meaning::Range(_, None))) && begins && goes_on
        })
    }

    /// Growth is held against the period before, unless the question says against what.
    pub(super) fn growth(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            let Some(role @ (Role::Growth | Role::Fall | Role::Change)) = self.role(at) else {
                continue;
            };
            self.parts[at].used = true;
            // "How has it changed month by month" is a trend.
            if role == Role::Change && self.has(Role::Trend) && self.has_grain() {
                continue;
            }
            if self.compare.is_none() && self.spans_two() {
                return Err(Ask::Comparison);
            }
            self.falls |= role == Role::Fall;
            let text = &self.parts[at].text;
            let grows = ["gr", "crec", "decrec", "fastest"]
                .iter()
                .any(|root| text.starts_with(root))
                || text.contains("percent");
            let measure = if grows {
                Measure::Growth
            } else {
                Measure::Change
            };
            let measure = if self.has(Role::Share) {
                Measure::Growth
            } else {
                measure
            };
            self.measure.get_or_insert(measure);
            self.compare
                .get_or_insert(Compare::With(Baseline::PreviousPeriod));
        }
        // "How much more did we spend in October than in September."
        let apart = |part: &Part| matches!(part.what, What::Dimension(_) | What::Unit(_));
        if self.compare.is_some() && !self.parts.iter().any(apart) {
            for part in &mut self.parts {
                let more = [
                    "more",
                    "less",
                    "fewer",
                    "higher",
                    "lower",
                    "larger",
                    "smaller",
                    "better",
                    "worse",
                    "mas",
                    "menos",
                    "mayor",
                    "menor",
                    "mejor",
                    "peor",
                    "mas alto",
                    "mas alta",
                    "mas bajo",
                    "mas baja",
                    "mas altos",
                    "mas altas",
                    "mas bajos",
                    "mas bajas",
                    "mayores",
                    "menores",
                ];
                part.used |= part.role().is_some_and(Role::is_rank) && more.contains(&&*part.text);
                if part.used && part.role().is_some_and(Role::is_rank) {
                    part.what = What::Role(Role::Filler);
                }
            }
        }
        if self.measure.is_some() {
            for at in 0..self.parts.len() {
                // "Percentage growth".
                if self.parts[at].is(Role::Share) {
                    self.parts[at].used = true;
                }
            }
        }
        Ok(())
    }

    /// The part of a total.
    pub(super) fn shares(&mut self) -> Result<(), Ask> {
        self.part_of();
        let Some(at) = self
            .parts
            .iter()
            .position(|part| part.is(Role::Share) && !part.used)
        else {
            return Ok(());
        };
        // "Gross margin %" names the unit of what is a percentage already.
        let metrics: Vec<usize> = self.parts.iter().filter_map(Part::metric).collect();
        let fraction =
            |metric: &usize| self.lexicon.model.metrics()[*metric].unit == Unit::Fraction;
        if !metrics.is_empty() && metrics.iter().all(fraction) {
            for part in &mut self.parts {
                part.used |= part.is(Role::Share) && part.text == "%";
            }
            return if self
                .parts
                .iter()
                .any(|part| part.is(Role::Share) && !part.used)
            {
                Err(Ask::Comparison)
            } else {
                Ok(())
            };
        }
        for place in at..self.parts.len() {
            if self.parts[place].is(Role::Share) {
                self.parts[place].used = true;
            }
        }
        self.compare = Some(Compare::With(Baseline::ShareOfTotal));
        let grouped = self.parts.windows(2).any(|pair| {
            pair[0].is(Role::By) && matches!(pair[1].what, What::Dimension(_) | What::Either { .. })
        });
        let subject = self
            .parts
            .windows(2)
            .any(|pair| pair[0].is(Role::Which) && pair[1].dimension().is_some());
        if grouped || subject {
            return Ok(());
        }
        let dimension = self.shared_dimension(at).ok_or(Ask::Comparison)?;
        if !self.dimensions.contains(&dimension) {
            self.dimensions.push(dimension);
        }
        Ok(())
    }

    /// "How much of our spend goes to search" asks for a part of the whole.
    fn part_of(&mut self) {
        let goes = self.parts.iter().any(|part| part.is(Role::Contribute));
        for part in &mut self.parts {
            let whole = ["how much of", "cuanto de", "cuanto del", "cuanta parte de"];
            if goes && part.is(Role::HowMuch) && whole.contains(&&*part.text) {
                part.what = What::Role(Role::Share);
            }
        }
    }

    /// Whose share: of the member that "comes from" names, or else of the only one.
    fn shared_dimension(&self, from: usize) -> Option<usize> {
        let member = |at: usize| match &self.parts[at].what {
            What::Members(members) => members
                .first()
                .map(|member| self.lexicon.members[*member].dimension),
            _ => None,
        };
        let all: Vec<usize> = (0..self.parts.len())
            .filter(|at| member(*at).is_some())
            .collect();
        let verb = (from..self.parts.len()).find(|at| self.parts[*at].is(Role::Contribute));
        let after = verb.and_then(|verb| all.iter().find(|at| **at > verb));
        let beside = verb.and_then(|verb| all.iter().rev().find(|at| **at < verb && **at > from));
        let chosen = after.or(beside).or(match all[..] {
            [_] => all.first(),
            // "Email's share of leads in Spain": the one that owns it.
            _ => all
                .iter()
                .rev()
                .find(|at| **at < from)
                .or(all.last().filter(|_| {
                    let first = all.first().and_then(|at| member(*at));
                    all.iter().all(|at| member(*at) == first)
                })),
        });
        chosen.and_then(|at| member(*at))
    }
}
