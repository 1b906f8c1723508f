//! Rows in words: a sentence, what was understood, what the metrics mean, and a chart.

mod chart;
mod format;
mod interpret;
mod next;
mod sentence;
mod words;

use std::collections::BTreeMap;

use contracts::Language;
use serde::Serialize;
use time::Date;

pub use chart::chart;
pub use format::number;
pub use interpret::{Definition, Interpretation, interpret};
pub use next::next;
pub use sentence::{notes, sentence, without_rates};

use crate::{MetricQuery, Model, compiling::Column};

/// A value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// There is none.
    Null,
    /// A member.
    Text(String),
    /// The first day of a part of time.
    Day(Date),
    /// Things counted.
    Integer(i64),
    /// Anything measured.
    Number(f64),
}

impl Cell {
    /// As a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Null | Self::Text(_) | Self::Day(_) => None,
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Day(day) => serializer.collect_str(day),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
        }
    }
}

/// What members are called in each language, for answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<(String, String, Language), String>);

impl Names {
    /// Notes a name.
    pub fn add(&mut self, dimension: &str, code: &str, language: Language, name: &str) {
        let key = (dimension.to_owned(), code.to_owned(), language);
        self.0.insert(key, name.to_owned());
    }

    /// The name, or the code where there is none.
    pub fn of<'a>(&'a self, dimension: &str, code: &'a str, language: Language) -> &'a str {
        let key = (dimension.to_owned(), code.to_owned(), language);
        self.0.get(&key).map_or(code, String::as_str)
    }
}

/// All that words are made of.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// What the names in the query mean.
    pub model: &'a Model,
    /// What was asked.
    pub query: &'a MetricQuery,
    /// In which language to answer.
    pub language: Language,
    /// What members are called.
    pub names: &'a Names,
    /// The columns of the rows.
    pub columns: &'a [Column],
    /// The rows.
    pub rows: &'a [Vec<Cell>],
}
