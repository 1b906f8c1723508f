//! Where to go on from an answer.

use super::{Answered, Cell};
use crate::{
    MetricQuery, compile,
    eval::REFERENCE_DAY,
    query::{Filter, Op, Value},
};

/// The first row's breakdown by what its dimension drills down to; `None` where there is nothing to go on to.
pub fn next(answered: &Answered<'_>) -> Option<MetricQuery> {
    let Answered { model, query, .. } = *answered;
    let [name] = &query.dimensions[..] else {
        return None;
    };
    let dimension = model.dimension(name)?;
    let onward = dimension.drill.as_ref()?;
    let place = answered.columns.iter().position(|one| one.name == *name)?;
    let Cell::Text(member) = &answered.rows.first()?[place] else {
        return None;
    };
    if query.metrics.is_empty() || dimension.missing.contains(member) {
        return None;
    }
    let mut filters: Vec<Filter> = query
        .filters
        .iter()
        .filter(|one| one.field != *name && model.dimension(&one.field).is_some())
        .cloned()
        .collect();
    filters.push(Filter {
        field: name.clone(),
        op: Op::Is,
        value: Value::Member(member.clone()),
    });
    let next = MetricQuery {
        metrics: query.metrics.clone(),
        dimensions: vec![onward.clone()],
        filters,
        time: query.time,
        ..MetricQuery::default()
    }
    .normal();
    // Without a grain nothing ends today, whichever day that is.
    compile(model, &next, answered.language, REFERENCE_DAY)
        .is_ok()
        .then_some(next)
}
