//! From a metric query to one SELECT.
//!
//! ```text
//! f0, f1 …   each fact, counted by the dimensions asked and the part of time: never two facts in one join
//! p0, p1 …   the same in the time compared with       s0, s1 …   the same without dimensions, for shares
//! k          which rows there are: the union of what the facts have, parts of time and members without any
//! v          k with what each fact counted             r          metrics, made of these
//! ranked     rows that the filters on metrics keep, in order
//! ```
//!
//! Names in the SQL come from the model alone; everything that came with the query is a bind parameter.

mod check;
mod error;
mod facts;
mod joins;
mod keys;
mod list;
mod output;
mod periods;
mod plan;
mod rollup;
mod spread;
mod vocabulary;
mod writer;

use contracts::Language;
use serde::Serialize;
use time::Date;
use utoipa::ToSchema;

pub use check::{MAX_LIMIT, MAX_ROWS};
pub use error::CompileError;
pub(crate) use periods::CalendarPart;
pub use periods::compared_with;
pub use plan::left_out;
pub use vocabulary::vocabulary;

use crate::{
    MetricQuery, Model,
    model::{Kind, Unit},
};
use writer::Writer;

/// A SELECT with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The text, with `$1`, `$2` …. It returns at most [`MAX_ROWS`] rows and one more, which says that there
    /// are others.
    pub sql: String,
    /// Values of the parameters, in order.
    pub binds: Vec<Bind>,
    /// What each row has.
    pub columns: Vec<Column>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Bind {
    /// `text`.
    Text(String),
    /// `text[]`.
    Texts(Vec<String>),
    /// `float8`.
    Number(f64),
    /// `int8`.
    Integer(i64),
    /// `date`.
    Date(Date),
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Column {
    /// For programs: a metric, a dimension or `time`, or one of these with a suffix.
    pub name: String,
    /// For people.
    pub label: String,
    /// Of a metric.
    pub unit: Option<Unit>,
    /// How it comes from the database.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `text`.
    Text,
    /// `date`.
    Date,
    /// `int8`.
    Integer,
    /// `float8`.
    Number,
}

/// Makes the SELECT for a query. `language` is that of labels and names; `today` is where trends over a time
/// that is not yet over end.
pub fn compile(
    model: &Model,
    query: &MetricQuery,
    language: Language,
    today: Date,
) -> Result<Statement, CompileError> {
    let plan = plan::Plan::of(model, query, language, today)?;
    let mut writer = Writer::default();
    let (sql, columns) = if plan.metrics.is_empty() {
        list::write(&plan, &mut writer)?
    } else {
        output::write(&plan, &mut writer)?
    };
    Ok(Statement {
        sql,
        binds: writer.into_binds(),
        columns,
    })
}

/// How a metric comes from the database: what is counted one by one is whole.
fn column_type(unit: Unit, kind: Kind) -> ColumnType {
    match (unit, kind) {
        (Unit::Count, Kind::Sum | Kind::Count | Kind::CountDistinct | Kind::Cumulative) => {
            ColumnType::Integer
        }
        _ => ColumnType::Number,
    }
}
