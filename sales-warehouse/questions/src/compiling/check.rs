//! What makes a query well formed, before anything is written.

use super::CompileError;
use crate::query::{Baseline, Compare, Filter, Measure, MetricQuery, Op, Order, TimeRange, Value};

/// Most rows that a query may ask for.
pub const MAX_LIMIT: u32 = 1_000;
/// Most rows of an answer.
pub const MAX_ROWS: u32 = 1_000;
const MAX_METRICS: usize = 10;
const MAX_DIMENSIONS: usize = 6;
const MAX_FILTERS: usize = 20;
const MAX_MEMBERS: usize = 500;
const MAX_ORDERS: usize = 5;

/// Bounds, and what can be seen without a model.
pub fn bounds(query: &MetricQuery) -> Result<(), CompileError> {
    if query.metrics.is_empty() && query.dimensions.is_empty() {
        return Err(CompileError::Empty);
    }
    for (what, count, most) in [
        ("metrics", query.metrics.len(), MAX_METRICS),
        ("dimensions", query.dimensions.len(), MAX_DIMENSIONS),
        ("filters", query.filters.len(), MAX_FILTERS),
        ("orders", query.order.len(), MAX_ORDERS),
    ] {
        if count > most {
            return Err(CompileError::TooMany { what, count, most });
        }
    }
    for names in [&query.metrics, &query.dimensions] {
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) {
                return Err(CompileError::Twice(name.clone()));
            }
        }
    }
    if let Some(limit) = query.limit.filter(|one| !(1..=MAX_LIMIT).contains(one)) {
        let most = MAX_LIMIT;
        return Err(CompileError::BadLimit { limit, most });
    }
    query.time.map_or(Ok(()), range)?;
    if let Some(Compare::Range(other)) = query.compare {
        range(other)?;
    }
    let shares = query.compare == Some(Compare::With(Baseline::ShareOfTotal));
    if shares && query.dimensions.is_empty() && query.grain.is_none() {
        let why = "a share needs a dimension or a grain to be a share of";
        return Err(CompileError::BadCompare(why));
    }
    if query.compare.is_some() && query.metrics.is_empty() {
        let why = "it needs a metric";
        return Err(CompileError::BadCompare(why));
    }
    query
        .order
        .iter()
        .try_for_each(|order| check_order(query, order))
}

fn range(range: TimeRange) -> Result<(), CompileError> {
    match range.from.zip(range.to) {
        Some((from, to)) if from >= to => Err(CompileError::EmptyTime {
            from: from.to_string(),
            to: to.to_string(),
        }),
        _ => Ok(()),
    }
}

fn check_order(query: &MetricQuery, order: &Order) -> Result<(), CompileError> {
    let bad = |why| {
        Err(CompileError::BadOrder {
            by: order.by.clone(),
            why,
        })
    };
    let shares = query.compare == Some(Compare::With(Baseline::ShareOfTotal));
    match order.measure {
        None | Some(Measure::Value) => {}
        Some(Measure::Share) if shares => {}
        Some(Measure::Share) => return bad("a share needs the comparison share_of_total"),
        Some(_) if shares || query.compare.is_none() => {
            return bad("it needs a comparison with another time");
        }
        Some(_) => {}
    }
    let is_dimension = query.dimensions.contains(&order.by);
    if (is_dimension || order.by == Order::TIME) && order.measure.is_some() {
        return bad("only a metric has a measure");
    }
    if order.by == Order::TIME && query.grain.is_none() {
        return bad("time needs a grain");
    }
    if let Some(within) = &order.within {
        if !query.dimensions.contains(within) {
            return bad("within must be one of the dimensions");
        }
        if query.limit.is_none() {
            return bad("within needs a limit");
        }
    }
    Ok(())
}

/// The members that a filter on a dimension names.
pub fn members(filter: &Filter) -> Result<Vec<String>, CompileError> {
    let bad = |expected| CompileError::BadValue {
        field: filter.field.clone(),
        expected,
    };
    match (filter.op, &filter.value) {
        (Op::Is | Op::IsNot, Value::Member(one)) => Ok(vec![one.clone()]),
        (Op::Is | Op::IsNot, _) => Err(bad("one member, as text")),
        (Op::In | Op::NotIn, Value::Members(all)) if all.len() > MAX_MEMBERS => {
            Err(CompileError::TooMany {
                what: "members",
                count: all.len(),
                most: MAX_MEMBERS,
            })
        }
        (Op::In | Op::NotIn, Value::Members(all)) if !all.is_empty() => Ok(all.clone()),
        (Op::In | Op::NotIn, _) => Err(bad("a list of members, as text, with at least one")),
        _ => Err(CompileError::BadOperation {
            field: filter.field.clone(),
            op: filter.op.symbol(),
            expected: "a dimension takes =, !=, in, not_in",
        }),
    }
}

/// The numbers that a filter on a metric names: one, or two for `between`.
pub fn numbers(filter: &Filter) -> Result<Vec<f64>, CompileError> {
    let bad = |expected| CompileError::BadValue {
        field: filter.field.clone(),
        expected,
    };
    match (filter.op, &filter.value) {
        (Op::In | Op::NotIn, _) => Err(CompileError::BadOperation {
            field: filter.field.clone(),
            op: filter.op.symbol(),
            expected: "a metric takes =, !=, >, >=, <, <=, between",
        }),
        (Op::Between, Value::Numbers(two)) if two.len() == 2 && two[0] <= two[1] => Ok(two.clone()),
        (Op::Between, _) => Err(bad("two numbers, the smaller first")),
        (_, Value::Number(one)) if one.is_finite() => Ok(vec![*one]),
        _ => Err(bad("one number")),
    }
}

/// Whether a number passes a filter on a metric.
pub fn passes(op: Op, numbers: &[f64], number: f64) -> bool {
    let first = numbers[0];
    match op {
        Op::Is => number == first,
        Op::IsNot => number != first,
        Op::Above => number > first,
        Op::AtLeast => number >= first,
        Op::Below => number < first,
        Op::AtMost => number <= first,
        Op::Between => first <= number && number <= numbers[1],
        Op::In | Op::NotIn => false,
    }
}
