//! Percentiles, spreads, cosines, texts.

use promptsales_bench::{
    peers::PLANS,
    rounds::{Comparison, Measure},
    stats::{Cosines, Latency, Spread, percentile},
    texts::{REFERENCE_TEXTS, Texts},
};

#[test]
fn percentiles_interpolate_as_numpy_does() {
    let figures = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(percentile(&figures, 0.0), Some(1.0));
    assert_eq!(percentile(&figures, 50.0), Some(2.5));
    assert_eq!(percentile(&figures, 75.0), Some(3.25));
    assert_eq!(percentile(&figures, 100.0), Some(4.0));
    assert_eq!(percentile(&[], 50.0), None);
}

#[test]
fn a_latency_needs_a_time_and_no_order() {
    assert_eq!(Latency::of_millis(Vec::new()), None);
    let latency = Latency::of_millis(vec![9.0, 1.0, 5.0]).unwrap();
    assert_eq!((latency.p50_ms, latency.count), (5.0, 3));
}

#[test]
fn cosines_are_of_directions_and_need_as_many_vectors() {
    let reference = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    let found = Cosines::of(&[vec![2.0, 0.0], vec![1.0, 1.0]], &reference).unwrap();
    assert!((found.min - 0.5_f64.sqrt()).abs() < 1e-12, "{found:?}");
    assert!((found.mean - (1.0 + 0.5_f64.sqrt()) / 2.0).abs() < 1e-12);
    assert_eq!(Cosines::of(&reference[..1], &reference), None);
    assert_eq!(Cosines::of(&[], &[]), None);
}

#[test]
fn a_ratio_is_taken_in_each_round() {
    // A machine that halves its speed after the first round: the ratio does not see it.
    let rounds = vec![(2.0, 4.0), (4.0, 8.0), (4.0, 8.0)];
    let row = Comparison::of(&PLANS[0], "1", Measure::QueryMsP50, None, rounds).unwrap();
    let half = Spread {
        min: 0.5,
        median: 0.5,
        max: 0.5,
    };
    assert_eq!(row.ratio, half);
    assert_eq!(row.ours.median, 4.0);
    assert!(Comparison::of(&PLANS[0], "1", Measure::QueryMsP50, None, Vec::new()).is_none());
}

#[test]
fn the_projects_texts_are_enough_and_distinct_queries_are_distinct() {
    let texts = Texts::of_the_project().unwrap();
    assert!(texts.bulk.len() >= 2 * 60 && texts.queries.len() >= 120);
    assert_eq!(texts.compared().len(), REFERENCE_TEXTS);
    let lines = std::fs::read_to_string(texts.bulk_file()).unwrap();
    assert_eq!(lines.lines().count(), texts.bulk.len());
    let many = 3 * texts.queries.len();
    let distinct: std::collections::BTreeSet<String> = (0..many)
        .map(|number| texts.distinct_query(number).to_lowercase())
        .collect();
    assert_eq!(distinct.len(), many);
}
