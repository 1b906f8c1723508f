//! One fact, counted: `f0 AS (SELECT …)`.

use super::{
    joins::Joins,
    periods::{CalendarPart as _, Shift},
    plan::{Fact, MemberFilter, Plan},
    rollup,
    spread::Spread,
    writer::Writer,
};
use crate::{
    compiling::Bind,
    model::{Column, Interval},
    query::{Grain, Op, TimeRange},
};

/// Under which conditions the facts are counted.
#[derive(Clone, Copy)]
pub struct Slice {
    /// Of the names of what it writes: `f`, `p`, `s`.
    pub prefix: char,
    pub range: Option<TimeRange>,
    /// Moves parts of time to those that they are compared with.
    pub shift: Option<Shift>,
    /// Whether rows are told apart by the dimensions. If not, filters on these do not hold either: it is the
    /// total that a share is of.
    pub grouped: bool,
    pub grain: Option<Grain>,
}

/// Writes each fact of the plan as `<prefix><number>`, with columns `t`, `d<number>`, `m<metric>`.
pub fn write(plan: &Plan<'_>, writer: &mut Writer, slice: Slice) -> Vec<String> {
    let facts = plan.facts.iter().enumerate();
    facts
        .map(|(number, fact)| {
            let select = select(plan, writer, slice, fact);
            format!("{}{number} AS (\n{select})", slice.prefix)
        })
        .collect()
}

fn select(plan: &Plan<'_>, writer: &mut Writer, slice: Slice, fact: &Fact<'_>) -> String {
    let mut joins = Joins::from(plan.model, fact.dataset);
    let (mut out, mut conditions) = (Vec::new(), Vec::new());
    let mut parts_of_time = String::new();
    match (fact.interval, fact.time) {
        (Some(interval), _) => {
            let from = joins.column(interval.from);
            let to = joins.column(interval.to);
            let span = Span { from, to, interval };
            match slice.grain {
                Some(grain) => {
                    parts_of_time = span.parts(plan, writer, slice, grain);
                    conditions.push(format!("{} IS NOT NULL", span.from));
                    out.push(format!("{} AS t", shifted("g.part", slice.shift, true)));
                }
                None => span.overlaps(writer, slice.range, &mut conditions),
            }
        }
        (None, Some(time)) => {
            let column = joins.column(time);
            within(writer, &column, slice.range, &mut conditions);
            if let Some(grain) = slice.grain {
                conditions.push(format!("{column} IS NOT NULL"));
                conditions.extend(counterpart(&column, grain, slice.shift));
                out.push(format!("{} AS t", part(&column, grain, slice.shift)));
            }
        }
        (None, None) => {}
    }
    let grouped = slice.grouped;
    let spread = Spread::of(plan, slice, fact);
    for (number, dimension) in plan.dimensions.iter().enumerate() {
        if let Some(bridge) = joins.bridge(dimension.column)
            && (!grouped || spread.is_some())
        {
            conditions.push(bridge.exists(None));
            if grouped {
                out.push(format!("{} AS d{number}", bridge.from));
            }
            continue;
        }
        let column = joins.column(dimension.column);
        // What has no member, such as a sale without a campaign, has no row; a total is over all members.
        conditions.push(format!("{column} IS NOT NULL"));
        if grouped {
            out.push(format!("{column} AS d{number}"));
        }
    }
    own_places(plan, fact, &mut joins, &mut conditions);
    let groups = out.len();
    for filter in &plan.members {
        let asked = plan
            .dimensions
            .iter()
            .any(|one| one.name == filter.dimension.name);
        // What is spread is filtered where it is spread.
        let spreads = spread.is_some() && plan.model.is_bridged(filter.dimension);
        if !asked || grouped && !spreads {
            conditions.push(condition(filter, &mut joins, writer));
        }
    }
    let mut counted: Vec<String> = Vec::new();
    for (metric, expression) in &fact.counted {
        let needed: Vec<(Column, String)> = expression
            .names()
            .map(|column| (column, joins.column(column)))
            .collect();
        let text = expression.render(|column| {
            let found = needed.iter().find(|(one, _)| *one == column);
            found.map_or_else(String::new, |(_, text)| text.clone())
        });
        counted.push(format!("{text} AS m{metric}"));
    }
    let rows = rollup::choose(plan.model, fact, slice, &joins, writer);
    out.extend(counted.into_iter().map(|text| rows.counted(text)));
    let clause = joins.clause(&rows.source);
    let mut text = format!("    SELECT {}\n    FROM {clause}", out.join(", "));
    text += &parts_of_time;
    if !conditions.is_empty() {
        text += &format!("\n    WHERE {}", conditions.join("\n        AND "));
    }
    if groups > 0 {
        let numbers: Vec<String> = (1..=groups).map(|one| one.to_string()).collect();
        text += &format!("\n    GROUP BY {}", numbers.join(", "));
    }
    match spread {
        Some(spread) => spread.over(plan, writer, slice, &text),
        None => text,
    }
}

