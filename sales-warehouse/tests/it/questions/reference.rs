//! What queries should give, counted one row after another in the plainest way. It shares nothing with the
//! compiler: its rows come from `core`, its metrics are written down anew.

mod days;
mod metrics;

use std::collections::{BTreeMap, BTreeSet};

use sales_questions::query::{
    Baseline, Compare, Direction, Grain, Measure, MetricQuery, Order, TimeRange,
};
use sqlx::PgPool;
use time::{Date, Duration};

pub use metrics::METRICS;

use days::{Back, before, day, part};
use metrics::{Simple, count, holds, is_for, made, named, of, parts, passes, simple};

type Json = serde_json::Value;
type Row = BTreeMap<String, Json>;
type Key = (Option<Date>, Vec<String>);
/// By metric, what a comparison makes of it.
type Values<'a> = BTreeMap<(&'a str, Measure), Option<f64>>;

/// All rows of the sample.
pub struct Reference {
    facts: BTreeMap<String, Vec<Row>>,
    /// Each campaign's own row, where its market stands.
    homes: BTreeMap<String, Row>,
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
        let homes = facts["campaign"].iter().map(|row| {
            let campaign = row["campaign"].as_str().unwrap().to_owned();
            (campaign, row.clone())
        });
        let homes = homes.collect();
        Self {
            facts,
            homes,
            today,
        }
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
        let all: BTreeSet<String> = rows.flat_map(|row| of(row, dimension)).collect();
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
        let now = self.counted(query, &needed, query.time, None, true);
        let before = before(query)
            .map(|(range, shift)| self.counted(query, &needed, range, Some(shift), true));
        let shares = query.compare == Some(Compare::With(Baseline::ShareOfTotal));
        let total = shares.then(|| self.counted(query, &needed, query.time, None, false));
        let mut keys: BTreeSet<Key> = now.iter().flat_map(|(_, of)| of.keys().cloned()).collect();
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
        let mut rows: Vec<(Key, Values<'_>)> = Vec::new();
        // A running total is that of every row of the same members up to this one.
        let total_of = |metric, counted: &_, key: &Key| {
            if metric != "cumulative_revenue" || key.0.is_none() {
                return made(metric, counted, key);
            }
            let before = keys.iter().filter(|one| one.1 == key.1 && one.0 <= key.0);
            Some(before.filter_map(|one| made(metric, counted, one)).sum())
        };
        for key in keys.iter().cloned() {
            let mut values = BTreeMap::new();
            for metric in &needed {
                let value = total_of(metric, &now, &key);
                values.insert((*metric, Measure::Value), value);
                if let Some(before) = &before {
                    let previous = total_of(metric, before, &key);
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
            if kept && !stands_for_none(query, &key) {
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
        shift: Option<Back>,
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
                    // One group for each choice of members: what has several is in several.
                    let mut choices: Vec<Vec<String>> = vec![Vec::new()];
                    for name in &query.dimensions {
                        let filters = query.filters.iter().filter(|one| one.field == *name);
                        let kept = |one: &String| {
                            !grouped || filters.clone().all(|filter| is_for(filter, one))
                        };
                        let members: Vec<String> = of(row, name).into_iter().filter(kept).collect();
                        let longer = choices.iter().flat_map(|choice| {
                            let with = |one: &String| [choice.clone(), vec![one.clone()]].concat();
                            members.iter().map(with).collect::<Vec<_>>()
                        });
                        choices = longer.collect();
                    }
                    if choices.is_empty() {
                        continue;
                    }
                    if !grouped {
                        choices = vec![Vec::new()];
                    }
                    let held = query
                        .filters
                        .iter()
                        .filter(|one| !METRICS.contains(&one.field.as_str()))
                        .all(|filter| {
                            query.dimensions.contains(&filter.field) || holds(filter, row)
                        });
                    if !held || !(how.when)(row) || !self.at_home(query, row) {
                        continue;
                    }
                    let grain = query
                        .grain
                        .filter(|_| grouped || !query.dimensions.is_empty());
                    for part in self.parts_of_time(name, &how, row, range, grain) {
                        let part = part.map(|part| shift.map_or(part, |back| back.shown(part)));
                        for choice in &choices {
                            groups.entry((part, choice.clone())).or_default().push(row);
                        }
                    }
                }
                let counted = groups
                    .into_iter()
                    .filter_map(|(key, rows)| Some((key, count(how.count, &rows)?)));
                (name, counted.collect())
            })
            .collect()
    }

    /// Whether a row lies where its campaign does, where a question by campaign speaks of places.
    fn at_home(&self, query: &MetricQuery, row: &Row) -> bool {
        let by_campaign = query.dimensions.iter().any(|one| one == "campaign");
        ["market", "region"].into_iter().all(|place| {
            let used = query.dimensions.iter().any(|one| one == place)
                || query.filters.iter().any(|one| one.field == place);
            if !by_campaign || !used {
                return true;
            }
            let own = row["campaign"].as_str().and_then(|one| self.homes.get(one));
            own.is_some_and(|own| own[place] == row[place])
        })
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
        mut rows: Vec<(Key, Values<'a>)>,
    ) -> Vec<(Key, Values<'a>)> {
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

/// Whether a ranking has no place for a row: its channel, market or region is none.
fn stands_for_none(query: &MetricQuery, key: &Key) -> bool {
    let by_metric = match query.order.first() {
        Some(order) => METRICS.contains(&order.by.as_str()),
        None => query.grain.is_none(),
    };
    let ranks = query.limit.is_some() && by_metric;
    ranks
        && query
            .dimensions
            .iter()
            .zip(&key.1)
            .any(|(dimension, member)| {
                let nobody = match dimension.as_str() {
                    "channel" => member == "none" || member == "unknown",
                    "market" => member == "??",
                    "region" => member == "unknown",
                    _ => false,
                };
                let named = query.filters.iter().any(|one| {
                    one.field == *dimension && matches!(json(one)["op"].as_str(), Some("=" | "in"))
                });
                nobody && !named
            })
}

fn json(filter: &sales_questions::query::Filter) -> Json {
    serde_json::json!(filter)
}
