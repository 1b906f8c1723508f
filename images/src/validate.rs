//! Every rule of the catalogue. A rule that only a person can judge stands in the README instead.

mod labels;
mod likeness;
mod picture;
mod rights;
mod texts;

use std::{collections::BTreeMap, fmt};

use contracts::ImageId;

use crate::catalogue::{Catalogue, CatalogueEntry, Fault};

/// Checks every rule on every entry, and entries against each other; empty when all is well.
///
/// Decodes every image, so it is a tool for contributors and tests, and no part of a start-up.
pub fn validate(catalogue: &Catalogue) -> Vec<Fault> {
    let mut faults = Vec::new();
    for entry in catalogue {
        let mut report = Report {
            entry,
            faults: &mut faults,
        };
        name(&mut report);
        labels::check(&mut report);
        rights::check(&mut report);
        texts::check(&mut report);
        picture::check(&mut report);
    }
    unique_ids(catalogue, &mut faults);
    likeness::check(catalogue, &mut faults);
    faults
}

/// Faults of one entry on their way to the list.
struct Report<'a> {
    entry: &'a CatalogueEntry,
    faults: &'a mut Vec<Fault>,
}

impl Report<'_> {
    fn fault(&mut self, reason: impl fmt::Display) {
        self.faults
            .push(Fault::new(self.entry.file.as_str(), reason));
    }
}

fn name(report: &mut Report<'_>) {
    let id = &report.entry.id;
    if report.entry.file != format!("{id}.toml") {
        report.fault(format_args!(
            "the id is '{id}': expected the file's name without its extension"
        ));
    }
}

fn unique_ids(catalogue: &Catalogue, faults: &mut Vec<Fault>) {
    let mut first: BTreeMap<&ImageId, &CatalogueEntry> = BTreeMap::new();
    for entry in catalogue {
        if let Some(other) = first.insert(&entry.id, entry) {
            let reason = format!(
                "the id '{}' is also that of {}: ids are unique",
                entry.id, other.file
            );
            faults.push(Fault::new(entry.file.as_str(), reason));
        }
    }
}

/// Which values of a list stand in it more than once, whatever their case.
fn repeated(values: &[String]) -> Vec<&str> {
    let mut seen: Vec<String> = Vec::new();
    let mut repeated = Vec::new();
    for value in values {
        let folded = value.to_lowercase();
        if seen.contains(&folded) {
            repeated.push(value.as_str());
        } else {
            seen.push(folded);
        }
    }
    repeated
}