/// Where rows are told apart by campaign, a market is the campaign's and the fact's: a campaign for Mexico counts
/// what it did there, and another country's campaign is none of Mexico's for having sold one thing to a Mexican.
fn own_places(
    plan: &Plan<'_>,
    fact: &Fact<'_>,
    joins: &mut Joins<'_>,
    conditions: &mut Vec<String>,
) {
    let path = |from: usize, to: usize| plan.model.path(from, to).map(<[usize]>::to_vec);
    let of_filters = plan.members.iter().map(|filter| filter.dimension);
    let used = plan.dimensions.iter().copied().chain(of_filters);
    for place in used {
        let column = place.column;
        // What has several members lies in no one of them.
        if plan.model.is_bridged(place) {
            continue;
        }
        for entity in plan.dimensions.iter().filter(|one| one.entity) {
            let owner = entity.column.dataset;
            let (Some(mut owned), Some(on), Some(direct)) = (
                path(fact.dataset, owner),
                path(owner, column.dataset).filter(|on| !on.is_empty()),
                path(fact.dataset, column.dataset),
            ) else {
                continue;
            };
            owned.extend(on);
            if owned == direct {
                continue;
            }
            let same = format!(
                "{} = {}",
                joins.column_by(&direct, column),
                joins.column_by(&owned, column)
            );
            if !conditions.contains(&same) {
                conditions.push(same);
            }
        }
    }
}

/// A filter on a dimension as a condition. Of what may have several members it holds if one of them is meant; and if
/// it has some, but none of those that are not.
pub fn condition(filter: &MemberFilter<'_>, joins: &mut Joins<'_>, writer: &mut Writer) -> String {
    if let Some(bridge) = joins.bridge(filter.dimension.column) {
        let (op, but_not) = match filter.op {
            Op::NotIn => (Op::In, true),
            Op::IsNot => (Op::Is, true),
            other => (other, false),
        };
        let one = compared(filter, op, &format!("h.{}", bridge.column), writer);
        let held = bridge.exists(Some(&one));
        return if but_not {
            format!("{} AND NOT {held}", bridge.exists(None))
        } else {
            held
        };
    }
    let column = joins.column(filter.dimension.column);
    compared(filter, filter.op, &column, writer)
}

/// A column against a filter's members.
pub(super) fn compared(
    filter: &MemberFilter<'_>,
    op: Op,
    column: &str,
    writer: &mut Writer,
) -> String {
    let many = || Bind::Texts(filter.members.clone());
    let one = || Bind::Text(filter.members[0].clone());
    match op {
        Op::In => format!("{column} = ANY({})", writer.bind(many())),
        Op::NotIn => format!("{column} <> ALL({})", writer.bind(many())),
        Op::IsNot => format!("{column} <> {}", writer.bind(one())),
        _ => format!("{column} = {}", writer.bind(one())),
    }
}

