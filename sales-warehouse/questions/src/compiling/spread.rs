//! Facts told apart by what they have several of, as hashtags: counted first by what leads to the bridge, and only then
//! spread over its members. So a join multiplies sums, which are few, and not rows.

use super::{
    facts::{Slice, compared},
    plan::{Fact, Plan},
    writer::Writer,
};
use crate::model::Kind;

/// The dimension that a fact is spread over.
pub struct Spread {
    /// Its place in the query.
    number: usize,
    /// The bridge's column that leads back.
    key: String,
    /// Metrics, by their place in the model.
    metrics: Vec<usize>,
}

impl Spread {
    /// `None` where there is nothing to spread, or what is counted does not add up: different things are counted over
    /// the joined rows, where one that comes several times is still one.
    pub fn of(plan: &Plan<'_>, slice: Slice, fact: &Fact<'_>) -> Option<Self> {
        let mut dimensions = plan.dimensions.iter();
        let number = dimensions.position(|one| plan.model.is_bridged(one))?;
        let to = plan.dimensions[number].column.dataset;
        let last = plan.model.path(fact.dataset, to)?.last()?;
        let key = plan.model.relationship(*last).to_columns.first()?;
        let adds_up = |(metric, _): &(usize, _)| {
            let kind = plan.model.metrics()[*metric].kind;
            matches!(kind, Kind::Sum | Kind::Count)
        };
        let spread = slice.grouped && fact.counted.iter().all(adds_up);
        spread.then(|| Self {
            number,
            key: key.clone(),
            metrics: fact.counted.iter().map(|(metric, _)| *metric).collect(),
        })
    }

    /// What was counted, whose `d<number>` is what leads to the bridge, by the bridge's members.
    pub fn over(
        &self,
        plan: &Plan<'_>,
        writer: &mut Writer,
        slice: Slice,
        counted: &str,
    ) -> String {
        let dimension = plan.dimensions[self.number];
        let dataset = plan.model.dataset(dimension.column.dataset);
        let column = &plan.model.field(dimension.column).column;
        let time = slice.grain.map(|_| "c.t".to_owned());
        let members = (0..plan.dimensions.len()).map(|number| {
            if number == self.number {
                format!("h.{column} AS d{number}")
            } else {
                format!("c.d{number}")
            }
        });
        let mut out: Vec<String> = time.into_iter().chain(members).collect();
        let groups = (1..=out.len()).map(|one| one.to_string());
        let groups: Vec<String> = groups.collect();
        out.extend(
            self.metrics
                .iter()
                .map(|metric| format!("sum(c.m{metric}) AS m{metric}")),
        );
        let filters = plan
            .members
            .iter()
            .filter(|one| one.dimension.name == dimension.name)
            .map(|one| compared(one, one.op, &format!("h.{column}"), writer));
        let filters: Vec<String> = filters.collect();
        let kept = if filters.is_empty() {
            String::new()
        } else {
            format!("\n    WHERE {}", filters.join(" AND "))
        };
        format!(
            "    SELECT {}\n    FROM (\n{counted}) AS c\n    JOIN {} AS h ON h.{} = c.d{}{kept}\n    GROUP BY {}",
            out.join(", "),
            dataset.source,
            self.key,
            self.number,
            groups.join(", ")
        )
    }
}
