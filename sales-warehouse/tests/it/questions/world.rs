//! A warehouse with the sample data, loaded once for all tests of this file's folder.

use std::sync::Arc;

use contracts::Language;
use sales_questions::{MetricQuery, answering::Cell};
use sales_warehouse::{
    Warehouse,
    demo::{self, Existing, LoadPlan, SampleContent},
    etl::{self, RunStatus},
    questions::{Answer, Options, Questions},
    source::{PostgresSource, Source, System},
};
use serde_json::{Map, Value, json};
use service_kit::Clock;
use sqlx::{AssertSqlSafe, PgPool};
use test_support::TestDatabase;
use time::macros::datetime;

use crate::world::{World, keyring};

pub struct Sample {
    pub questions: Questions,
    pub warehouse: Warehouse,
    /// A superuser's pool on the warehouse.
    pub pool: PgPool,
    _world: World,
    _database: TestDatabase,
}

/// The sample as of 22 November 2026; `None` where there is no PostgreSQL.
pub async fn sample() -> Option<Sample> {
    let world = World::start().await?;
    let plan = LoadPlan::small(42, datetime!(2026-11-22 12:00 UTC).date());
    let keys = keyring();
    demo::load(
        &world.sources,
        &Arc::clone(&keys),
        &plan,
        Existing::Refuse,
        &|_| {},
    )
    .await
    .unwrap();
    let database = test_support::fresh_database().await?;
    let warehouse = Warehouse::connect(&database.url.clone().into())
        .await
        .unwrap();
    warehouse.migrate().await.unwrap();
    let sources: [Box<dyn Source>; 3] = [
        Box::new(PostgresSource::new(
            System::PromptAds,
            world.ads_url().into(),
        )),
        Box::new(PostgresSource::new(
            System::PromptCrm,
            world.crm_url().into(),
        )),
        Box::new(SampleContent),
    ];
    let report = etl::run(&warehouse, &sources).await.unwrap();
    assert_eq!(report.status, RunStatus::Succeeded, "{report:?}");
    let clock = Clock::from_fn(|| datetime!(2026-11-22 12:00 UTC));
    Some(Sample {
        questions: Questions::new(warehouse.clone(), clock),
        warehouse,
        pool: database.pool.clone(),
        _world: world,
        _database: database,
    })
}

impl Sample {
    pub async fn ask(&self, query: Value) -> Answer {
        let read: MetricQuery = serde_json::from_value(query.clone()).unwrap();
        let asked = self.questions.query(read, Language::En, Options::default());
        asked
            .await
            .unwrap_or_else(|error| panic!("{query}: {error:?}"))
    }

    /// The rows of a query, without names.
    pub async fn rows(&self, query: Value) -> Vec<Vec<Value>> {
        let answer = self.ask(query).await;
        let shown = |name: &str| !name.ends_with("_name");
        let kept: Vec<bool> = answer.columns.iter().map(|one| shown(&one.name)).collect();
        let of_row = |row: &Vec<Cell>| {
            let cells = row.iter().zip(&kept).filter(|(_, kept)| **kept);
            cells.map(|(cell, _)| json!(cell)).collect()
        };
        answer.rows.iter().map(of_row).collect()
    }

    /// The rows of hand-written SQL, whose columns are a, b, c ….
    pub async fn sql(&self, sql: &str) -> Vec<Vec<Value>> {
        let named = self.named(sql).await;
        let columns: Vec<&str> = named.columns.iter().map(String::as_str).collect();
        named.pick(&columns)
    }

    /// The rows of hand-written SQL, by column.
    pub async fn named(&self, sql: &str) -> Named {
        let text = format!("select to_jsonb(q)::text from ({sql}) as q");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(text))
            .fetch_all(&self.pool)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows: Vec<Map<String, Value>> = rows
            .iter()
            .map(|row| serde_json::from_str(row).unwrap())
            .collect();
        let columns = rows.first().into_iter().flat_map(|row| row.keys().cloned());
        Named {
            columns: columns.collect(),
            rows,
        }
    }

    /// Asserts that a query gives what hand-written SQL gives, whose columns are a, b, c ….
    pub async fn same(&self, query: Value, sql: &str) {
        let (ours, theirs) = (self.rows(query.clone()).await, self.sql(sql).await);
        assert!(!theirs.is_empty(), "{query}: nothing to compare");
        assert_eq!(ours.len(), theirs.len(), "{query}\n{ours:?}\n{theirs:?}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(alike(ours, theirs), "{query}\n{ours:?}\n{theirs:?}");
        }
    }
}

/// Equal, but for the last digits of numbers.
pub fn alike(ours: &[Value], theirs: &[Value]) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0);
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|pair| match (pair.0.as_f64(), pair.1.as_f64()) {
                (Some(a), Some(b)) => close(a, b),
                _ => pair.0 == pair.1,
            })
}

/// Rows by column.
pub struct Named {
    pub columns: Vec<String>,
    rows: Vec<Map<String, Value>>,
}

impl Named {
    /// Each row in the order of these columns, without those that it does not have.
    pub fn pick(&self, columns: &[&str]) -> Vec<Vec<Value>> {
        let of_row = |row: &Map<String, Value>| {
            let found = columns.iter().filter_map(|name| row.get(*name).cloned());
            found.collect()
        };
        self.rows.iter().map(of_row).collect()
    }
}