/// A day within a range, as conditions that partitions can be pruned by.
pub fn within(
    writer: &mut Writer,
    column: &str,
    range: Option<TimeRange>,
    conditions: &mut Vec<String>,
) {
    let Some(range) = range else {
        return;
    };
    if let Some(from) = range.from {
        conditions.push(format!("{column} >= {}", writer.date(from)));
    }
    if let Some(to) = range.to {
        conditions.push(format!("{column} < {}", writer.date(to)));
    }
}

/// The first day of the part of time that a day lies in. Truncated as a timestamp: a date would become one
/// in the session's time zone.
fn part(column: &str, grain: Grain, shift: Option<Shift>) -> String {
    if grain == Grain::Day {
        return shifted(column, shift, false);
    }
    let part = format!("date_trunc('{}', {column}::timestamp)", grain.unit());
    shifted(&part, shift, true)
}

/// A day that the other month does not have, as 29 February, is compared with none: moved, it would fall on the day
/// before it.
fn counterpart(column: &str, grain: Grain, shift: Option<Shift>) -> Option<String> {
    let Some(shift @ Shift::Months(_)) = shift.filter(|_| grain == Grain::Day) else {
        return None;
    };
    Some(format!(
        "date_part('day', {column} + {}) = date_part('day', {column})",
        shift.sql()
    ))
}

fn shifted(day: &str, shift: Option<Shift>, is_timestamp: bool) -> String {
    match shift {
        Some(shift) => format!("({day} + {})::date", shift.sql()),
        None if is_timestamp => format!("{day}::date"),
        None => day.to_owned(),
    }
}

/// What holds from a day to a day, both included; without an end while it lasts.
struct Span<'a> {
    from: String,
    to: String,
    interval: &'a Interval,
}

impl Span<'_> {
    fn overlaps(
        &self,
        writer: &mut Writer,
        range: Option<TimeRange>,
        conditions: &mut Vec<String>,
    ) {
        let range = range.unwrap_or(TimeRange {
            from: None,
            to: None,
        });
        conditions.push(format!("{} IS NOT NULL", self.from));
        if let Some(to) = range.to {
            conditions.push(format!("{} < {}", self.from, writer.date(to)));
        }
        if let Some(from) = range.from {
            let from = writer.date(from);
            conditions.push(format!("coalesce({} >= {from}, true)", self.to));
        }
    }

    /// A join with each part of time that it overlaps, as `g(part)`: those of the range, up to today.
    fn parts(&self, plan: &Plan<'_>, writer: &mut Writer, slice: Slice, grain: Grain) -> String {
        let range = slice.range.unwrap_or(TimeRange {
            from: None,
            to: None,
        });
        let (unit, step) = (grain.unit(), grain.step());
        let first = match range.from {
            Some(from) => writer.date(grain.first_day(from)),
            None => {
                let source = &plan.model.dataset(self.interval.from.dataset).source;
                let column = &plan.model.field(self.interval.from).column;
                format!("(SELECT min({column}) FROM {source})")
            }
        };
        let last = range.to.map_or(plan.today, |to| {
            to.saturating_sub(time::Duration::DAY).min(plan.today)
        });
        let last = writer.date(last);
        let mut text = format!(
            "\n    JOIN generate_series(date_trunc('{unit}', {first}::timestamp), {last}::timestamp, {step}) AS g (part)"
        );
        let (mut from, mut end) = ("g.part".to_owned(), format!("g.part + {step}"));
        // The first and the last part may be cut.
        if let Some(day) = range.from {
            from = format!("greatest({from}, {}::timestamp)", writer.date(day));
        }
        if let Some(day) = range.to {
            end = format!("least({end}, {}::timestamp)", writer.date(day));
        }
        let last_day = format!("least({end}, {last}::timestamp + interval '1 day')");
        text += &format!(
            "\n        ON {} < {last_day} AND coalesce({} >= {from}, true)",
            self.from, self.to
        );
        text
    }
}
