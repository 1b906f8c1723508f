//! Schema drift: the tables as they are against the tables as the warehouse knows them.

use std::collections::BTreeMap;

use crate::source::tables::MARKERS;
use crate::source::{Relation, SourceError, System};

type Columns = BTreeMap<String, String>;

/// Takes table, column, type of everything in the schema. Returns what is new; what is gone or of another
/// type is an error that names all of it.
pub fn check(
    system: System,
    found: Vec<(String, String, String)>,
) -> Result<Vec<String>, SourceError> {
    let mut tables = BTreeMap::<String, Columns>::new();
    for (table, column, kind) in found {
        tables.entry(table).or_default().insert(column, kind);
    }
    let (mut notices, mut faults) = (Vec::new(), Vec::new());
    for table in system.tables() {
        for relation in std::iter::once(&table.relation).chain(table.joined) {
            match tables.get(relation.name) {
                Some(columns) => compare(relation, columns, &mut notices, &mut faults),
                None => faults.push(format!("table {} is gone", relation.name)),
            }
        }
    }
    if faults.is_empty() {
        Ok(notices)
    } else {
        Err(SourceError::Drifted { system, faults })
    }
}

fn compare(
    relation: &Relation,
    columns: &Columns,
    notices: &mut Vec<String>,
    faults: &mut Vec<String>,
) {
    let table = relation.name;
    for (column, expected) in relation.columns.iter().chain(&MARKERS) {
        match columns.get(*column) {
            None => faults.push(format!("column {table}.{column} is gone")),
            Some(kind) if kind != expected => faults.push(format!(
                "column {table}.{column} is {kind}, expected {expected}"
            )),
            Some(_) => {}
        }
    }
    let known = |column: &str| {
        let read = relation.columns.iter().chain(&MARKERS);
        read.map(|(name, _)| *name)
            .chain(relation.unread.iter().copied())
            .any(|name| name == column)
    };
    for (column, kind) in columns.iter().filter(|(column, _)| !known(column)) {
        notices.push(format!(
            "column {table}.{column} ({kind}) is new and not read"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The schema as it should be.
    fn sound(system: System) -> Vec<(String, String, String)> {
        let relations = system
            .tables()
            .iter()
            .flat_map(|table| std::iter::once(&table.relation).chain(table.joined));
        let mut found = Vec::new();
        for relation in relations {
            for (column, kind) in relation.columns.iter().chain(&MARKERS) {
                found.push((
                    relation.name.to_owned(),
                    (*column).to_owned(),
                    (*kind).to_owned(),
                ));
            }
        }
        found
    }

    #[test]
    fn a_sound_schema_raises_nothing() {
        for system in System::ALL {
            assert!(check(system, sound(system)).unwrap().is_empty());
        }
    }

    #[test]
    fn every_fault_is_named() {
        let mut found = sound(System::PromptAds);
        found.retain(|(table, column, _)| table != "markets" && column != "cost");
        for (_, column, kind) in &mut found {
            if column == "impressions" {
                "integer".clone_into(kind);
            }
        }
        let error = check(System::PromptAds, found).unwrap_err().to_string();
        for part in [
            "table markets is gone",
            "column ad_daily.cost is gone",
            "column ad_daily.impressions is integer, expected bigint",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}
