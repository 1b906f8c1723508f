//! From parts to a metric query, by the conventions of `semantic/README.md`.
//!
//! Each rule marks the parts that it makes use of. What no rule has used is asked about: a question is
//! answered as a whole or not at all.

mod comparing;
mod filtering;
mod grouping;
mod measuring;
mod phrasing;
mod pricing;
mod ranking;
mod timing;

pub(crate) use phrasing::is_verb;
use time::Date;

use super::{
    lexicon::Lexicon,
    parts::{Part, What},
    text::Token,
    time::TimeFault,
    vocabulary::Role,
};
use crate::{
    MetricQuery,
    query::{Compare, Direction, Filter, Grain, Measure, TimeRange},
};

/// Why parts make no query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    /// What of it? Nothing says which metric.
    Measure,
    /// Which of these metrics does the part mean?
    Metrics(usize, Vec<usize>),
    /// Which of these members does the part mean?
    Members(usize, Vec<usize>),
    /// Holiday or theme?
    TimeOrMember(usize, Vec<usize>),
    /// Words that nothing explains, by their parts.
    Unexplained(Vec<usize>),
    /// Which of these dimensions does the part mean?
    Dimensions(usize, Vec<usize>),
    /// A name of this dimension that nothing is called.
    Name(usize, Vec<usize>),
    /// Count them, or list them?
    CountOrList(usize),
    Time(TimeFault),
    /// Two times that nothing compares.
    TwoTimes,
    /// No row can hold both; the dimension or metric.
    Contradiction(String),
    /// Metric, dimension.
    Unreachable(String, String),
    /// An average of a metric per this unit.
    Average(usize, Option<Grain>),
    /// How many members a dimension has.
    Members0(usize),
    /// Compare with what?
    Comparison,
    /// Single people.
    Person,
    /// Images to look at.
    Picture,
}

/// Builds a query from parts.
pub(crate) struct Shaper<'a> {
    lexicon: &'a Lexicon,
    /// All that was said, fillers too.
    tokens: &'a [Token],
    today: Date,
    parts: Vec<Part>,
    /// Stands in where no metric is named.
    assumed: Option<usize>,
    metrics: Vec<usize>,
    dimensions: Vec<usize>,
    filters: Vec<Filter>,
    time: Option<TimeRange>,
    grain: Option<Grain>,
    compare: Option<Compare>,
    measure: Option<Measure>,
    falls: bool,
    order: Option<(usize, Direction)>,
    within: Option<usize>,
    limit: Option<u32>,
    /// Dimensions whose members are held against each other.
    opposed: Vec<usize>,
    /// Metrics that a threshold names, in order.
    thresholds: Vec<usize>,
    /// Some metric must be zero.
    absent: bool,
}

/// The query that parts of `tokens` come to.
pub(crate) fn shape(
    lexicon: &Lexicon,
    tokens: &[Token],
    parts: Vec<Part>,
    today: Date,
    assumed: Option<usize>,
) -> Result<MetricQuery, Ask> {
    let shaper = Shaper {
        lexicon,
        tokens,
        today,
        parts,
        assumed,
        metrics: Vec::new(),
        dimensions: Vec::new(),
        filters: Vec::new(),
        time: None,
        grain: None,
        compare: None,
        measure: None,
        falls: false,
        order: None,
        within: None,
        limit: None,
        opposed: Vec::new(),
        thresholds: Vec::new(),
        absent: false,
    };
    shaper.run()
}

