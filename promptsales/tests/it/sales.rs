//! Sales data through the whole system: sample, changes, ETL, verification, another load.

mod ask;
mod content;
mod faults;
mod keys;

use serde_json::Value;

use crate::support::{Up, indexed_home, run};

fn freshness(up: &Up) -> Vec<Value> {
    let status = run(up.home(), &["status", "--json"]).expect(0).json();
    status["freshness"].as_array().unwrap().clone()
}

#[test]
fn changes_reach_the_warehouse_and_it_equals_a_load_from_scratch() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    for source in freshness(&up) {
        assert_eq!(source["stale"], false, "{source}");
        assert!(source["age_seconds"].as_u64().unwrap() < 480, "{source}");
    }
    run(
        up.home(),
        &["tick", "--source-changes", "100", "--seed", "7"],
    )
    .expect(0);
    let first = run(up.home(), &["etl", "--json"]).expect(0).json();
    let changed: u64 = first["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| {
            // Nothing changes PromptContent here.
            let changed = source["source"] != "promptcontent";
            assert_eq!(
                source["reconciled"],
                Value::from(changed.then_some(true)),
                "{source}"
            );
            assert_eq!(source["quarantined"], 0, "{source}");
            source["rows_read"].as_u64().unwrap()
        })
        .sum();
    assert!(changed > 50, "{first}");
    let second = run(up.home(), &["etl", "--json"]).expect(0).json();
    for source in second["sources"].as_array().unwrap() {
        assert_eq!(source["rows_read"], 0, "{source}");
    }
    let verified = run(up.home(), &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["equal"], true, "{verified}");
    let rows = |name: &str| {
        let tables = verified["tables"].as_array().unwrap();
        let table = tables.iter().find(|table| table["name"] == name).unwrap();
        assert_eq!(table["checksum"], table["expected"]);
        table["rows"].as_u64().unwrap()
    };
    assert!(rows("core.fact_ad_daily") > 10_000);
    assert!(rows("core.dim_customer") >= 2_000);
}

#[test]
fn another_load_takes_the_place_of_the_sample_only_when_told_to() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    let small = [
        "load",
        "--campaigns",
        "2",
        "--active",
        "3",
        "--customers",
        "60",
        "--seed",
        "1",
    ];
    let refused = run(up.home(), &small).expect(1);
    assert!(refused.stderr.contains("--replace"), "{}", refused.stderr);
    let replace: Vec<&str> = small.iter().copied().chain(["--replace"]).collect();
    let loaded = run(up.home(), &replace).expect(0);
    assert!(loaded.stdout.contains("rows loaded"), "{}", loaded.stdout);
    let verified = run(up.home(), &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["equal"], true, "{verified}");
    let customers = verified["tables"]
        .as_array()
        .unwrap()
        .iter()
        .find(|table| table["name"] == "core.dim_customer")
        .unwrap();
    assert_eq!(customers["rows"], 60);
}
