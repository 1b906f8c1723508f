//! The metrics, written down anew.

use std::collections::{BTreeMap, BTreeSet};

use sales_questions::MetricQuery;
use sales_questions::query::{Filter, Op, Value};

use super::{Key, Row};

/// How rows are counted.
#[derive(Clone, Copy)]
pub enum Count {
    Rows,
    Sum(&'static str),
    Different(&'static str),
    Mean(&'static str),
}

#[derive(Clone, Copy)]
pub struct Simple {
    pub fact: &'static str,
    pub day: &'static str,
    pub count: Count,
    pub when: fn(&Row) -> bool,
}

/// A sum of simple metrics with factors.
pub type Sum = &'static [(&'static str, f64)];

/// The metrics that queries are made of.
pub const METRICS: [&str; 28] = [
    "campaigns",
    "active_campaigns",
    "budget",
    "impressions",
    "clicks",
    "ctr",
    "spend",
    "cpm",
    "reactions",
    "content_uses",
    "leads",
    "lead_to_sale_rate",
    "lead_score",
    "cost_per_lead",
    "opportunities",
    "win_rate",
    "pipeline",
    "interactions",
    "response_time",
    "sales",
    "units",
    "revenue",
    "gross_profit",
    "roi",
    "new_customers",
    "repeat_customers",
    "churned_subscriptions",
    "cumulative_revenue",
];

pub fn simple(name: &str, query: &MetricQuery) -> Option<Simple> {
    let yes: fn(&Row) -> bool = |_| true;
    let sold: fn(&Row) -> bool = |row| row["sale_status"] == "completed";
    // Campaigns know no channel, audience or image; their ads do.
    let by_ad = asked(query)
        .iter()
        .any(|one| ["channel", "audience", "content", "hashtag"].contains(one));
    let campaigns = if by_ad { "ad" } else { "campaign" };
    let timed = query.time.is_some() || query.grain.is_some();
    let of = |fact, count, when| {
        Some(Simple {
            fact,
            day: "day",
            count,
            when,
        })
    };
    match name {
        "campaigns" => of(campaigns, Count::Different("campaign_id"), yes),
        "active_campaigns" if timed => of(campaigns, Count::Different("campaign_id"), |row| {
            row["status"] != "draft"
        }),
        "active_campaigns" => of(campaigns, Count::Different("campaign_id"), |row| {
            row["status"] == "active"
        }),
        "budget" => of("campaign", Count::Sum("budget"), yes),
        "impressions" | "clicks" => of(
            "ad_day",
            Count::Sum(if name == "clicks" {
                "clicks"
            } else {
                "impressions"
            }),
            yes,
        ),
        "spend" => of("ad_day", Count::Sum("cost"), yes),
        "reactions" => of("reaction", Count::Sum("reactions"), yes),
        "content_uses" => of("content_use", Count::Rows, yes),
        "leads" => of("lead", Count::Rows, yes),
        "converted_leads" => of("lead", Count::Rows, |row| row["converted"] == true),
        "lead_score" => of("lead", Count::Mean("score"), yes),
        "opportunities" => of("opportunity", Count::Rows, yes),
        "won" => Some(Simple {
            fact: "opportunity",
            day: "closed",
            count: Count::Rows,
            when: |row| row["won"] == true,
        }),
        "closed" => Some(Simple {
            fact: "opportunity",
            day: "closed",
            count: Count::Rows,
            when: |row| !row["won"].is_null(),
        }),
        "pipeline" => of("opportunity", Count::Sum("amount"), |row| {
            row["won"].is_null()
        }),
        "interactions" => of("interaction", Count::Rows, yes),
        "response_time" => of("interaction", Count::Mean("response_seconds"), yes),
        "sales" => of("sale", Count::Different("sale_id"), sold),
        "units" => of("sale", Count::Sum("quantity"), sold),
        "revenue" => of("sale", Count::Sum("net"), sold),
        "cost_of_sales" => of("sale", Count::Sum("cost"), sold),
        "new_customers" => of("sale", Count::Different("customer_id"), |row| {
            row["sale_status"] == "completed" && row["first"] == true
        }),
        "repeat_customers" => of("sale", Count::Different("customer_id"), |row| {
            row["sale_status"] == "completed" && row["first"] == false
        }),
        "churned_subscriptions" => Some(Simple {
            fact: "subscription",
            day: "cancelled",
            count: Count::Rows,
            when: |row| !row["cancelled"].is_null(),
        }),
        _ => None,
    }
}

/// What a metric is made of: a sum, over another one where it is a ratio.
pub fn parts(name: &'static str) -> (Vec<(&'static str, f64)>, Option<Sum>) {
    let of = |over: Sum, under: Sum| (over.to_vec(), Some(under));
    match name {
        "ctr" => of(&[("clicks", 1.0)], &[("impressions", 1.0)]),
        "cpm" => of(&[("spend", 1000.0)], &[("impressions", 1.0)]),
        "lead_to_sale_rate" => of(&[("converted_leads", 1.0)], &[("leads", 1.0)]),
        "cost_per_lead" => of(&[("spend", 1.0)], &[("leads", 1.0)]),
        "win_rate" => of(&[("won", 1.0)], &[("closed", 1.0)]),
        "roi" => of(&[("revenue", 1.0), ("spend", -1.0)], &[("spend", 1.0)]),
        "cumulative_revenue" => (vec![("revenue", 1.0)], None),
        "gross_profit" => (vec![("revenue", 1.0), ("cost_of_sales", -1.0)], None),
        simple => (vec![(simple, 1.0)], None),
    }
}

