//! Join paths: chains of relationships, each from many to one, so that a join never multiplies rows; but for the last
//! one to a bridge, which the compiler takes care of.

use std::collections::BTreeMap;

use super::{Dataset, Faults, Relationship};

/// For each pair of datasets the relationships that lead from the first to the second, where any do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths(BTreeMap<(usize, usize), Vec<usize>>);

impl Paths {
    /// Finds the shortest paths. A dataset that several of them lead to, where a dimension is, needs to say
    /// which in its extension's `paths`.
    pub fn find(
        datasets: &[Dataset],
        relationships: &[Relationship],
        has_dimensions: impl Fn(usize) -> bool,
        faults: &mut Faults,
    ) -> Self {
        let mut paths = BTreeMap::new();
        for from in 0..datasets.len() {
            for (to, mut found) in shortest(from, relationships) {
                let stated = datasets[from].paths.get(&datasets[to].name);
                if let Some(names) = stated {
                    let chain = chain(from, to, names, relationships);
                    found = vec![chain.unwrap_or_else(|| {
                        let of = format!("dataset {}", datasets[from].name);
                        let to = &datasets[to].name;
                        faults.add(of, format!("its path to {to} is no chain of relationships"));
                        Vec::new()
                    })];
                } else if found.len() > 1 && has_dimensions(to) {
                    let of = format!("dataset {}", datasets[from].name);
                    let to = &datasets[to].name;
                    let several = "several join paths are equally short: state one in `paths`";
                    faults.add(of, format!("to {to}, {several}"));
                }
                paths.insert((from, to), found.swap_remove(0));
            }
        }
        for dataset in datasets {
            for to in dataset.paths.keys() {
                if !datasets.iter().any(|one| one.name == *to) {
                    let of = format!("dataset {}", dataset.name);
                    faults.add(of, format!("its paths name {to}, which is no dataset"));
                }
            }
        }
        Self(paths)
    }

    /// Relationships from one dataset to another; empty to itself.
    pub fn get(&self, from: usize, to: usize) -> Option<&[usize]> {
        if from == to {
            return Some(&[]);
        }
        self.0.get(&(from, to)).map(Vec::as_slice)
    }
}

/// The shortest paths from a dataset to each that it reaches.
fn shortest(from: usize, relationships: &[Relationship]) -> BTreeMap<usize, Vec<Vec<usize>>> {
    let mut found: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    let mut edge: Vec<(usize, Vec<usize>)> = vec![(from, Vec::new())];
    while !edge.is_empty() {
        let mut next: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
        for (at, path) in edge {
            let outward = relationships.iter().enumerate();
            for (number, one) in outward.filter(|(_, one)| one.from == at) {
                if one.to != from && !found.contains_key(&one.to) {
                    let mut longer = path.clone();
                    longer.push(number);
                    next.entry(one.to).or_default().push(longer);
                }
            }
        }
        // One of several equally short ones is enough to go on from: they are reported as a fault.
        edge = next
            .iter()
            .map(|(to, paths)| (*to, paths[0].clone()))
            .collect();
        found.extend(next);
    }
    found
}

/// The relationships of these names, if they lead from one dataset to the other.
fn chain(
    from: usize,
    to: usize,
    names: &[String],
    relationships: &[Relationship],
) -> Option<Vec<usize>> {
    let mut at = from;
    let mut chain = Vec::new();
    for name in names {
        let number = relationships.iter().position(|one| one.name == *name)?;
        if relationships[number].from != at {
            return None;
        }
        at = relationships[number].to;
        chain.push(number);
    }
    (at == to).then_some(chain)
}
