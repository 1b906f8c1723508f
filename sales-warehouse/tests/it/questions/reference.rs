//! What queries should give, counted one row after another in the plainest way. It shares nothing with the
//! compiler: its rows come from `core`, its metrics are written down anew.

use std::collections::{BTreeMap, BTreeSet};

use sales_questions::query::{
    Baseline, Compare, Direction, Filter, Grain, Measure, MetricQuery, Op, Order, TimeRange, Value,
};
use sqlx::PgPool;
use time::{Date, Duration, Month, macros::format_description};

type Json = serde_json::Value;
type Row = BTreeMap<String, Json>;
type Key = (Option<Date>, Vec<String>);

/// How rows are counted.
#[derive(Clone, Copy)]
enum Count {
    Rows,
    Sum(&'static str),
    Different(&'static str),
    Mean(&'static str),
}

#[derive(Clone, Copy)]
struct Simple {
    fact: &'static str,
    day: &'static str,
    count: Count,
    when: fn(&Row) -> bool,
}

/// A sum of simple metrics with factors.
type Sum = &'static [(&'static str, f64)];

/// The metrics that queries are made of.
pub const METRICS: [&str; 27] = [
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
];

fn simple(name: &str, query: &MetricQuery) -> Option<Simple> {
    let yes: fn(&Row) -> bool = |_| true;
    let sold: fn(&Row) -> bool = |row| row["sale_status"] == "completed";
    // Campaigns know no channel, audience or image; their ads do.
    let by_ad = asked(query)
        .iter()
        .any(|one| ["channel", "audience", "content"].contains(one));
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
fn parts(name: &'static str) -> (Vec<(&'static str, f64)>, Option<Sum>) {
    let of = |over: Sum, under: Sum| (over.to_vec(), Some(under));
    match name {
        "ctr" => of(&[("clicks", 1.0)], &[("impressions", 1.0)]),
        "cpm" => of(&[("spend", 1000.0)], &[("impressions", 1.0)]),
        "lead_to_sale_rate" => of(&[("converted_leads", 1.0)], &[("leads", 1.0)]),
        "cost_per_lead" => of(&[("spend", 1.0)], &[("leads", 1.0)]),
        "win_rate" => of(&[("won", 1.0)], &[("closed", 1.0)]),
        "roi" => of(&[("revenue", 1.0), ("spend", -1.0)], &[("spend", 1.0)]),
        "gross_profit" => (vec![("revenue", 1.0), ("cost_of_sales", -1.0)], None),
        simple => (vec![(simple, 1.0)], None),
    }
}

fn named(name: &str) -> &'static str {
    METRICS.into_iter().find(|one| *one == name).unwrap()
}

/// The dimensions that a query groups or filters by.
fn asked(query: &MetricQuery) -> Vec<&str> {
    let filters = query.filters.iter().map(|one| one.field.as_str());
    let filters = filters.filter(|one| !METRICS.contains(one));
    query
        .dimensions
        .iter()
        .map(String::as_str)
        .chain(filters)
        .collect()
}

/// All rows of the sample.
pub struct Reference {
    facts: BTreeMap<String, Vec<Row>>,
    today: Date,
}

impl Reference {
    pub async fn read(pool: &PgPool, today: Date) -> Self {
        let all: Vec<(String, String)> = sqlx::query_as(include_str!("reference/rows.sql"))
            .fetch_all(pool)
            .await
            .unwrap();
        let mut facts: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for (fact, row) in all {
            facts
                .entry(fact)
                .or_default()
                .push(serde_json::from_str(&row).unwrap());
        }
        Self { facts, today }
    }

    /// Whether a metric can be told apart by a dimension; by its ads too, where it is of campaigns.
    pub fn reaches(&self, metric: &'static str, dimension: &str) -> bool {
        let (over, under) = parts(metric);
        let query = MetricQuery {
            dimensions: vec![dimension.to_owned()],
            ..MetricQuery::default()
        };
        let mut all = over.iter().chain(under.unwrap_or_default());
        all.all(|(part, _)| {
            let fact = simple(part, &query).unwrap().fact;
            self.facts[fact][0].contains_key(dimension)
        })
    }

    /// Members of a dimension, of whatever fact.
    pub fn members(&self, dimension: &str) -> Vec<String> {
        let rows = self.facts.values().flatten();
        let all: BTreeSet<String> = rows
            .filter_map(|row| Some(row.get(dimension)?.as_str()?.to_owned()))
            .collect();
        all.into_iter().collect()
    }

