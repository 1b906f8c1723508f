//! A home whose sales data are not as they should be, and who says so.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{TestHome, Up, indexed_home, run};

/// Statements in `promptcrm`, on a running system.
fn crm(up: &Up, statements: &str) {
    let url = up.endpoints().databases.promptcrm;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap();
    });
}

/// The numbers of the last runs that came to each source.
fn last_runs(home: &TestHome) -> Vec<u64> {
    let status = run(home, &["status", "--json"]).expect(0).json();
    let runs = status["etl"].as_array().unwrap();
    runs.iter()
        .map(|run| run["run_id"].as_u64().unwrap())
        .collect()
}

#[test]
fn commands_that_need_no_sales_leave_the_warehouse_alone() {
    let Some(home) = indexed_home() else { return };
    let before = last_runs(&home);
    run(&home, &["find", "a lonely lighthouse"]).expect(0);
    run(&home, &["token"]).expect(0);
    // The one run more is that of `status` itself.
    let after: Vec<u64> = before.iter().map(|run| run + 1).collect();
    assert_eq!(last_runs(&home), after);
}

#[test]
fn a_half_loaded_home_is_made_whole() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    crm(
        &up,
        "truncate crm.customers, crm.products, crm.exchange_rates restart identity cascade",
    );
    let (_, home) = up.stop(Signal::INT);
    let report = run(&home, &["etl", "--json"]).expect(0).json();
    assert_eq!(report["status"], "succeeded", "{report}");
    assert_eq!(report["sources"][1]["read_all"], true, "{report}");
    let verified = run(&home, &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["equal"], true, "{verified}");
    let customers = verified["tables"].as_array().unwrap();
    let customers = customers
        .iter()
        .find(|table| table["name"] == "core.dim_customer");
    assert_eq!(customers.unwrap()["rows"], 2_000);
}

#[test]
fn a_source_that_fails_is_said_at_the_start_and_in_status() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    crm(&up, "alter table crm.leads rename column score to points");
    let (_, home) = up.stop(Signal::INT);
    let up = Up::start(home);
    let says = "column leads.score is gone";
    assert!(up.stderr().contains(says), "{}", up.stderr());
    let status = run(up.home(), &["status", "--json"]).expect(1).json();
    assert_eq!(status["etl"][0]["status"], "succeeded", "{status}");
    assert_eq!(status["etl"][1]["status"], "failed", "{status}");
    assert_eq!(status["etl"][1]["source"], "promptcrm", "{status}");
    let error = status["etl"][1]["error"].as_str().unwrap();
    assert!(error.contains(says), "{error}");
    let table = run(up.home(), &["status"]).expect(1).stdout;
    assert!(table.contains("failed") && table.contains(says), "{table}");
    // Mended, it is well again.
    crm(&up, "alter table crm.leads rename column points to score");
    run(up.home(), &["etl"]).expect(0);
    let status = run(up.home(), &["status", "--json"]).expect(0).json();
    assert_eq!(status["etl"][1]["error"], Value::Null, "{status}");
}

#[test]
fn a_lost_keyring_is_said_and_not_replaced() {
    let Some(home) = indexed_home() else { return };
    let keys = home.path().join("identity/personal-data.keys");
    let aside = home.path().join("identity/aside");
    fs::rename(&keys, &aside).unwrap();
    let up = Up::start(home);
    let says = "restore it from its backup";
    assert!(up.stderr().contains(says), "{}", up.stderr());
    let refused = run(up.home(), &["tick", "--source-changes", "50"]).expect(1);
    assert!(refused.stderr.contains(says), "{}", refused.stderr);
    assert!(!keys.exists());
    fs::rename(&aside, &keys).unwrap();
    run(up.home(), &["tick", "--source-changes", "50"]).expect(0);
}
