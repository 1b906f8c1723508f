//! Every query that can be asked equals a naive count.

use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use sales_questions::{
    MetricQuery,
    query::{Baseline, Compare, Direction, Filter, Grain, Measure, Op, Order, TimeRange, Value},
};
use serde_json::json;
use time::{Date, Duration, macros::date};

use super::{
    reference::{METRICS, Reference},
    world::{alike, sample},
};

const QUERIES: usize = 300;
const TODAY: Date = date!(2026 - 11 - 22);
const DIMENSIONS: [&str; 20] = [
    "campaign",
    "status",
    "objective",
    "theme",
    "market",
    "region",
    "channel",
    "audience",
    "content",
    "hashtag",
    "product",
    "category",
    "customer_segment",
    "company_size",
    "industry",
    "lead_source",
    "lead_status",
    "interaction_type",
    "opportunity_stage",
    "reaction_type",
];

#[tokio::test]
async fn generated_queries_equal_a_naive_count() {
    let Some(sample) = sample().await else {
        return;
    };
    let reference = Reference::read(&sample.pool, TODAY).await;
    // The same queries each time: a failure can be looked at again.
    let mut runner = TestRunner::deterministic();
    let strategy = metrics(&reference);
    let (mut with_rows, mut truncated) = (0, 0);
    for _ in 0..QUERIES {
        let query = strategy.new_tree(&mut runner).unwrap().current();
        let answer = sample.ask(json!(query)).await;
        if answer.truncated {
            truncated += 1;
            continue;
        }
        let ours = sample.rows(json!(query)).await;
        let theirs = reference.rows(&query);
        let told = || {
            format!(
                "{}\nours   {}\ntheirs {}",
                json!(query),
                json!(ours),
                json!(theirs)
            )
        };
        assert_eq!(ours.len(), theirs.len(), "{}", told());
        for (a, b) in ours.iter().zip(&theirs) {
            assert!(alike(a, b), "{}\n{a:?}\n{b:?}", told());
        }
        with_rows += usize::from(ours.len() > 1);
    }
    // Queries that find nothing prove nothing.
    assert!(with_rows > QUERIES / 3, "{with_rows}");
    assert!(truncated < QUERIES / 10, "{truncated}");
}

fn metrics(reference: &Reference) -> impl Strategy<Value = MetricQuery> + '_ {
    subsequence(METRICS.to_vec(), 1..=3).prop_flat_map(move |metrics| {
        let reached: Vec<&str> = DIMENSIONS
            .into_iter()
            .filter(|one| metrics.iter().all(|metric| reference.reaches(metric, one)))
            .collect();
        let most = reached.len().min(2);
        let dimensions = subsequence(reached.clone(), 0..=most);
        let filtered = subsequence(reached, 0..=most);
        let grain = prop_oneof![
            3 => Just(None),
            1 => select(vec![Grain::Day, Grain::Week, Grain::Month, Grain::Quarter, Grain::Year]).prop_map(Some),
        ];
        (Just(metrics), dimensions, filtered, grain).prop_flat_map(move |(metrics, dimensions, filtered, grain)| {
            let filters: Vec<_> = filtered.iter().map(|one| filter(reference, one)).collect();
            let bare = dimensions.is_empty() && grain.is_none();
            let adds_up = metrics.iter().all(|one| ADDING.contains(one));
            let shape = (filters, time(), 0..10u8, 0..10u8, 1..8u32, any::<(bool, bool, bool)>(), 0..2_000u32);
            shape.prop_map(move |(filters, time, compare, order, limit, flags, threshold)| {
                let mut query = MetricQuery {
                    metrics: metrics.iter().map(|one| (*one).to_owned()).collect(),
                    dimensions: dimensions.iter().map(|one| (*one).to_owned()).collect(),
                    filters,
                    time,
                    grain,
                    ..MetricQuery::default()
                };
                query.compare = compared(&query, compare, adds_up && !bare);
                if !bare {
                    finish(&mut query, order, limit, flags, threshold);
                }
                query
            })
        })
    })
}