    /// The rows of a query: time, dimensions, metrics with what a comparison makes of them.
    pub fn rows(&self, query: &MetricQuery) -> Vec<Vec<Json>> {
        let shown: Vec<&'static str> = query.metrics.iter().map(|one| named(one)).collect();
        let mut needed = shown.clone();
        for name in query
            .filters
            .iter()
            .map(|one| &one.field)
            .chain(query.order.iter().map(|one| &one.by))
        {
            if METRICS.contains(&name.as_str()) && !needed.contains(&named(name)) {
                needed.push(named(name));
            }
        }
        let now = self.counted(query, &needed, query.time, 0, true);
        let before =
            before(query).map(|(range, shift)| self.counted(query, &needed, range, shift, true));
        let shares = query.compare == Some(Compare::With(Baseline::ShareOfTotal));
        let total = shares.then(|| self.counted(query, &needed, query.time, 0, false));
        let mut keys: BTreeSet<Key> = now
            .iter()
            .map(|(_, of)| of.keys().cloned())
            .flatten()
            .collect();
        for (_, of) in before.iter().flatten() {
            keys.extend(
                of.keys()
                    .filter(|key| key.0.is_none_or(|day| day <= self.today))
                    .cloned(),
            );
        }
        if query.dimensions.is_empty() {
            match query.grain {
                None => {
                    keys.insert((None, Vec::new()));
                }
                Some(grain) => self.fill(query, grain, &mut keys),
            }
        }
        let mut rows: Vec<(Key, BTreeMap<(&str, Measure), Option<f64>>)> = Vec::new();
        for key in keys {
            let mut values = BTreeMap::new();
            for metric in &needed {
                let value = made(metric, &now, &key);
                values.insert((*metric, Measure::Value), value);
                if let Some(before) = &before {
                    let previous = made(metric, before, &key);
                    let change = value.zip(previous).map(|(a, b)| a - b);
                    let growth = change
                        .zip(previous)
                        .filter(|(_, b)| *b != 0.0)
                        .map(|(a, b)| a / b);
                    values.insert((metric, Measure::Previous), previous);
                    values.insert((metric, Measure::Change), change);
                    values.insert((metric, Measure::Growth), growth);
                }
                if let Some(total) = &total {
                    let whole = (key.0.filter(|_| !query.dimensions.is_empty()), Vec::new());
                    let total = made(metric, total, &whole);
                    let share = value
                        .zip(total)
                        .filter(|(_, b)| *b != 0.0)
                        .map(|(a, b)| a / b);
                    values.insert((metric, Measure::Share), share);
                }
            }
            let kept = query
                .filters
                .iter()
                .filter(|one| METRICS.contains(&one.field.as_str()))
                .all(|filter| {
                    values[&(named(&filter.field), Measure::Value)]
                        .is_some_and(|value| passes(filter, value))
                });
            if kept {
                rows.push((key, values));
            }
        }
        self.ordered(query, rows)
            .into_iter()
            .map(|(key, values)| {
                let mut row: Vec<Json> = key.0.iter().map(|day| day.to_string().into()).collect();
                row.extend(key.1.into_iter().map(Json::from));
                for metric in &shown {
                    let of_metric = values.iter().filter(|((name, _), _)| name == metric);
                    // In the order of `Measure`: value, previous, change, growth, share.
                    row.extend(of_metric.map(|(_, value)| Json::from(*value)));
                }
                row
            })
            .collect()
    }

    /// Every part of a stated time up to today, or of what was found.
    fn fill(&self, query: &MetricQuery, grain: Grain, keys: &mut BTreeSet<Key>) {
        let days: Vec<Date> = keys.iter().filter_map(|key| key.0).collect();
        let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else {
            return;
        };
        let from = query
            .time
            .and_then(|time| time.from)
            .map_or(*first, |day| part(grain, day));
        let to = query
            .time
            .and_then(|time| time.to)
            .map_or(*last, |to| (to - Duration::DAY).min(self.today));
        let mut day = from;
        while day <= to {
            if part(grain, day) == day {
                keys.insert((Some(day), Vec::new()));
            }
            day += Duration::DAY;
        }
    }

