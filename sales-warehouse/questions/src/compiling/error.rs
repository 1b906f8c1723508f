//! Why a query has no answer.

use thiserror::Error;

/// A query that asks for what the model does not have, or in a way that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Nothing was asked.
    #[error("the query names neither a metric nor a dimension")]
    Empty,
    /// No such metric.
    #[error("there is no metric '{0}': GET /v1/metrics lists them")]
    UnknownMetric(String),
    /// No such dimension.
    #[error("there is no dimension '{0}': GET /v1/metrics lists them")]
    UnknownDimension(String),
    /// A filter or an order by something that is neither.
    #[error("'{0}' is neither a metric nor a dimension: GET /v1/metrics lists them")]
    UnknownField(String),
    /// The same name twice.
    #[error("'{0}' is asked for twice")]
    Twice(String),
    /// More than is sensible of something.
    #[error("{what}: {count} are too many; at most {most} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// As asked.
        count: usize,
        /// Allowed.
        most: usize,
    },
    /// The rows of a metric do not know the dimension.
    #[error("{metric} cannot be told apart by {dimension}: its data does not have it")]
    NotReachable {
        /// The metric asked for, or the part of it that does not.
        metric: String,
        /// The dimension that is grouped or filtered by.
        dimension: String,
    },
    /// Each of the dimensions could be had, but not at once.
    #[error("{metric} cannot be told apart by {dimensions} at once")]
    NotTogether {
        /// The metric.
        metric: String,
        /// The dimensions.
        dimensions: String,
    },
    /// A list of members of dimensions that nothing connects.
    #[error("nothing connects {0}: ask with a metric")]
    NothingConnects(String),
    /// What is asked about has no date.
    #[error("{0} has no date: ask without a time and a grain")]
    NoDate(String),
    /// An operation that the field does not have.
    #[error("{op} does not go with {field}: {expected}")]
    BadOperation {
        /// The filter's field.
        field: String,
        /// The filter's operation.
        op: &'static str,
        /// What would do.
        expected: &'static str,
    },
    /// A value that does not fit its operation.
    #[error("the value for {field} must be {expected}")]
    BadValue {
        /// The filter's field.
        field: String,
        /// What would do.
        expected: &'static str,
    },
    /// A range that has no day.
    #[error("the time from {from} up to {to} has no day in it")]
    EmptyTime {
        /// Its first day.
        from: String,
        /// The day after its last.
        to: String,
    },
    /// An order that cannot be.
    #[error("the order by {by} makes no sense: {why}")]
    BadOrder {
        /// As asked.
        by: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Out of bounds.
    #[error("a limit is from 1 to {most}, not {limit}")]
    BadLimit {
        /// As asked.
        limit: u32,
        /// Allowed.
        most: u32,
    },
    /// A comparison that cannot be.
    #[error("the comparison makes no sense: {0}")]
    BadCompare(&'static str),
}
