//! Statements that read the members of dimensions.

use contracts::Language;

use super::{Column, ColumnType, Statement};
use crate::{Model, model::Dimension};

/// A statement for each dimension whose members only the database knows in full: rows of a code and its
/// names, in the order of [`Language::ALL`], or null for each where it has none.
pub fn vocabulary(model: &Model) -> Vec<(&Dimension, Statement)> {
    let known = |one: &&Dimension| {
        one.entity || one.values.is_empty() || one.display(Language::En).is_some()
    };
    let dimensions = model.dimensions().iter().filter(known);
    dimensions.map(|one| (one, statement(model, one))).collect()
}

fn statement(model: &Model, dimension: &Dimension) -> Statement {
    let source = &model.dataset(dimension.column.dataset).source;
    let code = &model.field(dimension.column).column;
    let mut out = vec![format!("{code} AS code")];
    let mut columns = vec![column("code")];
    for language in Language::ALL {
        let name = dimension.display(language).unwrap_or("NULL::text");
        out.push(format!("{name} AS name_{language}"));
        columns.push(column(&format!("name_{language}")));
    }
    Statement {
        sql: format!(
            "SELECT DISTINCT {} FROM {source} WHERE {code} IS NOT NULL ORDER BY 1",
            out.join(", ")
        ),
        binds: Vec::new(),
        columns,
    }
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        label: name.to_owned(),
        unit: None,
        kind: ColumnType::Text,
    }
}
