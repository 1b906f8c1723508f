//! Conditions on members: "in Spain", "excluding email", "Spain vs Mexico".

use std::collections::BTreeMap;

use crate::{
    query::Op,
    reading::{
        lexicon::counts,
        parts::{Part, What},
        shaping::{Ask, Shaper},
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    /// "All channels but email", "todos los países menos México".
    pub(in crate::reading::shaping) fn exceptions(&mut self) {
        // "Which market spends least, 'menos', on email" ranks; after anything else "menos en" excepts.
        let singular = |part: &Part| part.is(Role::Which) && part.singular;
        let several = |part: &Part| part.dimension().is_some() && part.is_plural();
        let asks_for_one = self.has(Role::Which)
            && (self.parts.iter().any(singular) || !self.parts.iter().any(several));
        for at in 1..self.parts.len() {
            let ranks = self.parts[at].text == "menos en" && self.parts[at - 1].metric().is_some();
            if ranks && asks_for_one {
                self.parts[at].what = What::Role(Role::Lowest);
            }
        }
        for at in 1..self.parts.len().saturating_sub(1) {
            let excepting = ["but", "minus", "less", "menos"].contains(&&*self.parts[at].text)
                && !self.parts[at].used;
            let What::Members(members) = &self.parts[at + 1].what else {
                continue;
            };
            let dimension = match self.parts[at - 1].what {
                What::Dimension(dimension) | What::Either { dimension, .. } => dimension,
                _ => continue,
            };
            if excepting
                && members
                    .iter()
                    .any(|member| self.lexicon.members[*member].dimension == dimension)
            {
                self.parts[at].what = What::Role(Role::Except);
            }
        }
    }

    /// Which member a word means, where several have it.
    pub(in crate::reading::shaping) fn settle_members(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            let What::Members(members) = self.parts[at].what.clone() else {
                continue;
            };
            if members.len() < 2 {
                continue;
            }
            let dimension = |member: usize| self.lexicon.members[member].dimension;
            let beside = |place: Option<usize>| {
                place
                    .and_then(|place| self.parts.get(place))
                    .and_then(|part| match part.what {
                        What::Dimension(dimension) | What::Either { dimension, .. } => {
                            Some(dimension)
                        }
                        _ => None,
                    })
            };
            let neighbours = [beside(at.checked_sub(1)), beside(Some(at + 1))];
            let mut fitting: Vec<usize> = members
                .iter()
                .copied()
                .filter(|member| neighbours.contains(&Some(dimension(*member))))
                .collect();
            if fitting.is_empty() {
                let model = &self.lexicon.model;
                let asked: Vec<&str> = self
                    .parts
                    .iter()
                    .filter_map(Part::metric)
                    .map(|metric| &*model.metrics()[metric].name)
                    .collect();
                fitting = members
                    .iter()
                    .copied()
                    .filter(|member| {
                        let name = &model.dimensions()[dimension(*member)].name;
                        asked.iter().all(|metric| model.reaches(metric, name))
                    })
                    .collect();
            }
            // "Lost opportunities": of the rows that are counted.
            let own: Vec<usize> = fitting
                .iter()
                .copied()
                .filter(|member| {
                    let model = &self.lexicon.model;
                    let of = &model.dimensions()[dimension(*member)];
                    self.parts
                        .iter()
                        .filter_map(Part::metric)
                        .any(|metric| counts(&model.metrics()[metric], of))
                })
                .collect();
            if own.len() == 1 {
                fitting = own;
            }
            match fitting[..] {
                [one] => self.parts[at].what = What::Members(vec![one]),
                _ => {
                    let all = if fitting.is_empty() { members } else { fitting };
                    return Err(Ask::Members(at, all));
                }
            }
        }
        Ok(())
    }

    /// Filters on members; several of one dimension are one condition.
    pub(in crate::reading::shaping) fn members(&mut self) -> Result<(), Ask> {
        let mut included: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut excluded: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        let mut last: Option<(usize, usize, bool)> = None;
        for at in 0..self.parts.len() {
            let What::Members(members) = &self.parts[at].what else {
                continue;
            };
            let Some(member) = members.first().map(|member| &self.lexicon.members[*member]) else {
                continue;
            };
            let (dimension, code) = (member.dimension, member.code.clone());
            self.parts[at].used = true;
            let qualifies =
                |part: &Part| matches!(part.what, What::Dimension(of) if of == dimension);
            let before = self.before(at, |part| qualifies(part) || part.is(Role::All));
            let negated = before
                .filter(|before| matches!(self.role(*before), Some(Role::Not | Role::Except)));
            // "Excluding Spain and Mexico": "and" goes on with what the first was under.
            let goes_on = last.is_some_and(|(place, of, out)| {
                out && of == dimension
                    && self.parts[place + 1..at].iter().all(|part| {
                        matches!(part.role(), Some(Role::And | Role::Or | Role::Not))
                            || qualifies(part)
                    })
            });
            let out = negated.is_some() || goes_on;
            if let Some(negated) = negated {
                self.parts[negated].used = true;
            }
            if goes_on && let Some((place, ..)) = last {
                for part in &mut self.parts[place + 1..at] {
                    part.used |= part.is(Role::Not);
                }
            }
            last = Some((at, dimension, out));
            if self.is_loose(at, dimension) || self.is_anothers(at, dimension) {
                return Err(Ask::Unexplained(vec![at]));
            }
            self.oppose(at, dimension);
            let codes = if out { &mut excluded } else { &mut included }
                .entry(dimension)
                .or_default();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        for (dimension, codes) in &included {
            if excluded
                .get(dimension)
                .is_some_and(|out| out.iter().any(|code| codes.contains(code)))
            {
                return Err(Ask::Contradiction(
                    self.lexicon.model.dimensions()[*dimension].name.clone(),
                ));
            }
        }
        self.oppose_all(&included);
        for (sets, one, many) in [(included, Op::Is, Op::In), (excluded, Op::IsNot, Op::NotIn)] {
            for (dimension, codes) in sets {
                self.filter_members(dimension, codes, one, many);
            }
        }
        Ok(())
    }

    /// "Per plan" asks for all of them, and "ended last month" for when.
    fn is_loose(&self, at: usize, dimension: usize) -> bool {
        let by = at
            .checked_sub(1)
            .map(|before| &self.parts[before])
            .filter(|before| before.is(Role::By));
        let each = by.is_some_and(|by| {
            !matches!(&*by.text, "by" | "por") || !self.lexicon.has_exactly(&self.parts[at].text)
        });
        let dated = Some(dimension) == self.lexicon.dimension_called("campaign status")
            && self.parts.get(at + 1).is_some_and(|next| matches!(next.what, What::Time(_)))
            && self.parts[..at].iter().any(|part| {
                matches!(part.what, What::Metric(metric) if self.lexicon.metric_called("campaigns") == Some(metric))
            });
        each || dated
    }

    /// "Closed sales": a state of campaigns, where no campaign is spoken of; "new customers" in two parts:
    /// a state of leads.
    fn is_anothers(&self, at: usize, dimension: usize) -> bool {
        let called = |name| self.lexicon.dimension_called(name);
        let states = ["campaign status", "lead status"].map(called);
        if !states.contains(&Some(dimension)) {
            return false;
        }
        let campaign = called("campaign").filter(|_| states[0] == Some(dimension));
        let model = &self.lexicon.model;
        let own = |metric: usize| counts(&model.metrics()[metric], &model.dimensions()[dimension]);
        let spoken_of = |part: &Part| match &part.what {
            What::Metric(metric) | What::Ranked(metric, _) => own(*metric),
            What::Dimension(of) | What::Either { dimension: of, .. } => {
                [Some(dimension), campaign].contains(&Some(*of))
            }
            What::Members(members) => members
                .iter()
                .any(|member| Some(self.lexicon.members[*member].dimension) == campaign),
            _ => false,
        };
        let beside = at.checked_sub(1).into_iter().chain([at + 1, at + 2]);
        let described = beside
            .filter_map(|place| self.parts.get(place))
            .any(|part| part.metric().is_some());
        described && !self.parts.iter().any(spoken_of)
    }

    /// "Spain vs Mexico": a breakdown of the two.
    fn oppose(&mut self, at: usize, dimension: usize) {
        let of = |place: usize| match self.parts.get(place).map(|part| &part.what) {
            Some(What::Members(members)) => members
                .first()
                .map(|member| self.lexicon.members[*member].dimension),
            _ => None,
        };
        let Some(versus) = at
            .checked_sub(1)
            .filter(|versus| self.parts[*versus].is(Role::Versus))
        else {
            return;
        };
        let other = (0..versus)
            .rev()
            .find(|place| of(*place) == Some(dimension));
        if other.is_some() && !self.opposed.contains(&dimension) {
            self.opposed.push(dimension);
        }
    }

    /// "Compare Spain and Mexico."
    fn oppose_all(&mut self, included: &BTreeMap<usize, Vec<String>>) {
        let between = self
            .parts
            .iter()
            .any(|part| part.is(Role::Between) && !part.used);
        // "LinkedIn or email: which brought more leads."
        let either = self.has(Role::Or)
            && self.parts.iter().any(|part| {
                part.role().is_some_and(Role::is_rank)
                    && [
                        "more", "less", "fewer", "higher", "lower", "better", "worse", "mas",
                        "menos", "mejor", "peor",
                    ]
                    .contains(&&*part.text)
            })
            && !self.parts.iter().any(|part| part.dimension().is_some());
        if !(self.has(Role::Compare) || between || either || self.has(Role::Versus))
            || !self.opposed.is_empty()
        {
            return;
        }
        let several: Vec<usize> = included
            .iter()
            .filter(|(_, codes)| codes.len() > 1)
            .map(|(dimension, _)| *dimension)
            .collect();
        if let [dimension] = several[..] {
            self.opposed.push(dimension);
            for part in &mut self.parts {
                part.used |= part.is(Role::Between);
            }
        }
    }
}