pub fn named(name: &str) -> &'static str {
    METRICS.into_iter().find(|one| *one == name).unwrap()
}

/// The dimensions that a query groups or filters by.
pub fn asked(query: &MetricQuery) -> Vec<&str> {
    let filters = query.filters.iter().map(|one| one.field.as_str());
    let filters = filters.filter(|one| !METRICS.contains(one));
    query
        .dimensions
        .iter()
        .map(String::as_str)
        .chain(filters)
        .collect()
}

/// The members of a row: none, one, or several as of hashtags.
pub fn of(row: &Row, dimension: &str) -> Vec<String> {
    match row.get(dimension) {
        Some(serde_json::Value::String(one)) => vec![one.clone()],
        Some(serde_json::Value::Array(all)) => {
            let all = all.iter().map(|one| one.as_str().unwrap().to_owned());
            all.collect()
        }
        _ => Vec::new(),
    }
}

/// What has members holds if one of them is meant, or if none of them is that is not.
pub fn holds(filter: &Filter, row: &Row) -> bool {
    let members = of(row, &filter.field);
    match filter.op {
        Op::IsNot | Op::NotIn => {
            !members.is_empty() && members.iter().all(|one| is_for(filter, one))
        }
        _ => members.iter().any(|one| is_for(filter, one)),
    }
}

/// Whether a filter is for a member.
pub fn is_for(filter: &Filter, member: &str) -> bool {
    match (&filter.op, &filter.value) {
        (Op::Is, Value::Member(one)) => member == one,
        (Op::IsNot, Value::Member(one)) => member != one,
        (Op::In, Value::Members(all)) => all.iter().any(|one| one == member),
        (Op::NotIn, Value::Members(all)) => !all.iter().any(|one| one == member),
        other => panic!("{other:?}"),
    }
}

pub fn passes(filter: &Filter, value: f64) -> bool {
    match (&filter.op, &filter.value) {
        (Op::Above, Value::Number(one)) => value > *one,
        (Op::AtLeast, Value::Number(one)) => value >= *one,
        (Op::Between, Value::Numbers(two)) => two[0] <= value && value <= two[1],
        other => panic!("{other:?}"),
    }
}

/// `None` where nothing is counted.
pub fn count(how: Count, rows: &[&Row]) -> Option<f64> {
    let numbers =
        |name: &str| -> Vec<f64> { rows.iter().filter_map(|row| row[name].as_f64()).collect() };
    match how {
        Count::Rows => Some(rows.len() as f64),
        Count::Different(name) => Some(
            rows.iter()
                .map(|row| row[name].as_i64())
                .collect::<BTreeSet<_>>()
                .len() as f64,
        ),
        Count::Sum(name) => Some(numbers(name))
            .filter(|all| !all.is_empty())
            .map(|all| all.iter().sum()),
        Count::Mean(name) => Some(numbers(name))
            .filter(|all| !all.is_empty())
            .map(|all| all.iter().sum::<f64>() / all.len() as f64),
    }
}

/// A metric of a key. What adds up is 0 where there is nothing.
pub fn made(
    metric: &'static str,
    counted: &[(&'static str, BTreeMap<Key, f64>)],
    key: &Key,
) -> Option<f64> {
    let of = |name: &str| {
        counted
            .iter()
            .find(|(one, _)| *one == name)
            .unwrap()
            .1
            .get(key)
            .copied()
    };
    let sum = |all: &[(&'static str, f64)]| {
        all.iter()
            .map(|(name, factor)| of(name).unwrap_or(0.0) * factor)
            .sum::<f64>()
    };
    if ["lead_score", "response_time"].contains(&metric) {
        return of(metric);
    }
    match parts(metric) {
        (over, Some(under)) => Some(sum(under))
            .filter(|under| *under != 0.0)
            .map(|under| sum(&over) / under),
        (over, None) => Some(sum(&over)),
    }
}
