//! A query without metrics: the members of its dimensions.

use super::{
    Column, CompileError,
    facts::{condition, within},
    joins::Joins,
    output,
    plan::Plan,
    writer::Writer,
};

pub fn write(plan: &Plan<'_>, writer: &mut Writer) -> Result<(String, Vec<Column>), CompileError> {
    let names = || plan.query.dimensions.join(", ");
    if plan.query.grain.is_some() {
        return Err(CompileError::NoDate(format!("a list of {}", names())));
    }
    let dataset = dataset(plan).ok_or_else(|| CompileError::NothingConnects(names()))?;
    let mut joins = Joins::from(plan.model, dataset);
    let (mut out, mut conditions) = (Vec::new(), Vec::new());
    for (number, dimension) in plan.dimensions.iter().enumerate() {
        let column = joins.column(dimension.column);
        conditions.push(format!("{column} IS NOT NULL"));
        out.push(format!("{column} AS d{number}"));
    }
    for filter in &plan.members {
        conditions.push(condition(filter, &mut joins, writer));
    }
    if plan.query.time.is_some() {
        let Some(field) = plan.model.dataset(dataset).time else {
            return Err(CompileError::NoDate(format!("a list of {}", names())));
        };
        let column = joins.column(crate::model::Column { dataset, field });
        within(writer, &column, plan.query.time, &mut conditions);
    }
    let rows = format!(
        "WITH r AS (\n    SELECT DISTINCT {}\n    FROM {}\n    WHERE {})",
        out.join(", "),
        joins.clause(&plan.model.dataset(dataset).source),
        conditions.join("\n        AND ")
    );
    let (select, columns) = output::select(plan, writer);
    Ok((format!("{rows},\n{select}"), columns))
}

/// Whose rows have all that is asked for; the one with the fewest joins.
fn dataset(plan: &Plan<'_>) -> Option<usize> {
    let of_filters = plan.members.iter().map(|filter| filter.dimension);
    let needed: Vec<usize> = plan
        .dimensions
        .iter()
        .copied()
        .chain(of_filters)
        .map(|dimension| dimension.column.dataset)
        .collect();
    let joins = |from: usize| -> Option<usize> {
        let lengths = needed
            .iter()
            .map(|to| Some(plan.model.path(from, *to)?.len()));
        lengths.sum()
    };
    let all = 0..plan.model.datasets().len();
    let counted = all.filter_map(|from| Some((joins(from)?, from)));
    counted.min().map(|(_, from)| from)
}
