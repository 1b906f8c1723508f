//! `serve`: routes, scheduler, shutdown.

use service_kit::http_client;

use super::process::{Environment, NOBODY, PATIENCE, Running};
use crate::warehouse::fixture::{Fixture, lock, wait_until};

/// Nobody issues tokens there: what is asked here needs none.
pub const SERVE: [&str; 8] = [
    "--listen",
    "127.0.0.1:0",
    "--issuer",
    "http://127.0.0.1:1",
    "--audience",
    "test",
    "--public-url",
    "http://warehouse.test",
];

async fn status(address: &str, path: &str) -> u16 {
    let http = http_client::build(PATIENCE).unwrap();
    let url = format!("http://{address}{path}");
    http.get(url).send().await.unwrap().status().as_u16()
}

async fn get(url: &str) -> String {
    let http = http_client::build(PATIENCE).unwrap();
    let answer = http.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

#[tokio::test]
async fn it_serves_runs_at_once_and_stops_when_told_to() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let mut environment = Environment::of(&fixture);
    environment.set("SALES_WAREHOUSE_METRICS_ADDRESS", "127.0.0.1:0");
    let audit = tempfile::tempdir().unwrap();
    environment.set("SALES_WAREHOUSE_AUDIT", audit.path().to_str().unwrap());
    let mut service = Running::start(&environment, &SERVE);
    let serving = service.said("serving").await;
    let address = serving["address"].as_str().unwrap();
    service.said("etl done").await;
    assert_eq!(status(address, "/livez").await, 200);
    assert_eq!(status(address, "/readyz").await, 200);
    assert_eq!(status(address, "/v1/freshness").await, 401);
    // Metrics take no token, and have a port of their own.
    assert_eq!(status(address, "/metrics").await, 404);
    let serving = service.said("serving metrics").await;
    let elsewhere = serving["address"].as_str().unwrap();
    let metrics = get(&format!("http://{elsewhere}/metrics")).await;
    let none_lost = "promptsales_audit_events_lost_total{service=\"sales-warehouse\"} 0\n";
    let no_tls = "promptsales_tls_handshakes_failed_total{service=\"sales-warehouse\",reason=\"timeout\"} 0\n";
    let crowd = "promptsales_connections_crowded_out_total{service=\"sales-warehouse\"} 0\n";
    for line in [none_lost, no_tls, crowd] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert_eq!(status(elsewhere, "/v1/freshness").await, 404);
    service.terminate().await;
    let ran = service.ended().await.expect(0);
    ran.log("stopped");
    let revenue = "select sum(net_amount) from core.fact_sale";
    assert_eq!(fixture.value(revenue).await, "67.50");
}

#[tokio::test]
async fn without_the_schedule_it_only_serves() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let mut environment = Environment::default();
    // It needs no source then.
    environment.set("SALES_WAREHOUSE_DATABASE_URL", &fixture.warehouse_url());
    environment.set("SALES_WAREHOUSE_NO_SCHEDULE", "true");
    environment.set("SALES_WAREHOUSE_TOKEN_URL", NOBODY);
    environment.set("SALES_WAREHOUSE_CALLER_CLIENTS", "mcp-gateway");
    environment.set("SALES_WAREHOUSE_CALLER_KEYS", NOBODY);
    let mut service = Running::start(&environment, &SERVE);
    let serving = service.said("serving").await;
    let address = serving["address"].as_str().unwrap();
    assert_eq!(status(address, "/readyz").await, 503);
    // Somebody else's runs make it ready.
    fixture.run().await;
    assert_eq!(status(address, "/readyz").await, 200);
    // Only calls for others need the keys that are away.
    let ready = get(&format!("http://{address}/readyz")).await;
    assert!(
        ready.contains(r#""degraded":["the callers' keys"]"#),
        "{ready}"
    );
    service.terminate().await;
    service.ended().await.expect(0);
    assert_eq!(fixture.value("select count(*) from etl.runs").await, "1");
}

#[tokio::test]
async fn told_to_stop_in_the_middle_of_a_run_it_ends_the_run_and_says_so() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let environment = Environment::of(&fixture);
    for (arguments, code) in [(&SERVE[..], 0), (&["etl", "--once"], 1), (&["etl"], 0)] {
        let mut holder = fixture.pool.begin().await.unwrap();
        lock(&mut holder, "core.fact_ad_daily").await;
        let service = Running::start(&environment, arguments);
        wait_until(&fixture.pool, STUCK).await;
        service.terminate().await;
        let ran = service.ended().await.expect(code);
        assert!(ran.stderr.contains("stopped"), "{ran:?}");
        holder.rollback().await.unwrap();
        assert_eq!(
            fixture
                .value(
                    "select status || ' ' || (finished_at is not null)::text from etl.runs
                     order by run_id desc limit 1"
                )
                .await,
            "interrupted true"
        );
    }
    fixture.run().await;
    fixture.verify().await;
}

/// The ETL's session, stuck behind a lock that a test holds.
const STUCK: &str = "select count(*) = 1 from pg_stat_activity
    where datname = current_database() and application_name = 'sales-warehouse etl' and wait_event_type = 'Lock'";
