//! The tables that one fact needs besides its own, each joined once, from many to one.

use std::collections::BTreeSet;

use crate::model::{Column, Model};

/// A table and the joins from it, as far as they are needed.
pub struct Joins<'a> {
    model: &'a Model,
    base: usize,
    /// The relationships that lead to each joined table.
    joined: Vec<Vec<usize>>,
    /// Columns of the base that were asked for.
    used: BTreeSet<&'a str>,
}

const BASE: &str = "b";

impl<'a> Joins<'a> {
    pub fn from(model: &'a Model, base: usize) -> Self {
        Self {
            model,
            base,
            joined: Vec::new(),
            used: BTreeSet::new(),
        }
    }

    /// A column, with its table's alias. The table must be reached from the base; the plan saw to that.
    pub fn column(&mut self, column: Column) -> String {
        let path = self.model.path(self.base, column.dataset);
        self.column_by(path.unwrap_or_default(), column)
    }

    /// A column by another way than the shortest: by these relationships, one after another.
    pub fn column_by(&mut self, path: &[usize], column: Column) -> String {
        let alias = self.alias(path);
        let name = &self.model.field(column).column;
        if path.is_empty() {
            self.used.insert(name);
        }
        format!("{alias}.{name}")
    }

    /// Columns of the base that are read, for joins included.
    pub fn used(&self) -> BTreeSet<&'a str> {
        let first = self.joined.iter().filter(|path| path.len() == 1);
        let of_joins = first.flat_map(|path| &self.model.relationship(path[0]).from_columns);
        let of_joins = of_joins.map(String::as_str);
        self.used.iter().copied().chain(of_joins).collect()
    }

    /// How a bridge is reached that is not joined; `None` for what is no bridge's, or is joined already.
    pub fn bridge(&mut self, column: Column) -> Option<Bridge<'a>> {
        let path = self.model.path(self.base, column.dataset)?;
        let (last, before) = path.split_last()?;
        let dataset = self.model.dataset(column.dataset);
        if !dataset.bridge || self.joined.iter().any(|one| one == path) {
            return None;
        }
        let relationship = self.model.relationship(*last);
        let from = self.alias(before);
        let own = relationship.from_columns.first()?;
        if before.is_empty() {
            self.used.insert(own);
        }
        Some(Bridge {
            source: &dataset.source,
            column: &self.model.field(column).column,
            key: relationship.to_columns.first()?,
            from: format!("{from}.{own}"),
        })
    }

    /// Whether a row of the base may come several times.
    pub fn multiplies(&self) -> bool {
        let mut last = self.joined.iter().filter_map(|path| path.last());
        last.any(|one| {
            let to = self.model.relationship(*one).to;
            self.model.dataset(to).bridge
        })
    }

    /// Where the rows come from, the base's from `source`.
    pub fn clause(&self, source: &str) -> String {
        let mut text = format!("{source} AS {BASE}");
        for (number, path) in self.joined.iter().enumerate() {
            let (before, last) = path.split_at(path.len() - 1);
            let one = self.model.relationship(last[0]);
            let from = self.known(before);
            let pairs = one.from_columns.iter().zip(&one.to_columns);
            let on: Vec<String> = pairs
                .map(|(left, right)| format!("j{number}.{right} = {from}.{left}"))
                .collect();
            let source = &self.model.dataset(one.to).source;
            text += &format!(
                "\n    LEFT JOIN {source} AS j{number} ON {}",
                on.join(" AND ")
            );
        }
        text
    }

    fn alias(&mut self, path: &[usize]) -> String {
        for end in 1..=path.len() {
            if !self.joined.iter().any(|one| *one == path[..end]) {
                self.joined.push(path[..end].to_vec());
            }
        }
        self.known(path)
    }

    fn known(&self, path: &[usize]) -> String {
        let place = self.joined.iter().position(|one| one == path);
        place.map_or_else(|| BASE.to_owned(), |number| format!("j{number}"))
    }
}

/// A table with several rows for one of ours.
pub struct Bridge<'a> {
    /// `schema.table`.
    pub source: &'a str,
    /// Its column that is asked about.
    pub column: &'a str,
    /// Its column that leads to us.
    pub key: &'a str,
    /// Our column that it leads to, with its table's alias.
    pub from: String,
}

impl Bridge<'_> {
    /// Whether it has a row for ours, of which a condition on `h` holds.
    pub fn exists(&self, condition: Option<&str>) -> String {
        let more = condition.map_or_else(String::new, |text| format!(" AND {text}"));
        format!(
            "EXISTS (SELECT FROM {} AS h WHERE h.{} = {}{more})",
            self.source, self.key, self.from
        )
    }
}