    /// Each simple metric by key.
    fn counted(
        &self,
        query: &MetricQuery,
        metrics: &[&'static str],
        range: Option<TimeRange>,
        shift: i32,
        grouped: bool,
    ) -> Vec<(&'static str, BTreeMap<Key, f64>)> {
        let names: BTreeSet<&'static str> = metrics
            .iter()
            .flat_map(|one| {
                let (over, under) = parts(one);
                over.into_iter()
                    .chain(under.unwrap_or_default().iter().copied())
                    .map(|(name, _)| name)
            })
            .collect();
        names
            .into_iter()
            .map(|name| {
                let how = simple(name, query).unwrap();
                let mut groups: BTreeMap<Key, Vec<&Row>> = BTreeMap::new();
                for row in &self.facts[how.fact] {
                    let member = |name: &String| {
                        row.get(name)
                            .and_then(|one| one.as_str())
                            .map(str::to_owned)
                    };
                    let Some(members) = query
                        .dimensions
                        .iter()
                        .map(member)
                        .collect::<Option<Vec<_>>>()
                    else {
                        continue;
                    };
                    let held = query
                        .filters
                        .iter()
                        .filter(|one| !METRICS.contains(&one.field.as_str()))
                        .all(|filter| {
                            (!grouped && query.dimensions.contains(&filter.field))
                                || holds(filter, row)
                        });
                    if !held || !(how.when)(row) {
                        continue;
                    }
                    let grain = query
                        .grain
                        .filter(|_| grouped || !query.dimensions.is_empty());
                    for part in self.parts_of_time(name, &how, row, range, grain) {
                        let part = part.map(|part| later(grain.unwrap_or(Grain::Day), part, shift));
                        let members = if grouped { members.clone() } else { Vec::new() };
                        groups.entry((part, members)).or_default().push(row);
                    }
                }
                let counted = groups
                    .into_iter()
                    .filter_map(|(key, rows)| Some((key, count(how.count, &rows)?)));
                (name, counted.collect())
            })
            .collect()
    }

    /// The parts of time that a row counts in; one `None` where they do not matter.
    fn parts_of_time(
        &self,
        name: &str,
        how: &Simple,
        row: &Row,
        range: Option<TimeRange>,
        grain: Option<Grain>,
    ) -> Vec<Option<Date>> {
        let all = TimeRange {
            from: None,
            to: None,
        };
        let range = range.unwrap_or(all);
        let inside = |day: Date| {
            range.from.is_none_or(|from| from <= day) && range.to.is_none_or(|to| day < to)
        };
        let timed = range != all || grain.is_some();
        if name == "active_campaigns" && timed {
            let (Some(start), end) = (day(&row["start_date"]), day(&row["end_date"])) else {
                return Vec::new();
            };
            let end = end.unwrap_or(self.today);
            let last = if grain.is_some() {
                end.min(self.today)
            } else {
                end
            };
            let mut parts = BTreeSet::new();
            let mut at = start;
            while at <= last {
                if inside(at) {
                    parts.insert(grain.map(|grain| part(grain, at)));
                }
                at += Duration::DAY;
            }
            return parts.into_iter().collect();
        }
        match day(&row[how.day]) {
            Some(day) if inside(day) => vec![grain.map(|grain| part(grain, day))],
            None if !timed => vec![None],
            _ => Vec::new(),
        }
    }

    fn ordered<'a>(
        &self,
        query: &MetricQuery,
        mut rows: Vec<(Key, BTreeMap<(&'a str, Measure), Option<f64>>)>,
    ) -> Vec<(Key, BTreeMap<(&'a str, Measure), Option<f64>>)> {
        let default = [Order {
            by: query.metrics[0].clone(),
            dir: Direction::Desc,
            within: None,
            measure: None,
        }];
        let time = Order {
            by: Order::TIME.to_owned(),
            dir: Direction::Asc,
            within: None,
            measure: None,
        };
        let mut orders: Vec<Order> = if query.order.is_empty() {
            default.to_vec()
        } else {
            query.order.clone()
        };
        if query.order.is_empty() && query.grain.is_some() {
            orders.insert(0, time);
        }
        let place = |name: &String| query.dimensions.iter().position(|one| one == name);
        rows.sort_by(|(a, x), (b, y)| {
            let mut by = std::cmp::Ordering::Equal;
            for order in &orders {
                let one = if order.by == Order::TIME {
                    a.0.cmp(&b.0)
                } else if let Some(place) = place(&order.by) {
                    a.1[place].cmp(&b.1[place])
                } else {
                    let name = (named(&order.by), order.measure.unwrap_or(Measure::Value));
                    match (x[&name], y[&name]) {
                        // What has no value comes last, whichever way.
                        (None, None) => std::cmp::Ordering::Equal,
                        (None, _) => {
                            by = by.then(std::cmp::Ordering::Greater);
                            continue;
                        }
                        (_, None) => {
                            by = by.then(std::cmp::Ordering::Less);
                            continue;
                        }
                        (Some(x), Some(y)) => x.total_cmp(&y),
                    }
                };
                by = by.then(if order.dir == Direction::Desc {
                    one.reverse()
                } else {
                    one
                });
            }
            by.then(a.0.cmp(&b.0)).then(a.1.cmp(&b.1))
        });
        let within = query
            .order
            .iter()
            .find_map(|one| one.within.as_ref())
            .and_then(place);
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        rows.retain(|(key, _)| {
            let of = within.map_or_else(String::new, |place| key.1[place].clone());
            let count = seen.entry(of).or_default();
            *count += 1;
            query.limit.is_none_or(|limit| *count <= limit)
        });
        if let Some(place) = within {
            rows.sort_by(|(a, _), (b, _)| a.1[place].cmp(&b.1[place]));
        }
        rows
    }
}

fn day(value: &Json) -> Option<Date> {
    Date::parse(value.as_str()?, format_description!("[year]-[month]-[day]")).ok()
}

/// The first day of the part of time.
fn part(grain: Grain, day: Date) -> Date {
    let first = |month: u8| {
        Date::from_calendar_date(day.year(), Month::try_from(month).unwrap(), 1).unwrap()
    };
    let month = u8::from(day.month());
    match grain {
        Grain::Day => day,
        Grain::Week => day - Duration::days(i64::from(day.weekday().number_days_from_monday())),
        Grain::Month => first(month),
        Grain::Quarter => first((month - 1) / 3 * 3 + 1),
        Grain::Year => first(1),
    }
}

/// So many parts later; negative for earlier.
fn later(grain: Grain, day: Date, parts: i32) -> Date {
    let months = |count: i32| {
        let all = day.year() * 12 + i32::from(u8::from(day.month())) - 1 + count * parts;
        Date::from_calendar_date(
            all.div_euclid(12),
            Month::try_from((all.rem_euclid(12) + 1) as u8).unwrap(),
            1,
        )
        .unwrap()
    };
    match grain {
        _ if parts == 0 => day,
        Grain::Day => day + Duration::days(i64::from(parts)),
        Grain::Week => day + Duration::days(7 * i64::from(parts)),
        Grain::Month => months(1),
        Grain::Quarter => months(3),
        Grain::Year => months(12),
    }
}

/// The time that a query is compared with, and how many parts later its parts belong. Only what the
/// generator makes: with a grain the part before, without one a whole month before or a stated range.
fn before(query: &MetricQuery) -> Option<(Option<TimeRange>, i32)> {
    match (query.compare?, query.grain) {
        (Compare::With(Baseline::ShareOfTotal), _) => None,
        (Compare::With(Baseline::PreviousPeriod), Some(grain)) => {
            let range = query.time.map(|time| TimeRange {
                from: time.from.map(|from| later(grain, part(grain, from), -1)),
                to: time.to.map(|to| part(grain, to - Duration::DAY)),
            });
            Some((range, 1))
        }
        (Compare::With(Baseline::PreviousPeriod), None) => {
            let time = query.time.unwrap();
            let (from, to) = (time.from.unwrap(), time.to.unwrap());
            let months = (to.year() - from.year()) * 12 + i32::from(u8::from(to.month()))
                - i32::from(u8::from(from.month()));
            let earlier = if from.day() == 1 && to.day() == 1 {
                later(Grain::Month, from, -months)
            } else {
                from - (to - from)
            };
            Some((
                Some(TimeRange {
                    from: Some(earlier),
                    to: Some(from),
                }),
                0,
            ))
        }
        (Compare::Range(range), None) => Some((Some(range), 0)),
        other => panic!("{other:?}"),
    }
}

fn holds(filter: &Filter, row: &Row) -> bool {
    let Some(member) = row.get(&filter.field).and_then(|one| one.as_str()) else {
        return false;
    };
    match (&filter.op, &filter.value) {
        (Op::Is, Value::Member(one)) => member == one,
        (Op::IsNot, Value::Member(one)) => member != one,
        (Op::In, Value::Members(all)) => all.iter().any(|one| one == member),
        (Op::NotIn, Value::Members(all)) => !all.iter().any(|one| one == member),
        other => panic!("{other:?}"),
    }
}

fn passes(filter: &Filter, value: f64) -> bool {
    match (&filter.op, &filter.value) {
        (Op::Above, Value::Number(one)) => value > *one,
        (Op::AtLeast, Value::Number(one)) => value >= *one,
        (Op::Between, Value::Numbers(two)) => two[0] <= value && value <= two[1],
        other => panic!("{other:?}"),
    }
}

/// `None` where nothing is counted.
fn count(how: Count, rows: &[&Row]) -> Option<f64> {
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
fn made(
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
