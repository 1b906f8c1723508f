//! What the chart's alerts and dashboard read of a service.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Metrics of every service, by how their names begin.
const SHARED: [&str; 3] = ["http_server_", "http_client_", "promptsales_"];
const FILES: [&str; 2] = ["files/alerts.yaml", "dashboards/promptsales.json"];

/// Holds what a service exports, as `/metrics` gave it, against what alerts and dashboard read of it: each name is
/// there, and a series of it with every label that it is chosen or grouped by. `untold` are names of which this service
/// has had nothing to tell.
///
/// # Panics
/// When something is not there, or something untold is; and when the chart reads nothing of the service.
pub fn assert_exports_what_the_chart_reads(metrics: &str, service: &str, untold: &[&str]) {
    let own = format!("{}_", service.replace('-', "_"));
    let read = what_is_read();
    let is_shared = |name: &str| SHARED.iter().any(|shared| name.starts_with(shared));
    assert!(
        read.keys().any(|name| name.starts_with(&own)),
        "nobody looks at {service}"
    );
    let of_it = read
        .iter()
        .filter(|(name, _)| name.starts_with(&own) || is_shared(name));
    let mut faults = Vec::new();
    for (name, labels) in of_it {
        let series = series(metrics, name);
        match (series.is_empty(), untold.contains(&name.as_str())) {
            (true, false) => faults.push(format!("there is no {name}")),
            (false, true) => faults.push(format!("{name} is told after all")),
            (true, true) => {}
            (false, false) => faults.extend(
                labels
                    .iter()
                    .filter(|label| !series.iter().any(|line| has(line, label)))
                    .map(|label| format!("{name} has no label {label}: {}", series[0])),
            ),
        }
    }
    assert!(faults.is_empty(), "{service}: {faults:#?}");
}

fn series<'a>(metrics: &'a str, name: &str) -> Vec<&'a str> {
    let is_of = |line: &&str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    };
    metrics.lines().filter(is_of).collect()
}

fn has(line: &str, label: &str) -> bool {
    let with = |before| line.contains(&format!("{before}{label}=\""));
    with('{') || with(',')
}

/// Names, each with the labels that it is chosen or grouped by anywhere.
fn what_is_read() -> BTreeMap<String, BTreeSet<String>> {
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../helm/promptsales");
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in FILES {
        let text = fs::read_to_string(chart.join(file)).expect("the chart is there");
        for line in text.replace("\\\"", "\"").lines() {
            collect(line, &mut read);
        }
    }
    read
}

fn collect(line: &str, into: &mut BTreeMap<String, BTreeSet<String>>) {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let mut rest = line;
    let mut grouped: Vec<&str> = Vec::new();
    while let Some(begin) = rest.find(is_part) {
        let word = &rest[begin..];
        let end = word.find(|letter| !is_part(letter)).unwrap_or(word.len());
        let (name, after) = word.split_at(end);
        rest = after;
        if name == "by" {
            let (list, after) = after
                .trim_start_matches([' ', '('])
                .split_once(')')
                .unwrap_or((after, ""));
            grouped = list.split(", ").collect();
            rest = after;
        }
        // Names of ours say whose they are, what is measured, and of what.
        let ours = SHARED.into_iter().chain([
            "embedder_",
            "content_api_",
            "sales_warehouse_",
            "mcp_gateway_",
        ]);
        if !ours.into_iter().any(|ours| name.starts_with(ours)) {
            continue;
        }
        let labels = into.entry(name.to_owned()).or_default();
        labels.extend(grouped.iter().map(|label| (*label).to_owned()));
        if let Some((matchers, after)) = after
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        {
            let keys = matchers
                .split(',')
                .filter_map(|one| one.split(['=', '!']).next());
            labels.extend(keys.map(str::to_owned));
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_the_labels_they_are_chosen_and_grouped_by() {
        let mut read = BTreeMap::new();
        collect(
            r#""expr": "60 * sum by (engine, le) (rate(embedder_x_total{kind=~"a|b",service!=""}[5m])) / max(http_server_y)","#,
            &mut read,
        );
        let labels = |name: &str| read[name].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(
            labels("embedder_x_total"),
            ["engine", "kind", "le", "service"]
        );
        assert_eq!(read.len(), 2);
    }

    const TOLD: &str = "content_api_answers_total{cached=\"true\"} 1\n";

    fn check(metrics: &str) -> bool {
        let metrics = metrics.to_owned();
        std::panic::catch_unwind(move || {
            let read = what_is_read();
            let others = read
                .keys()
                .filter(|name| *name != "content_api_answers_total");
            let untold: Vec<&str> = others.map(String::as_str).collect();
            assert_exports_what_the_chart_reads(&metrics, "content-api", &untold);
        })
        .is_ok()
    }

    #[test]
    fn what_is_missing_is_found() {
        assert!(check(TOLD));
        assert!(!check(&TOLD.replace("answers", "replies")), "another name");
        assert!(!check(&TOLD.replace("cached", "hit")), "another label");
        assert!(
            !check(&format!("{TOLD}content_api_store_up 1\n")),
            "told after all"
        );
    }
}
