//! Conditions on numbers: "ROAS above 3", "50 sales or more".

use crate::{
    model::Unit,
    query::{Op, Value},
    reading::{
        numbers::Quantity,
        parts::{Part, What},
        shaping::{Ask, Shaper},
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    /// "ROAS above 3", "more than 1.000 leads", "CTR between 1% and 2%", "50 sales or more".
    pub(in crate::reading::shaping) fn thresholds(&mut self) -> Result<(), Ask> {
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
                self.fits(metric, quantity, at)?;
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
            self.fits(metric, Quantity { percent, ..first }, at)?;
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
        self.fits(metric, first, at)?;
        for used in [at, at + 1, place] {
            self.parts[used].used = true;
        }
        if negated {
            self.parts[at - 1].used = true;
        }
        self.keep(metric, op, Value::Number(self.in_unit(metric, first)));
        Ok(())
    }

    /// "Grew more than 20 % in revenue": no revenue is a percentage.
    fn fits(&self, metric: usize, quantity: Quantity, at: usize) -> Result<(), Ask> {
        let unit = self.lexicon.model.metrics()[metric].unit;
        if quantity.percent && !matches!(unit, Unit::Fraction | Unit::Ratio | Unit::Points) {
            return Err(Ask::Unexplained(vec![at, at + 1]));
        }
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
                // "ROAS with at least $5,000 spend": what follows the number at once, unless the other is as near.
                let touches = |left: usize, right: usize| {
                    self.parts[left].tokens.end == self.parts[right].tokens.start
                };
                if touches(end - 1, after.0)
                    && !touches(before.0, at)
                    && !self.parts[at].is(Role::Between)
                {
                    return Some(after);
                }
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
}
