//! A metric query: what a question comes down to. `sales-warehouse/semantic/README.md` has its conventions.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};
use time::Date;
use utoipa::ToSchema;

time::serde::format_description!(iso_day, Date, "[year]-[month]-[day]");

/// Metrics, by dimensions, within filters and a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricQuery {
    /// Names of metrics, in the order asked. Empty to list members of `dimensions`.
    #[serde(deserialize_with = "null_is_empty")]
    pub metrics: Vec<String>,
    /// Names of dimensions, in the order asked.
    #[serde(deserialize_with = "null_is_empty")]
    pub dimensions: Vec<String>,
    /// All must hold.
    #[serde(deserialize_with = "null_is_empty")]
    pub filters: Vec<Filter>,
    /// Days that count; `None` for all.
    pub time: Option<TimeRange>,
    /// One row for each of these.
    pub grain: Option<Grain>,
    /// First the most important.
    #[serde(deserialize_with = "null_is_empty")]
    pub order: Vec<Order>,
    /// Rows; for each member of [`Order::within`] where that is set.
    pub limit: Option<u32>,
    /// What the metrics are held against.
    pub compare: Option<Compare>,
}

impl MetricQuery {
    /// Without what does not matter: the order of conditions and of members, conditions said twice, a time
    /// without ends. Queries that mean the same by the contract are then equal.
    #[must_use]
    pub fn normal(&self) -> Self {
        let mut query = self.clone();
        for filter in &mut query.filters {
            if let Value::Members(members) = &mut filter.value {
                members.sort_unstable();
                members.dedup();
            }
        }
        query
            .filters
            .sort_by_cached_key(|one| (one.field.clone(), format!("{:?} {:?}", one.op, one.value)));
        query.filters.dedup();
        query.time = query
            .time
            .filter(|time| time.from.is_some() || time.to.is_some());
        query
    }
}

/// What is empty may be `null` as well.
fn null_is_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A condition on a dimension's member or on a metric's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they say it themselves")]
pub enum Direction {
    Asc,
    Desc,
}

/// What a comparison makes of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Compare {
    /// By name.
    With(Baseline),
    /// A second range.
    Range(TimeRange),
}

// Not derived: what serde keeps of an untagged enum no longer tells a date that is null from one that is none,
// and its errors name no field.
impl<'de> Deserialize<'de> for Compare {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Compare;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "previous_period, previous_year, share_of_total, or a range with from and to",
                )
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Compare, E> {
                Baseline::deserialize(name.into_deserializer()).map(Compare::With)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Compare, A::Error> {
                TimeRange::deserialize(MapAccessDeserializer::new(map)).map(Compare::Range)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What metrics are held against, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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

    #[test]
    fn nulls_are_what_is_left_out() {
        let query: MetricQuery = serde_json::from_str(
            r#"{"metrics": ["revenue"], "dimensions": null, "filters": null, "time": {"from": null, "to": "2026-01-01"},
            "grain": null, "order": null, "limit": null, "compare": {"from": "2025-01-01", "to": null}}"#,
        )
        .unwrap();
        assert!(query.dimensions.is_empty() && query.filters.is_empty() && query.order.is_empty());
        let from = time::macros::date!(2025 - 01 - 01);
        let range = TimeRange {
            from: Some(from),
            to: None,
        };
        assert_eq!(query.compare, Some(Compare::Range(range)));
        let none: MetricQuery =
            serde_json::from_str(r#"{"compare": null, "metrics": null}"#).unwrap();
        assert_eq!(none, MetricQuery::default());
        for wrong in [
            r#"{"compare": "last_year"}"#,
            r#"{"compare": {"from": "2025-01-01", "until": null}}"#,
            r#"{"compare": 7}"#,
        ] {
            assert!(
                serde_json::from_str::<MetricQuery>(wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_means_the_same_is_equal_when_normal() {
        let read = |json: &str| serde_json::from_str::<MetricQuery>(json).unwrap();
        let one = read(
            r#"{"filters": [{"field": "market", "op": "in", "value": ["MX", "ES"]}, {"field": "channel", "op": "=", "value": "sms"}],
            "time": {"from": null, "to": null}}"#,
        );
        let other = read(
            r#"{"filters": [{"field": "channel", "op": "=", "value": "sms"}, {"field": "market", "op": "in", "value": ["ES", "MX"]}]}"#,
        );
        assert_ne!(one, other);
        assert_eq!(one.normal(), other.normal());
    }
}