/// Those that a share can be made of.
const ADDING: [&str; 17] = [
    "campaigns",
    "active_campaigns",
    "budget",
    "impressions",
    "clicks",
    "spend",
    "content_uses",
    "leads",
    "opportunities",
    "pipeline",
    "interactions",
    "sales",
    "units",
    "revenue",
    "gross_profit",
    "new_customers",
    "churned_subscriptions",
];

fn filter(reference: &Reference, dimension: &'static str) -> impl Strategy<Value = Filter> + use<> {
    let mut members = reference.members(dimension);
    members.push("' or true --".to_owned());
    let most = members.len().min(6);
    (subsequence(members, 1..=most), 0..4u8).prop_map(move |(members, op)| {
        let one = Value::Member(members[0].clone());
        let (op, value) = match op {
            0 => (Op::Is, one),
            1 => (Op::IsNot, one),
            2 => (Op::In, Value::Members(members)),
            _ => (Op::NotIn, Value::Members(members)),
        };
        Filter {
            field: dimension.to_owned(),
            op,
            value,
        }
    })
}

fn time() -> impl Strategy<Value = Option<TimeRange>> {
    let day = |days: i64| date!(2025 - 01 - 01) + Duration::days(days);
    let range = |from, to| {
        Some(TimeRange {
            from: Some(from),
            to,
        })
    };
    prop_oneof![
        2 => Just(None),
        3 => (0..600i64, 1..400i64)
            .prop_map(move |(from, length)| range(day(from), Some(day(from + length)))),
        2 => (1..12u8, 1..=12u8).prop_map(move |(from, months)| {
            let first = |month: u8| Date::from_calendar_date(2026, month.try_into().unwrap(), 1);
            range(first(from).unwrap(), Some(first((from + months).min(12)).unwrap()))
        }),
        1 => (0..600i64).prop_map(move |from| range(day(from), None)),
    ]
}

fn compared(query: &MetricQuery, choice: u8, shares: bool) -> Option<Compare> {
    let both_ends = |time: TimeRange| time.from.is_some() && time.to.is_some();
    let stated = query.time.is_some_and(both_ends);
    match choice {
        0 | 1 if stated || query.grain.is_some() => Some(Compare::With(Baseline::PreviousPeriod)),
        2 if stated && query.grain.is_none() => Some(Compare::Range(TimeRange {
            from: Some(date!(2026 - 02 - 10)),
            to: Some(date!(2026 - 05 - 03)),
        })),
        4 | 5 if stated || query.grain.is_some() => Some(Compare::With(Baseline::PreviousYear)),
        3 if shares => Some(Compare::With(Baseline::ShareOfTotal)),
        _ => None,
    }
}

fn finish(
    query: &mut MetricQuery,
    order: u8,
    limit: u32,
    (ascending, limited, filtered): (bool, bool, bool),
    threshold: u32,
) {
    let measure = match query.compare {
        Some(Compare::With(Baseline::ShareOfTotal)) => Measure::Share,
        Some(_) => Measure::Change,
        None => Measure::Value,
    };
    let dir = if ascending {
        Direction::Asc
    } else {
        Direction::Desc
    };
    let by = |by: &str, measure| Order {
        by: by.to_owned(),
        dir,
        within: None,
        measure,
    };
    match order {
        0..=3 => query.order = vec![by(&query.metrics[0], None)],
        4 => query.order = vec![by(&query.metrics[0], Some(measure))],
        5 if !query.dimensions.is_empty() => query.order = vec![by(&query.dimensions[0], None)],
        6 if query.grain.is_some() => query.order = vec![by(Order::TIME, None)],
        7 if query.dimensions.len() == 2 => {
            let mut ranked = by(&query.metrics[0], None);
            ranked.within = Some(query.dimensions[0].clone());
            query.order = vec![ranked];
            query.limit = Some(limit);
        }
        _ => {}
    }
    if limited {
        query.limit = Some(limit);
    }
    // Thresholds above zero, off the values that sums can have; zero has tests of its own.
    if filtered && threshold.is_multiple_of(3) {
        query.filters.push(Filter {
            field: query.metrics[0].clone(),
            op: if ascending { Op::Above } else { Op::AtLeast },
            value: Value::Number(f64::from(threshold) / 7.0 + 0.01),
        });
    }
}
