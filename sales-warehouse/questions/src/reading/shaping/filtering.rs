//! Conditions: on numbers, and on members.

use std::collections::BTreeMap;

use super::{Ask, Shaper};
use crate::{
    model::Unit,
    query::{Filter, Op, Value},
    reading::{
        lexicon::counts,
        numbers::Quantity,
        parts::{Part, What},
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    /// "ROAS above 3", "more than 1.000 leads", "CTR between 1% and 2%", "50 sales or more".
    pub(super) fn thresholds(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            if self.parts[at].used {
                continue;
            }
            if let Some(role) = self.role(at).filter(|role| role.is_comparison()) {
                self.threshold(at, role)?;
            } else if let What::Number(quantity) = self.parts[at].what
                && let Some(role @ (Role::OrMore | Role::OrLess)) =
                    self.role(at + 1).or_else(|| self.role(at + 2))
            {
                let beside = matches!(self.role(at + 1), Some(Role::OrMore | Role::OrLess));
                let metric = if beside {
                    self.measured(at, at + 2)
                } else {
                    self.parts[at + 1].metric().map(|metric| (at + 1, metric))
                };
                let Some((place, metric)) = metric else {
                    continue;
                };
                let op = if role == Role::OrMore {
                    Op::AtLeast
                } else {
                    Op::AtMost
                };
                let last = if beside { at + 1 } else { at + 2 };
                for used in [at, last, place] {
                    self.parts[used].used = true;
                }
                self.keep(metric, op, Value::Number(self.in_unit(metric, quantity)));
            }
        }
        Ok(())
    }

    fn threshold(&mut self, at: usize, role: Role) -> Result<(), Ask> {
        let What::Number(first) = self.parts[at + 1].what else {
            return Ok(());
        };
        if role == Role::Between {
            let and = at + 2;
            let What::Number(second) = self
                .parts
                .get(and + 1)
                .map_or(What::Unknown, |part| part.what.clone())
            else {
                return Ok(());
            };
            if !self.parts[and].is(Role::And) && self.parts[and].text != "to" {
                return Ok(());
            }
            let Some((place, metric)) = self.measured(at, and + 2) else {
                return Ok(());
            };
            // "Between 1 and 2,5 %": the percent is said once.
            let percent = first.percent || second.percent;
            let ends = [first, second].map(|end| self.in_unit(metric, Quantity { percent, ..end }));
            if ends[0] > ends[1] {
                return Err(Ask::Contradiction(
                    self.lexicon.model.metrics()[metric].name.clone(),
                ));
            }
            for used in [at, at + 1, and, and + 1, place] {
                self.parts[used].used = true;
            }
            self.keep(metric, Op::Between, Value::Numbers(ends.to_vec()));
            return Ok(());
        }
        let negated = at
            .checked_sub(1)
            .is_some_and(|before| self.parts[before].is(Role::Not));
        let op = match (role, negated) {
            (Role::Above, false) => Op::Above,
            (Role::AtLeast, _) => Op::AtLeast,
            (Role::Below, false) => Op::Below,
            (Role::AtMost, _) | (Role::Above, true) => Op::AtMost,
            (Role::Below, true) => Op::AtLeast,
            _ => Op::Is,
        };
        let Some((place, metric)) = self.measured(at, at + 2) else {
            return Ok(());
        };
        for used in [at, at + 1, place] {
            self.parts[used].used = true;
        }
        if negated {
            self.parts[at - 1].used = true;
        }
        self.keep(metric, op, Value::Number(self.in_unit(metric, first)));
        Ok(())
    }

    /// The metric that a condition from `at` to `end` is about.
    fn measured(&self, at: usize, end: usize) -> Option<(usize, usize)> {
        let metric = |place: usize| {
            let part = self.parts.get(place)?;
            match part.what {
                What::Either { metric, .. } if self.counted(place) => Some((place, metric)),
                _ => part.metric().map(|metric| (place, metric)),
            }
        };
        let passive = |part: &Part| {
            part.is(Role::Not)
                || part.is(Role::Sold)
                || part
                    .role()
                    .is_some_and(|role| matches!(role, Role::Performance | Role::Contribute))
        };
        let before = self.before(at, passive).and_then(metric);
        let sign = matches!(
            &*self.parts[at].text,
            ">" | "<" | ">=" | "<=" | "≥" | "≤" | "="
        );
        let joined =
            at > 0 && (self.parts[at - 1].is(Role::And) || self.parts[at - 1].is(Role::Or));
        let mut after = metric(end);
        // "More than 5,000 in spend" is about spend; "more than 5,000 by channel, clicks" is not about clicks.
        if after.is_none() && before.is_none() && self.sold_at(at).is_some() {
            let number = &self.parts[at + 1].what;
            let money = matches!(number, What::Number(Quantity { money: true, .. }));
            let called = if money {
                "cuanto vendimos"
            } else {
                "units sold"
            };
            return self
                .lexicon
                .metric_called(called)
                .map(|metric| (at, metric));
        }
        if let Some((place, _)) = after
            && self.parts[place].used
        {
            after = None;
        }
        match (before, after) {
            (Some(before), _) if sign => Some(before),
            (Some(before), Some(after)) => {
                // In "ROAS above 3 and more than 10 leads" each has its own; "spent more than 10 clicks" is none.
                let counts = self.lexicon.model.metrics()[after.1].unit == Unit::Count;
                Some(
                    if counts && (joined || self.is_ratio(before.1)) && !self.named_directly(at) {
                        after
                    } else {
                        before
                    },
                )
            }
            (before, after) => before.or(after).or_else(|| self.anaphora(at)),
        }
    }

    /// "And above 2": of the metric of the condition before.
    fn anaphora(&self, at: usize) -> Option<(usize, usize)> {
        let and = at
            .checked_sub(1)
            .filter(|and| self.parts[*and].is(Role::And))?;
        let number = and
            .checked_sub(1)
            .filter(|before| self.parts[*before].used)?;
        let metric = *self.thresholds.last()?;
        Some((number, metric))
    }

    fn sold_at(&self, at: usize) -> Option<usize> {
        let before = at.checked_sub(1)?;
        self.parts[before].is(Role::Sold).then_some(before)
    }

    fn named_directly(&self, at: usize) -> bool {
        matches!(
            &*self.parts[at].text,
            "above"
                | "below"
                | "over"
                | "under"
                | "por encima de"
                | "por debajo de"
                | "superior a"
                | "inferior a"
        )
    }

    fn is_ratio(&self, metric: usize) -> bool {
        self.lexicon.model.metrics()[metric].unit != Unit::Count
    }

    /// "More than 20 campaigns" counts them.
    fn counted(&self, at: usize) -> bool {
        at >= 2
            && !matches!(
                &*self.parts[at - 2].text,
                ">" | "<" | ">=" | "<=" | "≥" | "≤" | "="
            )
            && matches!(self.parts[at - 1].what, What::Number(_))
            && self.role(at - 2).is_some_and(Role::is_comparison)
    }

    fn in_unit(&self, metric: usize, quantity: Quantity) -> f64 {
        let percent = quantity.percent && self.lexicon.model.metrics()[metric].unit != Unit::Points;
        // Dividing is exact to the last digit where multiplying by 0.01 is not.
        if percent {
            quantity.value / 100.0
        } else {
            quantity.value
        }
    }

    fn keep(&mut self, metric: usize, op: Op, value: Value) {
        if !self.thresholds.contains(&metric) {
            self.thresholds.push(metric);
        }
        self.filters.push(Filter {
            field: self.lexicon.model.metrics()[metric].name.clone(),
            op,
            value,
        });
    }

    /// "Without sales", "did not get any clicks": none of a metric.
    pub(super) fn absences(&mut self) {
        for at in 0..self.parts.len() {
            if !self.parts[at].is(Role::Not) || self.parts[at].used {
                continue;
            }
            // "Did not get any": "not" and "any" may both have been said.
            let next = (at + 1..self.parts.len())
                .find(|next| !self.parts[*next].is(Role::Not) && !self.parts[*next].is(Role::All));
            let Some(next) = next else { continue };
            let metric = match self.parts[next].what {
                What::Metric(metric) => Some(metric),
                What::Either { metric, .. } => Some(metric),
                What::Role(Role::Sold) => self
                    .parts
                    .get(next + 1)
                    .and_then(Part::metric)
                    .or_else(|| self.lexicon.metric_called("ventas")),
                _ => None,
            };
            let Some(metric) = metric else { continue };
            for part in &mut self.parts[at..=next] {
                part.used = true;
            }
            if self.parts[next].is(Role::Sold)
                && self
                    .parts
                    .get(next + 1)
                    .is_some_and(|part| part.metric() == Some(metric))
            {
                self.parts[next + 1].used = true;
            }
            self.absent = true;
            self.keep(metric, Op::Is, Value::Number(0.0));
            // "Neither clicks nor leads."
            let mut more = next + 1;
            while more + 1 < self.parts.len()
                && matches!(self.role(more), Some(Role::Or | Role::Not))
                && let Some(other) = self.parts[more + 1].metric()
            {
                self.parts[more].used = true;
                self.parts[more + 1].used = true;
                self.keep(other, Op::Is, Value::Number(0.0));
                more += 2;
            }
        }
    }

    /// Which member a word means, where several have it.
    pub(super) fn settle_members(&mut self) -> Result<(), Ask> {
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
    pub(super) fn members(&mut self) -> Result<(), Ask> {
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
            if self.is_loose(at, dimension) {
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

    /// Adds a condition on members.
    pub(super) fn filter_members(
        &mut self,
        dimension: usize,
        mut codes: Vec<String>,
        one: Op,
        many: Op,
    ) {
        codes.sort_unstable();
        let field = self.lexicon.model.dimensions()[dimension].name.clone();
        let (op, value) = match codes.len() {
            1 => (one, Value::Member(codes.swap_remove(0))),
            _ => (many, Value::Members(codes)),
        };
        self.filters.push(Filter { field, op, value });
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
        if !(self.has(Role::Compare) || between || self.has(Role::Versus))
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

    /// The metric that counts what a member is of: calls are interactions.
    pub(super) fn counted_by_members(&self) -> Option<usize> {
        let model = &self.lexicon.model;
        self.parts
            .iter()
            .find_map(|part| {
                let What::Members(members) = &part.what else {
                    return None;
                };
                let dimension =
                    &model.dimensions()[self.lexicon.members[*members.first()?].dimension];
                model
                    .metrics()
                    .iter()
                    .position(|metric| metric.unit == Unit::Count && counts(metric, dimension))
            })
            .filter(|metric| {
                // Campaigns are asked for by name: their status alone counts nothing.
                self.lexicon.model.metrics()[*metric].kind != crate::model::Kind::CountDistinct
            })
    }
}
