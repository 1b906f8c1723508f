//! Conditions: on numbers, on members, and on what there is none of.

mod alternatives;
mod members;
mod thresholds;

use super::{Ask, Shaper};
use crate::{
    model::Unit,
    query::{Filter, Op, Value},
    reading::{
        lexicon::counts,
        parts::{Part, What},
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    pub(super) fn keep(&mut self, metric: usize, op: Op, value: Value) {
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
                // "Without a single conversion": what there is none of is counted.
                What::Unclear(ref metrics) => metrics
                    .iter()
                    .copied()
                    .find(|metric| self.lexicon.model.metrics()[*metric].unit == Unit::Count),
                What::Role(Role::Sold) => self
                    .parts
                    .get(next + 1)
                    .and_then(Part::metric)
                    .or_else(|| self.lexicon.metric_called("ventas")),
                _ => None,
            };
            let Some(metric) = metric else { continue };
            if matches!(self.parts[next].what, What::Unclear(_)) {
                self.parts[next].what = What::Metric(metric);
            }
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

    /// "Customers with more than 3 purchases": single ones are not looked at, and their total has no
    /// such condition.
    pub(super) fn conditions_on_totals(&self) -> Result<(), Ask> {
        let customers = self.lexicon.metric_called("customers");
        let counted = self.metrics.iter().any(|metric| Some(*metric) == customers);
        let rows = !self.dimensions.is_empty()
            || self.has_grain()
            || self
                .parts
                .iter()
                .any(|part| matches!(part.what, What::Unit(_)));
        if counted && !rows && !self.thresholds.is_empty() {
            let metric = self.thresholds[0];
            let named = |part: &Part| part.metric() == Some(metric);
            let compared = |part: &Part| part.role().is_some_and(Role::is_comparison);
            let at = self.parts.iter().position(named);
            let at = at.or_else(|| self.parts.iter().position(compared));
            return Err(Ask::Unexplained(at.into_iter().collect()));
        }
        Ok(())
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
