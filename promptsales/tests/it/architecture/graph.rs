//! Who depends on whom.

use std::collections::{BTreeMap, BTreeSet};

/// Arrows between names.
#[derive(Clone, Debug, Default)]
pub struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    pub fn of<A: Into<String>, B: Into<String>>(arrows: impl IntoIterator<Item = (A, B)>) -> Self {
        let mut graph = Self::default();
        for (from, to) in arrows {
            graph.0.entry(from.into()).or_default().insert(to.into());
        }
        graph
    }

    /// The arrows of both.
    pub fn and(mut self, other: &Self) -> Self {
        for (from, to) in &other.0 {
            let arrows = self.0.entry(from.clone()).or_default();
            arrows.extend(to.iter().cloned());
        }
        self
    }

    /// One arrow away, sorted.
    pub fn from(&self, name: &str) -> Vec<&str> {
        let arrows = self.0.get(name).into_iter().flatten();
        arrows.map(String::as_str).collect()
    }

    /// Any number of arrows away, at least one.
    pub fn reached_from(&self, name: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = self.from(name);
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(self.from(next));
            }
        }
        reached
    }

    /// Groups in which each reaches each, itself included; sorted.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let mut circles = BTreeSet::new();
        for name in self.0.keys() {
            let circle = self.reached_from(name).into_iter();
            let circle = circle.filter(|other| self.reached_from(other).contains(name.as_str()));
            let circle: Vec<_> = circle.map(str::to_owned).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }
}
