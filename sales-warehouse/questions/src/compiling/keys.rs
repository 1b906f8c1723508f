//! Which rows an answer has: `k`, with columns `t` and `d<number>`.

use super::{
    facts::{Slice, condition},
    joins::Joins,
    periods::{CALENDAR, CalendarPart as _},
    plan::Plan,
    writer::Writer,
};
use crate::model::Kind;

/// The columns that tell rows apart; none for a single row.
pub fn columns(plan: &Plan<'_>) -> Vec<String> {
    let time = plan.query.grain.map(|_| "t".to_owned());
    let dimensions = (0..plan.dimensions.len()).map(|number| format!("d{number}"));
    time.into_iter().chain(dimensions).collect()
}

/// Writes `k` over what these slices counted.
pub fn write(plan: &Plan<'_>, writer: &mut Writer, slices: &[Slice]) -> String {
    let keys = columns(plan).join(", ");
    if keys.is_empty() {
        return "k AS (SELECT)".to_owned();
    }
    let mut parts = Vec::new();
    for slice in slices {
        // What is compared with may lie so that its counterpart has not come yet.
        let until = match (slice.shift, plan.query.grain) {
            (Some(_), Some(_)) => format!("t <= {} AND ", writer.date(plan.today)),
            _ => String::new(),
        };
        for (number, fact) in plan.facts.iter().enumerate() {
            // A group whose rows no metric counts is no row: its only sale was refunded, for example.
            let any: Vec<String> = fact
                .counted
                .iter()
                .map(|(metric, _)| match plan.model.metrics()[*metric].kind {
                    Kind::Count | Kind::CountDistinct => format!("m{metric} <> 0"),
                    _ => format!("m{metric} IS NOT NULL"),
                })
                .collect();
            parts.push(format!(
                "SELECT {keys} FROM {}{number} WHERE {until}({})",
                slice.prefix,
                any.join(" OR ")
            ));
        }
    }
    let counted = parts.join("\n        UNION ");
    let empty_ones = plan.wants_members_without_rows();
    let more = match (plan.query.grain.is_some(), plan.dimensions.is_empty()) {
        (true, true) => {
            // A time without any row at all is no trend.
            let exists = if empty_ones {
                ""
            } else {
                " WHERE EXISTS (SELECT FROM u)"
            };
            Some(format!(
                "SELECT part::date AS t FROM {}{exists}",
                series(plan, writer)
            ))
        }
        (true, false) if empty_ones => {
            let parts = series(plan, writer);
            let members = members(plan, writer);
            Some(format!(
                "SELECT part::date AS t, {members} CROSS JOIN {parts}"
            ))
        }
        (false, false) if empty_ones => Some(format!("SELECT {}", members(plan, writer))),
        _ => None,
    };
    match more {
        None => format!("k AS (\n        {counted})"),
        Some(more) => format!(
            "u AS (\n        {counted}),\nk AS (\n    {more}\n    UNION SELECT {keys} FROM u)"
        ),
    }
}

/// Every part of the time asked about, or of what was counted: `g(part)`. Not beyond today.
fn series(plan: &Plan<'_>, writer: &mut Writer) -> String {
    let Some(grain) = plan.query.grain else {
        return String::new();
    };
    let time = plan.query.time;
    let first = match time.and_then(|time| time.from) {
        Some(from) => format!(
            "{}::date",
            writer.date(grain.first_day(from.max(CALENDAR.0)))
        ),
        None => "(SELECT min(t) FROM u)".to_owned(),
    };
    let last = match time.and_then(|time| time.to) {
        Some(to) => {
            let last = to.saturating_sub(time::Duration::DAY);
            format!(
                "{}::date",
                writer.date(last.min(plan.today).min(CALENDAR.1))
            )
        }
        None => "(SELECT max(t) FROM u)".to_owned(),
    };
    let step = grain.step();
    format!("generate_series({first}::timestamp, {last}::timestamp, {step}) AS g (part)")
}

/// All members of the dimensions, whether a fact has them or not: `a.d0, … FROM …`. Filters narrow them
/// where a member's own row says what is filtered by.
fn members(plan: &Plan<'_>, writer: &mut Writer) -> String {
    let datasets: Vec<usize> = plan
        .dimensions
        .iter()
        .map(|one| one.column.dataset)
        .collect();
    // A dataset that another one leads to goes with that: a campaign has one market.
    let leads = |from: usize, to: usize| from != to && plan.model.path(from, to).is_some();
    let mut roots: Vec<usize> = Vec::new();
    for dataset in &datasets {
        let led_to = datasets.iter().any(|from| leads(*from, *dataset));
        if !led_to && !roots.contains(dataset) {
            roots.push(*dataset);
        }
    }
    let mut names = vec![String::new(); plan.dimensions.len()];
    let mut tables = Vec::new();
    for (place, root) in roots.iter().enumerate() {
        let root = &standing(plan, *root).unwrap_or(*root);
        let mut joins = Joins::from(plan.model, *root);
        let (mut out, mut conditions) = (Vec::new(), Vec::new());
        for (number, dimension) in plan.dimensions.iter().enumerate() {
            let reached = plan.model.path(*root, dimension.column.dataset).is_some();
            if reached && names[number].is_empty() {
                names[number] = format!("a{place}.d{number}");
                let column = joins.column(dimension.column);
                conditions.push(format!("{column} IS NOT NULL"));
                out.push(format!("{column} AS d{number}"));
            }
        }
        for filter in &plan.members {
            if plan
                .model
                .path(*root, filter.dimension.column.dataset)
                .is_some()
            {
                conditions.push(condition(filter, &mut joins, writer));
            }
        }
        tables.push(format!(
            "(\n    SELECT DISTINCT {}\n    FROM {}\n    WHERE {}) AS a{place}",
            out.join(", "),
            joins.clause(&plan.model.dataset(*root).source),
            conditions.join(" AND ")
        ));
    }
    format!("{} FROM {}", names.join(", "), tables.join(" CROSS JOIN "))
}

/// The dataset that tells which of an entity's members a filter is about, where their own rows do not: campaigns on
/// LinkedIn are those with an ad there. It leads to them at once, has all that is filtered by, and no time: what
/// happened on a day is no lasting part of them.
fn standing(plan: &Plan<'_>, root: usize) -> Option<usize> {
    let model = plan.model;
    let entity = plan
        .dimensions
        .iter()
        .any(|one| one.entity && one.column.dataset == root);
    let filters = || plan.members.iter().map(|one| one.dimension.column.dataset);
    if !entity || filters().all(|to| model.path(root, to).is_some()) {
        return None;
    }
    (0..model.datasets().len()).find(|from| {
        let at_once = model.path(*from, root).is_some_and(|path| path.len() == 1);
        at_once
            && model.dataset(*from).time.is_none()
            && filters().all(|to| model.path(*from, to).is_some())
    })
}
