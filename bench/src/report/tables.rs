//! The report in Markdown.

use comfy_table::{Table, presets};

use super::Report;
use crate::{
    get_content::{GetContent, Served},
    rounds::{Comparison, Measure},
    stats::{Latency, Spread},
};

/// Markdown, which a terminal shows well enough.
fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::ASCII_MARKDOWN)
        .set_header(header);
    table
}

/// The whole report.
pub fn render(report: &Report) -> String {
    let mut parts = vec![heading(report)];
    parts.push(targets(report).to_string());
    parts.push(
        "Ratios are ours / the peer's, taken in each round: median (least to greatest). Below 1 is \
         better for milliseconds, above 1 for texts per second."
            .to_owned(),
    );
    parts.push(comparisons(report).to_string());
    parts.push(own(report).to_string());
    if !report.embedding.exactness.is_empty() {
        parts.push(exactness(report).to_string());
    }
    for skipped in &report.embedding.skipped {
        parts.push(format!(
            "Skipped: {} with {} thread(s): {}",
            skipped.peer, skipped.threads, skipped.reason
        ));
    }
    match (&report.get_content, &report.get_content_failed) {
        (Some(figures), _) => {
            parts.push(format!(
                "getContent on {} images, served by {}:",
                figures.documents, figures.engine
            ));
            parts.push(get_content(figures).to_string());
        }
        (None, reason) => parts.push(format!(
            "getContent was not measured: {}",
            reason.as_deref().unwrap_or("unknown")
        )),
    }
    parts.join("\n\n")
}

fn heading(report: &Report) -> String {
    let machine = &report.machine;
    let busy = match machine.load_average_before {
        Some(load) => format!(", load average before {load:.2}"),
        None => String::new(),
    };
    let quick = if report.pace.quick { " (quick)" } else { "" };
    format!(
        "{}{quick}: {}, {} cores, {:.1} GiB, {}{busy}; {} rounds of {} s.",
        report.date,
        machine.cpu,
        machine.cores,
        machine.memory_gib,
        machine.system,
        report.pace.rounds,
        report.pace.seconds
    )
}

fn targets(report: &Report) -> Table {
    let mut table = table(["target", "bound", "measured", "result"]);
    for target in &report.targets {
        table.add_row([
            target.what.clone(),
            format!("{} {}", target.relation, target.bound),
            target
                .measured
                .map_or("-".to_owned(), |figure| format!("{figure:.2}")),
            match target.met {
                Some(true) => "met".to_owned(),
                Some(false) => "MISSED".to_owned(),
                None => "not measured".to_owned(),
            },
        ]);
    }
    table
}

fn comparisons(report: &Report) -> Table {
    let mut table = table(["peer", "threads", "measure", "ours", "peer's", "ratio"]);
    for row in &report.embedding.comparisons {
        table.add_row([
            format!("{} {}", row.peer, row.version),
            row.threads.to_string(),
            measure(row),
            format!("{:.2}", row.ours.median),
            format!("{:.2}", row.theirs.median),
            spread(&row.ratio),
        ]);
    }
    table
}

fn measure(row: &Comparison) -> String {
    match (row.measure, row.batch) {
        (Measure::QueryMsP50, _) => "query ms, p50".to_owned(),
        (Measure::QueryMsP99, _) => "query ms, p99".to_owned(),
        (Measure::TextsPerSecond, Some(batch)) => format!("texts/s, its batch {batch}"),
        (Measure::TextsPerSecond, None) => "texts/s".to_owned(),
    }
}

fn own(report: &Report) -> Table {
    let mut table = table([
        "ours: sessions",
        "query ms, p50",
        "query ms, p99",
        "texts/s",
    ]);
    let shown = |figure: &Option<Spread>| figure.as_ref().map_or("-".to_owned(), spread);
    for row in &report.embedding.ours {
        table.add_row([
            row.sessions.to_string(),
            shown(&row.query_ms_p50),
            shown(&row.query_ms_p99),
            shown(&row.texts_per_second),
        ]);
    }
    table
}

fn exactness(report: &Report) -> Table {
    let mut table = table(["cosine to the reference", "batch", "least", "mean"]);
    for row in &report.embedding.exactness {
        table.add_row([
            row.name.to_owned(),
            row.batch.to_string(),
            format!("{:.6}", row.cosine.min),
            format!("{:.6}", row.cosine.mean),
        ]);
    }
    table
}

fn get_content(figures: &GetContent) -> Table {
    let mut table = table(["request", "p50 ms", "p99 ms", "requests", "requests/s"]);
    let mut latency = |name: &str, latency: &Latency, rate: String| {
        table.add_row([
            name.to_owned(),
            format!("{:.2}", latency.p50_ms),
            format!("{:.2}", latency.p99_ms),
            latency.count.to_string(),
            rate,
        ]);
    };
    let none = String::new;
    latency(
        "embedding, as the embedder times it",
        &figures.embedding_in_service,
        none(),
    );
    latency(
        "POST /v1/embeddings, 1 client",
        &figures.embedding_over_http,
        none(),
    );
    let mut served = |name: &str, served: &Served| {
        latency(
            name,
            &served.latency,
            format!("{:.0}", served.requests_per_second),
        );
    };
    served("getContent uncached, 1 client", &figures.uncached_1);
    served("getContent cached, 1 client", &figures.cached_1);
    served("getContent uncached, 32 clients", &figures.uncached_32);
    served("getContent cached, 32 clients", &figures.cached_32);
    table
}

fn spread(figures: &Spread) -> String {
    format!(
        "{:.2} ({:.2} to {:.2})",
        figures.median, figures.min, figures.max
    )
}
