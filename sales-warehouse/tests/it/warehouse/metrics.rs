//! `/metrics`, as a collector scrapes it.

use std::time::Duration;

use axum::Router;
use sales_warehouse::{
    etl::{self, SourceConfig},
    metrics,
    source::System,
};
use service_kit::{CancellationToken, Clock, http_client, listen, metrics::HttpMetrics};
use tokio::net::TcpListener;

use super::fixture::Fixture;

async fn serve(router: Router, stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::serve(listener, router, stop.clone()));
    format!("http://{address}/metrics")
}

async fn scrape(url: &str) -> Vec<String> {
    let http = http_client::build(Duration::from_secs(30)).unwrap();
    let answer = http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.unwrap();
    text.lines().map(str::to_owned).collect()
}

#[track_caller]
fn value(lines: &[String], series: &str) -> f64 {
    let line = lines
        .iter()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no {series}: {lines:#?}"));
    line.parse().unwrap()
}

fn told<'a>(lines: &'a [String], metric: &str) -> Vec<&'a String> {
    let start = format!("sales_warehouse_{metric}");
    lines
        .iter()
        .filter(|line| line.starts_with(&start))
        .collect()
}

#[tokio::test]
async fn they_tell_what_the_ledger_does() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let metrics = metrics::all(
        fixture.warehouse.clone(),
        Clock::system(),
        &HttpMetrics::default(),
    );
    let url = serve(metrics.router(), &stop).await;
    let before = scrape(&url).await;
    assert_eq!(value(&before, "sales_warehouse_database_up"), 1.0);
    let active = "http_server_active_requests{service=\"sales-warehouse\"}";
    assert_eq!(value(&before, active), 0.0);
    assert!(told(&before, "source_age").is_empty(), "{before:#?}");

    fixture.settle().await;
    fixture.run().await;
    fixture
        .crm("update crm.sales set status = 'refunded' where sale_id = 1; delete from crm.subscriptions")
        .await;
    fixture
        .ads("update ads.ad_daily set cost = -1 where ad_id = 3")
        .await;
    fixture.run().await;
    let mut broken = fixture.configs.clone();
    for config in &mut broken {
        if config.system() == System::PromptAds {
            *config = SourceConfig::Postgres {
                system: System::PromptAds,
                url: "postgres://nobody@localhost/none?host=/nowhere".into(),
            };
        }
    }
    etl::run_once(&fixture.warehouse, &broken).await.unwrap();
    let lines = scrape(&url).await;
    for (series, expected) in [
        ("etl_runs_total{status=\"succeeded\"}", 2.0),
        ("etl_runs_total{status=\"failed\"}", 1.0),
        ("etl_last_run_succeeded{source=\"promptads\"}", 0.0),
        ("etl_last_run_succeeded{source=\"promptcrm\"}", 1.0),
        (
            "etl_rows_total{source=\"promptcrm\",change=\"deleted\"}",
            1.0,
        ),
        (
            "etl_rows_total{source=\"promptcrm\",change=\"updated\"}",
            2.0,
        ),
        (
            "etl_rows_total{source=\"promptads\",change=\"quarantined\"}",
            1.0,
        ),
        (
            "etl_last_run_rows{source=\"promptads\",change=\"read\"}",
            0.0,
        ),
    ] {
        let series = format!("sales_warehouse_{series}");
        assert_eq!(value(&lines, &series), expected, "{series}: {lines:#?}");
    }
    let inserted = "sales_warehouse_etl_rows_total{source=\"promptads\",change=\"inserted\"}";
    let known: f64 = fixture
        .value("select sum(inserted) from etl.source_runs where source = 'promptads'")
        .await
        .parse()
        .unwrap();
    assert!(known > 10.0);
    assert_eq!(value(&lines, inserted), known);
    for source in ["promptads", "promptcrm"] {
        let age = format!("sales_warehouse_source_age_seconds{{source=\"{source}\"}}");
        assert!(value(&lines, &age) < 120.0, "{lines:#?}");
        let took = format!("sales_warehouse_etl_last_run_duration_seconds{{source=\"{source}\"}}");
        assert!(value(&lines, &took) < 120.0, "{lines:#?}");
    }
    // Bounded, whatever happens: 2 sources, 5 changes, 4 ways to end.
    let series = lines.iter().filter(|line| !line.starts_with('#')).count();
    assert!(series <= 2 + 3 * 2 + 2 * 10 + 4, "{series}: {lines:#?}");
}

#[tokio::test]
async fn without_its_database_it_says_that_and_nothing_old() {
    let Some(fixture) = Fixture::loaded().await else {
        return;
    };
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let metrics = metrics::all(
        fixture.warehouse.clone(),
        Clock::system(),
        &HttpMetrics::default(),
    );
    let url = serve(metrics.router(), &stop).await;
    assert!(!told(&scrape(&url).await, "source_age_seconds{").is_empty());
    // As if it were away: no connection can be had any more.
    fixture.warehouse.close().await;
    let lines = scrape(&url).await;
    assert_eq!(value(&lines, "sales_warehouse_database_up"), 0.0);
    for metric in ["source_age_seconds{", "etl_rows_total{", "etl_runs_total{"] {
        assert!(told(&lines, metric).is_empty(), "{lines:#?}");
    }
}
