//! Where a fact's rows are read from: the dataset, or a table in which they are added up already.

use std::collections::BTreeSet;

use super::{facts::Slice, joins::Joins, periods::CalendarPart as _, plan::Fact, writer::Writer};
use crate::{
    model::{Dataset, Model, Rollup},
    query::{Grain, TimeRange},
};

/// What stands after `FROM`, for the alias `b`.
pub struct Rows {
    pub source: String,
    /// The column of which no two rows have the same.
    key: Option<String>,
}

impl Rows {
    /// An expression over them: different keys are rows, which need not be told apart.
    pub fn counted(&self, text: String) -> String {
        match &self.key {
            Some(key) => text.replace(
                &format!("COUNT(DISTINCT b.{key})"),
                &format!("COUNT(b.{key})"),
            ),
            None => text,
        }
    }
}

/// The first rollup that has what is read and comes to the same, or the dataset.
pub fn choose(
    model: &Model,
    fact: &Fact<'_>,
    slice: Slice,
    joins: &Joins<'_>,
    writer: &mut Writer,
) -> Rows {
    let dataset = model.dataset(fact.dataset);
    let used = joins.used();
    let column = |field: usize| dataset.fields[field].column.as_str();
    let found = dataset.rollups.iter().find_map(|rollup| {
        let whole = !rollup.without.iter().any(|one| used.contains(column(*one)));
        let adds_up = fact.counted.iter().all(|(_, expression)| {
            expression
                .adds_up(|name| name.dataset == fact.dataset && rollup.sums.contains(&name.field))
        });
        if fact.interval.is_some() || !whole || !adds_up {
            return None;
        }
        if !rollup.by_month {
            return Some((rollup.source.clone(), rollup.key));
        }
        let source = by_month(dataset, rollup, fact, slice, &used, writer)?;
        Some((source, rollup.key))
    });
    match found {
        Some((source, key)) => Rows {
            source,
            key: key
                .filter(|_| !joins.multiplies())
                .map(|field| column(field).to_owned()),
        },
        None => Rows {
            source: dataset.source.clone(),
            key: None,
        },
    }
}

/// Whole months from the rollup, and the days before and after them from the dataset.
fn by_month(
    dataset: &Dataset,
    rollup: &Rollup,
    fact: &Fact<'_>,
    slice: Slice,
    used: &BTreeSet<&str>,
    writer: &mut Writer,
) -> Option<String> {
    let time = fact.time.filter(|one| one.dataset == fact.dataset)?;
    if dataset.time != Some(time.field) || matches!(slice.grain, Some(Grain::Day | Grain::Week)) {
        return None;
    }
    let range = slice.range.unwrap_or(TimeRange {
        from: None,
        to: None,
    });
    let first = range.from.map(|from| match Grain::Month.first_day(from) {
        day if day == from => day,
        day => Grain::Month.first_day(day.saturating_add(time::Duration::days(31))),
    });
    let last = range.to.map(|to| Grain::Month.first_day(to));
    if first.zip(last).is_some_and(|(first, last)| first >= last) {
        return None;
    }
    let day = &dataset.fields[time.field].column;
    let mut edges = Vec::new();
    let mut inner = Vec::new();
    if let Some((from, first)) = range.from.zip(first).filter(|(from, first)| from != first) {
        let (from, first) = (writer.date(from), writer.date(first));
        inner.push(format!("{day} >= {first}"));
        edges.push(format!("{day} >= {from} AND {day} < {first}"));
    }
    if let Some((to, last)) = range.to.zip(last).filter(|(to, last)| to != last) {
        let (to, last) = (writer.date(to), writer.date(last));
        inner.push(format!("{day} < {last}"));
        edges.push(format!("{day} >= {last} AND {day} < {to}"));
    }
    if edges.is_empty() {
        return Some(rollup.source.clone());
    }
    let columns = used.iter().copied().collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "(\n        SELECT {columns} FROM {} WHERE {}",
        rollup.source,
        inner.join(" AND ")
    );
    for edge in edges {
        text += &format!(
            "\n        UNION ALL SELECT {columns} FROM {} WHERE {edge}",
            dataset.source
        );
    }
    Some(text + ")")
}
