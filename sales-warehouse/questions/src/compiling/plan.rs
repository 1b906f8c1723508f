//! What a query needs from the model: which metrics, counted over which facts, held against what.

use contracts::Language;
use time::Date;

use super::{
    CompileError, check,
    periods::{Previous, previous},
};
use crate::{
    MetricQuery, Model,
    model::{Column, Dimension, Expression, Formula, Interval, Kind, Metric, Source},
    query::{Baseline, Compare, Op, Order},
};

/// A query, resolved.
pub struct Plan<'a> {
    pub model: &'a Model,
    pub query: &'a MetricQuery,
    pub language: Language,
    pub today: Date,
    pub dimensions: Vec<&'a Dimension>,
    pub members: Vec<MemberFilter<'a>>,
    pub values: Vec<ValueFilter>,
    /// Those asked for, then those that only filters and orders need. Places in the model.
    pub metrics: Vec<usize>,
    pub facts: Vec<Fact<'a>>,
    pub previous: Option<Previous>,
    pub shares: bool,
}

/// A condition on a dimension's members.
pub struct MemberFilter<'a> {
    pub dimension: &'a Dimension,
    pub op: Op,
    pub members: Vec<String>,
}

/// A condition on a metric's value.
pub struct ValueFilter {
    /// Place in [`Plan::metrics`].
    pub metric: usize,
    pub op: Op,
    pub numbers: Vec<f64>,
}

/// Rows that are counted in one go.
pub struct Fact<'a> {
    pub dataset: usize,
    pub time: Option<Column>,
    /// For metrics of what holds over days.
    pub interval: Option<&'a Interval>,
    /// Metrics, by their place in the model, with how each is counted.
    pub counted: Vec<(usize, &'a Expression<Column>)>,
}

impl<'a> Plan<'a> {
    pub fn of(
        model: &'a Model,
        query: &'a MetricQuery,
        language: Language,
        today: Date,
    ) -> Result<Self, CompileError> {
        check::bounds(query)?;
        let dimensions = query.dimensions.iter().map(|name| {
            let found = model.dimension(name);
            found.ok_or_else(|| CompileError::UnknownDimension(name.clone()))
        });
        let mut plan = Self {
            model,
            query,
            language,
            today,
            dimensions: dimensions.collect::<Result<_, _>>()?,
            members: Vec::new(),
            values: Vec::new(),
            metrics: Vec::new(),
            facts: Vec::new(),
            previous: previous(query)?,
            shares: query.compare == Some(Compare::With(Baseline::ShareOfTotal)),
        };
        for name in &query.metrics {
            let found = model.metrics().iter().position(|one| one.name == *name);
            plan.metrics
                .push(found.ok_or_else(|| CompileError::UnknownMetric(name.clone()))?);
        }
        plan.filters()?;
        plan.orders()?;
        for metric in plan.metrics.clone() {
            plan.count(metric, &model.metrics()[metric].name)?;
        }
        Ok(plan)
    }

    /// The place of a metric in [`Self::metrics`], added if it is not yet there.
    fn needed(&mut self, name: &str) -> Result<usize, CompileError> {
        let model = self.model;
        let found = model.metrics().iter().position(|one| one.name == name);
        let found = found.ok_or_else(|| CompileError::UnknownField(name.to_owned()))?;
        let known = self.metrics.iter().position(|one| *one == found);
        Ok(known.unwrap_or_else(|| {
            self.metrics.push(found);
            self.metrics.len() - 1
        }))
    }

