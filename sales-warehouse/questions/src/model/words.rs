//! No word may mean two things of the same kind.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dimension, Faults, Metric};

/// Adds a fault for each synonym that two metrics, two dimensions or two members of one share, and for
/// each that stands twice.
pub fn check(metrics: &[Metric], dimensions: &[Dimension], faults: &mut Faults) {
    let of_metrics = metrics.iter().map(|one| (&*one.name, &one.synonyms));
    clashes("metric", of_metrics, faults);
    let of_dimensions = dimensions.iter().map(|one| (&*one.name, &one.synonyms));
    clashes("dimension", of_dimensions, faults);
    for dimension in dimensions {
        let of_members = dimension
            .values
            .iter()
            .map(|(code, words)| (&**code, words));
        clashes(&format!("{} member", dimension.name), of_members, faults);
    }
}

fn clashes<'a>(
    kind: &str,
    all: impl Iterator<Item = (&'a str, &'a Vec<String>)>,
    faults: &mut Faults,
) {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for (name, words) in all {
        let mut own = BTreeSet::new();
        for word in words {
            let plain = word.trim().to_lowercase();
            let of = format!("{kind} {name}");
            if plain.is_empty() {
                faults.add(of, "has an empty synonym");
            } else if !own.insert(plain.clone()) {
                faults.add(of, format!("has the synonym '{word}' twice"));
            } else if let Some(other) = owners.insert(plain, name) {
                faults.add(of, format!("its synonym '{word}' is also {kind} {other}'s"));
            }
        }
    }
}