impl Shaper<'_> {
    fn run(mut self) -> Result<MetricQuery, Ask> {
        self.person()?;
        self.settle_times()?;
        self.settle_either()?;
        self.upgrade();
        self.phrases()?;
        self.thresholds()?;
        self.absences();
        self.settle_members()?;
        self.comparisons()?;
        self.members()?;
        self.alternatives()?;
        self.shares()?;
        self.averages()?;
        self.sold();
        self.groups()?;
        self.metrics()?;
        self.own_dimensions()?;
        self.conditions_on_totals()?;
        self.ranking()?;
        self.grains();
        self.leftovers()?;
        self.contradictions()?;
        self.reachable()?;
        Ok(self.query())
    }

    /// The nearest part before `at` that isn't one of `skip`.
    fn before(&self, at: usize, skip: impl Fn(&Part) -> bool) -> Option<usize> {
        (0..at).rev().find(|before| !skip(&self.parts[*before]))
    }

    /// Whether one of the words was said, as a filler or otherwise.
    fn says(&self, words: &[&str]) -> bool {
        self.tokens
            .iter()
            .any(|token| words.contains(&&*token.text))
    }

    fn role(&self, at: usize) -> Option<Role> {
        self.parts.get(at).and_then(Part::role)
    }

    fn has(&self, role: Role) -> bool {
        self.parts.iter().any(|part| part.is(role))
    }

    fn has_rank(&self) -> bool {
        self.parts.iter().any(|part| {
            matches!(part.what, What::Ranked(..)) || part.role().is_some_and(Role::is_rank)
        })
    }

    /// The first grain that is said, such as "monthly".
    fn first_grain(&self) -> Option<Grain> {
        self.parts
            .iter()
            .find_map(|part| part.role().and_then(grain_of))
    }

    fn has_grain(&self) -> bool {
        self.first_grain().is_some()
    }

    /// A question about single customers is about people.
    fn person(&self) -> Result<(), Ask> {
        let counted = |at: usize| {
            self.before(at, |part| {
                matches!(part.what, What::Members(_) | What::Number(_))
            })
            .is_some_and(|before| matches!(self.role(before), Some(Role::HowMany)))
        };
        let person = self.lexicon.metric_called("customers");
        let of_people = |part: &Part| {
            matches!(part.what, What::Members(_))
                && ["customer", "client", "cliente"]
                    .iter()
                    .any(|word| part.text.contains(word))
        };
        if self.has(Role::List) && self.parts.iter().any(of_people) {
            return Err(Ask::Person);
        }
        for (at, part) in self.parts.iter().enumerate() {
            let people = part.is(Role::Person)
                || (person.is_some()
                    && part.metric() == person
                    && part.text.split(' ').count() == 1);
            if !people || counted(at) {
                continue;
            }
            let chosen = self
                .before(at, |part| {
                    matches!(part.what, What::Number(_) | What::Members(_)) || part.is(Role::All)
                })
                .is_some_and(|before| {
                    let role = self.role(before);
                    let asked = matches!(role, Some(Role::Which))
                        || role.is_some_and(|role| {
                            matches!(role, Role::Best | Role::Worst | Role::Top)
                        });
                    asked && before + 3 > at
                });
            let listed = at.checked_sub(1).and_then(|before| self.role(before)) == Some(Role::List)
                && self
                    .parts
                    .iter()
                    .filter(|part| part.metric().is_some())
                    .count()
                    < 2
                && !self.has(Role::By)
                && !self.has_grain();
            if chosen || listed {
                return Err(Ask::Person);
            }
        }
        Ok(())
    }

    /// What no rule has used, unless it says nothing by itself.
    fn leftovers(&mut self) -> Result<(), Ask> {
        let mut unexplained = Vec::new();
        for at in 0..self.parts.len() {
            let part = &self.parts[at];
            if part.used || part.role().is_some_and(Role::is_light) || part.what == What::Break {
                continue;
            }
            // "By" is half a phrase: the other half tells whether it was understood.
            if part.is(Role::By) {
                let next = self.parts.get(at + 1);
                let verb = next.is_none_or(|next| next.used || next.role().is_some());
                if verb && next.is_some() {
                    continue;
                }
            }
            unexplained.push(at);
        }
        if unexplained.is_empty() {
            return Ok(());
        }
        if let [at] = unexplained[..]
            && let Some(dimension) = self.parts[at].dimension()
            && self
                .parts
                .get(at + 1)
                .is_some_and(|next| matches!(next.what, What::Members(_)))
        {
            // "The campaign Summer sale": a theme has that name, and so do campaigns.
            return Err(Ask::Name(dimension, vec![at + 1]));
        }
        let (nouns, words): (Vec<usize>, Vec<usize>) = unexplained.iter().partition(|at| {
            let dimension = self.parts[**at].dimension();
            dimension.is_some_and(|one| self.lexicon.model.dimensions()[one].entity)
        });
        let unknown =
            !words.is_empty() && words.iter().all(|at| self.parts[*at].what == What::Unknown);
        let noun = nouns.first().and_then(|at| self.parts[*at].dimension());
        match noun
            .or_else(|| self.names_beside(&words))
            .filter(|_| unknown)
        {
            Some(dimension) => Err(Ask::Name(dimension, words)),
            None => Err(Ask::Unexplained(unexplained)),
        }
    }

    /// The entity that unknown words stand beside: "the Moonlight Picnic campaign".
    fn names_beside(&self, unexplained: &[usize]) -> Option<usize> {
        let entity = |part: &Part| {
            match part.what {
                What::Dimension(dimension) | What::Either { dimension, .. } => Some(dimension),
                _ => None,
            }
            .filter(|dimension| {
                self.lexicon.model.dimensions()[*dimension].entity && !part.is_plural()
            })
        };
        let first = *unexplained.first()?;
        let last = *unexplained.last()?;
        let beside = [first.checked_sub(1), Some(last + 1)];
        beside
            .into_iter()
            .flatten()
            .find_map(|at| self.parts.get(at).and_then(entity))
    }

    fn contradictions(&self) -> Result<(), Ask> {
        use crate::query::{Op, Value};
        for filter in &self.filters {
            let same = self
                .filters
                .iter()
                .filter(|other| other.field == filter.field);
            let mut least = f64::NEG_INFINITY;
            let mut most = f64::INFINITY;
            for other in same {
                match (&other.op, &other.value) {
                    (Op::Above | Op::AtLeast, Value::Number(value)) => least = least.max(*value),
                    (Op::Below | Op::AtMost, Value::Number(value)) => most = most.min(*value),
                    (Op::Is, Value::Number(value)) => {
                        least = least.max(*value);
                        most = most.min(*value);
                    }
                    (Op::Between, Value::Numbers(ends)) => {
                        least = least.max(ends.first().copied().unwrap_or(least));
                        most = most.min(ends.last().copied().unwrap_or(most));
                    }
                    _ => {}
                }
            }
            if least > most {
                return Err(Ask::Contradiction(filter.field.clone()));
            }
        }
        Ok(())
    }

    fn reachable(&self) -> Result<(), Ask> {
        let model = &self.lexicon.model;
        let fields: Vec<&str> = self
            .dimensions
            .iter()
            .map(|place| &*model.dimensions()[*place].name)
            .chain(
                self.filters
                    .iter()
                    .map(|filter| &*filter.field)
                    .filter(|field| model.dimension(field).is_some()),
            )
            .collect();
        if self.metrics.is_empty()
            && let Some(listed) = self.dimensions.first()
            && !self.listable(&fields)
        {
            // Images of something are looked for, not listed.
            if Some(*listed) == self.lexicon.dimension_called("image") {
                return Err(Ask::Picture);
            }
            let name = model.dimensions()[*listed].name.clone();
            return Err(Ask::Unreachable(
                name,
                (*fields.last().unwrap_or(&"")).to_owned(),
            ));
        }
        let asked = self
            .metrics
            .iter()
            .map(|place| &*model.metrics()[*place].name)
            .chain(
                self.filters
                    .iter()
                    .map(|filter| &*filter.field)
                    .filter(|field| model.metric(field).is_some()),
            );
        for metric in asked {
            if let Some(field) = fields.iter().find(|field| !model.reaches(metric, field)) {
                return Err(Ask::Unreachable(metric.to_owned(), (*field).to_owned()));
            }
        }
        Ok(())
    }

    /// Whether some rows have all of these dimensions.
    fn listable(&self, fields: &[&str]) -> bool {
        let model = &self.lexicon.model;
        let needed: Vec<usize> = fields
            .iter()
            .filter_map(|field| model.dimension(field))
            .map(|one| one.column.dataset)
            .collect();
        (0..model.datasets().len())
            .any(|from| needed.iter().all(|to| model.path(from, *to).is_some()))
    }

    fn query(self) -> MetricQuery {
        use crate::query::Order;
        let model = &self.lexicon.model;
        let metric = |place: &usize| model.metrics()[*place].name.clone();
        let dimension = |place: &usize| model.dimensions()[*place].name.clone();
        let order = self.order.map(|(by, dir)| Order {
            by: metric(&by),
            dir,
            within: self.within.as_ref().map(dimension),
            measure: self.measure.filter(|_| self.compare.is_some()),
        });
        let mut filters = self.filters;
        filters.sort_by(|a, b| a.field.cmp(&b.field));
        MetricQuery {
            metrics: self.metrics.iter().map(metric).collect(),
            dimensions: self.dimensions.iter().map(dimension).collect(),
            filters,
            time: self.time,
            grain: self.grain,
            order: order.into_iter().collect(),
            limit: self.limit,
            compare: self.compare,
        }
    }
}

/// The grain that a role asks for.
fn grain_of(role: Role) -> Option<Grain> {
    Some(match role {
        Role::Day => Grain::Day,
        Role::Week => Grain::Week,
        Role::Month => Grain::Month,
        Role::Quarter => Grain::Quarter,
        Role::Year => Grain::Year,
        _ => return None,
    })
}
