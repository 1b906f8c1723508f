//! `soak`, short: writes, reads, kills and restarts, and all stores equal in the end.

use serde_json::Value;

use crate::support::{CATALOGUE, FirstStart, TestHome, run};

#[test]
fn under_kills_and_restarts_no_answer_is_wrong_and_all_stores_end_equal() {
    // Only to know that a system can be started here at all.
    if FirstStart::get().is_none() {
        return;
    }
    let home = TestHome::new();
    let ran = run(&home, &["soak", "--seconds", "20", "--seed", "3", "--json"]);
    // Its report before its code, because that says what was wrong.
    let report = ran.json();
    println!("{report:#}");
    assert_eq!(report["differences"], Value::Array(Vec::new()));
    for none in ["wrong_answers", "errors"] {
        assert_eq!(report[none], 0, "{none}");
    }
    assert!(report["restarts"].as_u64() > Some(0));
    let detail = &report["detail"];
    for what in [
        "upload", "patch", "race", "approve", "retire", "delete", "version", "search", "similar",
        "list", "get",
    ] {
        assert!(detail["operations"][what].as_u64() > Some(0), "{what}");
    }
    let documents = detail["documents"].as_object().unwrap();
    assert_eq!(documents.len(), 3, "{documents:?}");
    for held in documents.values() {
        assert!(held.as_u64() > Some(CATALOGUE), "{documents:?}");
    }
    assert!(detail["cached_answers"].as_u64() > Some(0));
    assert_eq!(ran.code, Some(0));
    assert_eq!(home.processes(), []);

    // What was made stays there, and no other soak is let in.
    let again = run(&home, &["soak", "--seconds", "1"]).expect(1);
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);
}

#[test]
fn an_index_that_lacks_a_document_is_told_and_fails_it() {
    if FirstStart::get().is_none() {
        return;
    }
    let home = TestHome::new();
    let soak = ["soak", "--seconds", "1", "--tamper", "--json"];
    let ran = run(&home, &soak).expect(1);
    let report = ran.json();
    let differences = report["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 2, "{report:#}");
    for (told, says) in differences.iter().zip(["documents, and", "is missing"]) {
        let told = told.as_str().unwrap();
        assert!(
            told.starts_with("pgvector: ") && told.contains(says),
            "{told}"
        );
    }
    assert_eq!(home.processes(), []);
}
