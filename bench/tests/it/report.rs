//! What is made of the figures.

use promptsales_bench::{
    cli::Pace,
    machine::Machine,
    peers::PLANS,
    report::{Report, replace_section},
    rounds::{Comparison, Embedding, Measure},
};
use service_kit::Clock;

fn comparison(measure: Measure, batch: Option<u32>, ratio: f64) -> Comparison {
    Comparison::of(&PLANS[0], "0.9", measure, batch, vec![(ratio, 1.0)]).unwrap()
}

fn report(comparisons: Vec<Comparison>) -> Report {
    let embedding = Embedding {
        comparisons,
        ..Embedding::default()
    };
    let pace = Pace {
        quick: true,
        seconds: 1.0,
        rounds: 1,
    };
    let missing = Err(anyhow::anyhow!("there is no program"));
    Report::new(
        Clock::system().now(),
        Machine::look(),
        pace,
        embedding,
        missing,
    )
}

#[test]
fn targets_are_held_against_the_peers_better_batch() {
    let report = report(vec![
        comparison(Measure::QueryMsP50, None, 0.9),
        comparison(Measure::TextsPerSecond, Some(16), 1.1),
        comparison(Measure::TextsPerSecond, Some(256), 1.4),
    ]);
    let met: Vec<_> = report.targets.iter().map(|target| target.met).collect();
    assert_eq!(met, [Some(true), Some(false), None, None, None, None]);
    assert_eq!(report.targets[1].measured, Some(1.1));
}

#[test]
fn what_was_not_measured_is_said() {
    let report = report(Vec::new());
    let text = report.text();
    assert!(text.contains("getContent was not measured: there is no program"));
    assert!(text.contains("not measured |"), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["get_content_failed"], "there is no program");
}

#[test]
fn only_the_section_between_the_markers_is_replaced() {
    let document = "a\n<!-- last result: begin -->\nold\n<!-- last result: end -->\nz\n";
    let once = replace_section(document, "new\n").unwrap();
    assert!(once.starts_with("a\n<!--") && once.ends_with("-->\nz\n"));
    assert!(once.contains("\nnew\n") && !once.contains("old"));
    assert_eq!(replace_section(&once, "new").unwrap(), once);
}

#[test]
fn missing_markers_are_named() {
    let refused = replace_section("no markers", "new").unwrap_err();
    assert!(refused.to_string().contains("last result: begin"));
    let half = replace_section("<!-- last result: begin -->", "new").unwrap_err();
    assert!(half.to_string().contains("last result: end"));
}

#[test]
fn the_readme_has_its_markers() {
    let readme = include_str!("../../README.md");
    assert!(replace_section(readme, "new").is_ok());
}
