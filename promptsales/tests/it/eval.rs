//! `eval search`: the judged queries through the whole system, with the floors that must hold.

use serde_json::Value;

use crate::support::{run, shared_up};

const ENGINES: [&str; 2] = ["qdrant-edge", "pgvector"];

fn ndcg(report: &Value, engine: &str, language: &str, mode: &str) -> f64 {
    let results = report["results"].as_array().unwrap();
    let row = results
        .iter()
        .find(|row| row["engine"] == engine && row["language"] == language && row["mode"] == mode);
    let row = row.unwrap_or_else(|| panic!("no {engine} {language} {mode}: {report}"));
    for measure in ["ndcg_at_10", "recall_at_5", "mrr"] {
        let value = row[measure].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value), "{row}");
    }
    row["ndcg_at_10"].as_f64().unwrap()
}

#[test]
fn search_quality_is_at_least_what_we_promise() {
    let Some(up) = shared_up() else { return };
    let report = run(up.home(), &["eval", "search", "--json"])
        .expect(0)
        .json();
    assert!(report["queries"].as_u64().unwrap() >= 120, "{report}");
    for engine in ENGINES {
        for (language, floor) in [("es", 0.80), ("en", 0.85)] {
            let measured = |mode| ndcg(&report, engine, language, mode);
            let (dense, lexical, fused) =
                (measured("dense"), measured("lexical"), measured("fused"));
            let all =
                format!("{engine} {language}: dense {dense}, lexical {lexical}, fused {fused}");
            assert!(fused >= floor, "{all}");
            assert!(fused >= dense && fused >= lexical, "{all}");
            // What users get is the fused ranking without its tail.
            assert!(measured("served") <= fused + 1e-9, "{all}");
        }
    }
    let no_match = report["no_match"].as_array().unwrap();
    let languages: Vec<_> = no_match
        .iter()
        .map(|row| row["language"].as_str())
        .collect();
    assert_eq!(languages, [Some("es"), Some("en")]);
    for row in no_match {
        assert!(row["recall"].as_f64().unwrap() >= 0.8, "{row}");
        assert!(
            (0.0..=1.0).contains(&row["precision"].as_f64().unwrap()),
            "{row}"
        );
    }
    for twins in report["twins"].as_array().unwrap() {
        assert!(
            twins["same_first_image"].as_f64().unwrap() >= 0.8,
            "{twins}"
        );
    }
}