    pub fn metric(&self, place: usize) -> &'a Metric {
        &self.model.metrics()[self.metrics[place]]
    }

    fn filters(&mut self) -> Result<(), CompileError> {
        for filter in &self.query.filters {
            if let Some(dimension) = self.model.dimension(&filter.field) {
                self.members.push(MemberFilter {
                    dimension,
                    op: filter.op,
                    members: check::members(filter)?,
                });
            } else {
                let metric = self.needed(&filter.field)?;
                self.values.push(ValueFilter {
                    metric,
                    op: filter.op,
                    numbers: check::numbers(filter)?,
                });
            }
        }
        Ok(())
    }

    fn orders(&mut self) -> Result<(), CompileError> {
        for order in &self.query.order {
            let is_dimension = self.query.dimensions.contains(&order.by);
            if order.by == Order::TIME || is_dimension {
                continue;
            }
            if self.model.dimension(&order.by).is_some() {
                return Err(CompileError::BadOrder {
                    by: order.by.clone(),
                    why: "it is none of the dimensions asked for",
                });
            }
            self.needed(&order.by)?;
        }
        for place in 0..self.metrics.len() {
            let kind = self.metric(place).kind;
            if self.shares && matches!(kind, Kind::Ratio | Kind::Average | Kind::Cumulative) {
                let why =
                    "a share needs metrics that add up, not ratios, averages or running totals";
                return Err(CompileError::BadCompare(why));
            }
        }
        Ok(())
    }

    /// Finds what a metric is counted over. `asked` is what the query calls it.
    fn count(&mut self, number: usize, asked: &str) -> Result<(), CompileError> {
        let model = self.model;
        match &model.metrics()[number].formula {
            Formula::Ratio {
                numerator,
                denominator,
            } => {
                let mut parts = numerator.names().chain(denominator.names());
                parts.try_for_each(|part| self.count(part, asked))
            }
            Formula::Derived(expression) => {
                let mut parts = expression.names();
                parts.try_for_each(|part| self.count(part, asked))
            }
            Formula::Cumulative(of) => self.count(*of, asked),
            Formula::Base { sources, interval } => {
                let source = self.source(sources, asked)?;
                let timed = self.query.time.is_some() || self.query.grain.is_some();
                let interval = interval.as_ref().filter(|_| timed);
                if timed && interval.is_none() && source.time.is_none() {
                    return Err(CompileError::NoDate(asked.to_owned()));
                }
                let expression = interval.map_or(&source.expression, |one| &one.expression);
                let same = |fact: &&mut Fact<'_>| {
                    fact.dataset == source.dataset
                        && fact.interval == interval
                        && (!timed || fact.time == source.time)
                };
                let counted = (number, expression);
                match self.facts.iter_mut().find(same) {
                    Some(fact) if fact.counted.contains(&counted) => {}
                    Some(fact) => fact.counted.push(counted),
                    None => self.facts.push(Fact {
                        dataset: source.dataset,
                        time: source.time,
                        interval,
                        counted: vec![counted],
                    }),
                }
                Ok(())
            }
        }
    }

    /// Where a metric can be counted by all that the query asks for.
    fn source(&self, sources: &'a [Source], asked: &str) -> Result<&'a Source, CompileError> {
        let reaches = |source: &Source, dimension: &Dimension| {
            let path = self.model.path(source.dataset, dimension.column.dataset);
            path.is_some()
        };
        let of_filters = self.members.iter().map(|filter| filter.dimension);
        let all: Vec<&Dimension> = self.dimensions.iter().copied().chain(of_filters).collect();
        let found = sources
            .iter()
            .find(|source| all.iter().all(|one| reaches(source, one)));
        found.ok_or_else(|| {
            let missing = |one: &&&Dimension| !sources.iter().any(|source| reaches(source, one));
            let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
            match all.iter().find(missing) {
                Some(dimension) => CompileError::NotReachable {
                    metric: asked.to_owned(),
                    dimension: dimension.name.clone(),
                },
                None => CompileError::NotTogether {
                    metric: asked.to_owned(),
                    dimensions: names.join(", "),
                },
            }
        })
    }

    /// Members that a ranking leaves out, by the place of their dimension.
    pub fn left_out(&self) -> Vec<(usize, &'a [String])> {
        let names = left_out(self.model, self.query);
        let place = |name: &str| self.query.dimensions.iter().position(|one| one == name);
        let all = names.into_iter();
        all.filter_map(|one| Some((place(&one.name)?, &*one.missing)))
            .collect()
    }

    /// Whether members that no fact has a row of pass the filters on metrics, as in "which had none".
    pub fn wants_members_without_rows(&self) -> bool {
        let passes = |filter: &ValueFilter| {
            check::passes(filter.op, &filter.numbers, 0.0)
                && self.adds_up(self.metrics[filter.metric])
        };
        !self.values.is_empty() && self.values.iter().all(passes)
    }

    /// Whether a metric is 0 where there is nothing, and not null.
    pub fn adds_up(&self, number: usize) -> bool {
        match self.model.metrics()[number].formula {
            Formula::Base { .. } => self.model.metrics()[number].kind != Kind::Average,
            Formula::Ratio { .. } | Formula::Derived(_) => false,
            Formula::Cumulative(of) => self.adds_up(of),
        }
    }
}

/// The dimensions of which a ranking leaves out the members that stand for none. A filter that names a member keeps
/// it.
pub fn left_out<'a>(model: &'a Model, query: &MetricQuery) -> Vec<&'a Dimension> {
    let by_metric = match query.order.first() {
        Some(order) => model.metric(&order.by).is_some(),
        None => query.grain.is_none(),
    };
    if query.limit.is_none() || query.metrics.is_empty() || !by_metric {
        return Vec::new();
    }
    let named = |dimension: &Dimension| {
        let chosen = |op: Op| matches!(op, Op::Is | Op::In);
        query
            .filters
            .iter()
            .any(|filter| filter.field == dimension.name && chosen(filter.op))
    };
    let dimensions = query.dimensions.iter();
    dimensions
        .filter_map(|name| model.dimension(name))
        .filter(|one| !one.missing.is_empty() && !named(one))
        .collect()
}
