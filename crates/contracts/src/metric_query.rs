//! A metric query: what a question comes down to. `sales-warehouse/semantic/README.md` has its conventions.

use serde::{Deserialize, Serialize};
use time::Date;

time::serde::format_description!(iso_day, Date, "[year]-[month]-[day]");

/// Metrics, by dimensions, within filters and a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricQuery {
    /// Names of metrics, in the order asked. Empty to list members of `dimensions`.
    pub metrics: Vec<String>,
    /// Names of dimensions, in the order asked.
    pub dimensions: Vec<String>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// Days that count; `None` for all.
    pub time: Option<TimeRange>,
    /// One row for each of these.
    pub grain: Option<Grain>,
    /// First the most important.
    pub order: Vec<Order>,
    /// Rows; for each member of [`Order::within`] where that is set.
    pub limit: Option<u32>,
    /// What the metrics are held against.
    pub compare: Option<Compare>,
}

/// A condition on a dimension's member or on a metric's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// A dimension, or a metric to keep groups by its value.
    pub field: String,
    /// How it is compared.
    pub op: Op,
    /// With what.
    pub value: Value,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Equal.
    #[serde(rename = "=")]
    Is,
    /// Not equal.
    #[serde(rename = "!=")]
    IsNot,
    /// One of several.
    #[serde(rename = "in")]
    In,
    /// None of several.
    #[serde(rename = "not_in")]
    NotIn,
    /// Greater.
    #[serde(rename = ">")]
    Above,
    /// Greater or equal.
    #[serde(rename = ">=")]
    AtLeast,
    /// Less.
    #[serde(rename = "<")]
    Below,
    /// Less or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// From the first to the second, both included.
    #[serde(rename = "between")]
    Between,
}

impl Op {
    /// As queries write it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Between => "between",
        }
    }
}

/// A member, a number, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number, in the metric's unit.
    Number(f64),
    /// A member as the database has it.
    Member(String),
    /// Numbers; two for [`Op::Between`].
    Numbers(Vec<f64>),
    /// Members, sorted.
    Members(Vec<String>),
}

/// A half-open range of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// The first day; `None` for the beginning of all data.
    #[serde(default, with = "iso_day::option")]
    pub from: Option<Date>,
    /// The day after the last; `None` for no end.
    #[serde(default, with = "iso_day::option")]
    pub to: Option<Date>,
}

/// A length of calendar time. Weeks begin on Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they say it themselves")]
pub enum Grain {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// What rows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// A metric, a dimension, or [`Order::TIME`].
    pub by: String,
    /// Which way.
    pub dir: Direction,
    /// Rank within each member of this dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// With a comparison, what of the metric counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
}

impl Order {
    /// Stands for the grain's column in [`Order::by`].
    pub const TIME: &str = "time";
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they say it themselves")]
pub enum Direction {
    Asc,
    Desc,
}

/// What a comparison makes of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// In the time asked about.
    Value,
    /// In the time that it is held against.
    Previous,
    /// Value less previous.
    Change,
    /// Change divided by previous, a fraction.
    Growth,
    /// Of the total, a fraction.
    Share,
}

/// What metrics are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Compare {
    /// By name.
    With(Baseline),
    /// A second range.
    Range(TimeRange),
}

/// What metrics are held against, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// The same length just before; a whole month, quarter or year against the one before.
    PreviousPeriod,
    /// The same days a year earlier.
    PreviousYear,
    /// The total over all members of the dimensions.
    ShareOfTotal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_as_documented() {
        let json = serde_json::json!({
            "metrics": ["roas"],
            "dimensions": ["campaign"],
            "filters": [
                {"field": "market", "op": "in", "value": ["ES", "MX"]},
                {"field": "roas", "op": ">", "value": 3.0},
                {"field": "roas", "op": "between", "value": [1.0, 2.0]},
            ],
            "time": {"from": "2026-07-01", "to": null},
            "grain": "month",
            "order": [{"by": "roas", "dir": "desc", "within": "market", "measure": "growth"}],
            "limit": 5,
            "compare": {"from": "2025-07-01", "to": "2025-10-01"},
        });
        let query: MetricQuery = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&query).unwrap(), json);
        let named: MetricQuery = serde_json::from_str(r#"{"compare": "share_of_total"}"#).unwrap();
        assert_eq!(named.compare, Some(Compare::With(Baseline::ShareOfTotal)));
    }
}
