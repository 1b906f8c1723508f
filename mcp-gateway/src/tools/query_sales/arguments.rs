//! What the tool takes: a metric query, in the plainest schema that says what one is.

use contracts::MetricQuery;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tools::{
    arguments::{TextLanguage, complaint, parse},
    refusal::Refusal,
};

const USAGE: &str = "query_sales takes: metrics and dimensions (lists of names; at least one of the \
    two lists is not empty), filters (a list of {field, op, value}; op is =, !=, in, not_in, >, >=, <, \
    <= or between), time ({from, to}, days such as 2026-07-01; to is the day after the last), grain (day, \
    week, month, quarter, year), order (a list of {by, dir}), limit, compare (previous_period, \
    previous_year, share_of_total or {from, to}), language (es or en), cursor. describe_sales lists the \
    names.";

/// Arguments of query_sales.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// Names of metrics, such as `roas`, in the order wanted; empty to list members of `dimensions`.
    #[serde(default)]
    #[schemars(length(max = 10))]
    #[schemars(example = ["roas", "spend"])]
    metrics: Vec<String>,
    /// Names of dimensions to group by, such as `campaign`. Never a time: that is `grain`.
    #[serde(default)]
    #[schemars(length(max = 6))]
    dimensions: Vec<String>,
    /// All must hold.
    #[serde(default)]
    #[schemars(length(max = 20))]
    filters: Vec<FilterArgument>,
    /// Days that count; all when absent.
    #[serde(default)]
    #[schemars(with = "RangeArgument")]
    time: Option<RangeArgument>,
    /// One row for each of these.
    #[serde(default)]
    #[schemars(with = "GrainArgument")]
    grain: Option<GrainArgument>,
    /// First the most important.
    #[serde(default)]
    #[schemars(length(max = 5))]
    order: Vec<OrderArgument>,
    /// Rows, 1 to 1,000.
    #[serde(default)]
    #[schemars(with = "u32", range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `previous_period`, `previous_year`, `share_of_total`, or a second range {from, to}.
    #[serde(default)]
    #[schemars(with = "CompareArgument")]
    compare: Option<CompareArgument>,
    /// Of the answer's words; English when absent.
    #[serde(default)]
    #[schemars(with = "TextLanguage")]
    pub(crate) language: Option<TextLanguage>,
    /// From the last page's next_cursor, with the same query.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(crate) cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FilterArgument {
    /// A dimension, or a metric to keep groups by its value.
    field: String,
    #[schemars(regex(pattern = "^(=|!=|in|not_in|>|>=|<|<=|between)$"))]
    op: String,
    /// A member's code such as `MX`, a number, or a list of them.
    value: ValueArgument,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum ValueArgument {
    Number(f64),
    Member(String),
    Numbers(Vec<f64>),
    Members(Vec<String>),
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RangeArgument {
    /// The first day, such as 2026-07-01.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    from: Option<String>,
    /// The day after the last.
    #[serde(default)]
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    to: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum GrainArgument {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OrderArgument {
    /// A metric, a dimension, or `time`.
    by: String,
    #[schemars(regex(pattern = "^(asc|desc)$"))]
    dir: String,
    /// Rank within each member of this dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    within: Option<String>,
    /// With `compare`, what of the metric counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "String",
        regex(pattern = "^(value|previous|change|growth|share)$")
    )]
    measure: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum CompareArgument {
    Named(String),
    Range(RangeArgument),
}

impl Arguments {
    pub(crate) fn parse(arguments: JsonObject) -> Result<Self, Refusal> {
        parse(arguments, USAGE)
    }

    /// As the warehouse takes it. Which names there are, it knows; how values are written is seen
    /// here.
    pub(crate) fn query(&self) -> Result<MetricQuery, Refusal> {
        let written = serde_json::json!({
            "metrics": self.metrics,
            "dimensions": self.dimensions,
            "filters": self.filters,
            "time": self.time,
            "grain": self.grain,
            "order": self.order,
            "limit": self.limit,
            "compare": self.compare,
        });
        serde_path_to_error::deserialize(&written).map_err(|error| {
            let path = error.path().to_string();
            complaint(&format!("{path}: {}", error.inner()), USAGE)
        })
    }
}
