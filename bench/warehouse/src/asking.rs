//! How long answers take: the development questions, one after another, on the filled warehouse.

use std::{fmt::Write as _, time::Instant};

use anyhow::Context;
use sales_warehouse::{
    Warehouse,
    questions::{Kind, Options, Questions, eval},
};
use service_kit::Clock;
use time::{Date, Duration, Time};

use crate::{etl, say, scene::Scene};

/// Milliseconds that 95 of 100 answers may take, for questions that touch up to twelve months and for the others.
const TARGETS: [f64; 2] = [300.0, 1_000.0];
/// Slowest questions that are named.
const NAMED: usize = 5;

/// What one answer took.
struct Taken {
    text: String,
    milliseconds: f64,
    /// Whether its times, those it is compared with included, lie within a year.
    within_a_year: bool,
}

/// Fills a warehouse, asks, and gives the figures as Markdown.
pub async fn measure(scene: &mut Scene, rounds: u32) -> anyhow::Result<String> {
    scene.empty_warehouse().await?;
    say("loading the warehouse");
    etl::run(&scene.databases()).await?;
    let url = scene.databases().warehouse;
    let warehouse = Warehouse::connect(&url.as_str().into()).await?;
    let questions = Questions::new(warehouse.clone(), Clock::system());
    questions.check().await?;
    let asked = eval::answerable()?;
    let mut taken = Vec::new();
    for round in 0..=rounds {
        say(&format!("asking {} questions, round {round}", asked.len()));
        for (text, day) in &asked {
            if let Some(one) = ask(&questions, text, *day).await?
                && round > 0
            {
                taken.push(one);
            }
        }
    }
    warehouse.close().await;
    Ok(text(scene, &mut taken))
}

async fn ask(questions: &Questions, text: &str, day: Date) -> anyhow::Result<Option<Taken>> {
    let options = Options {
        now: Some(day.with_time(Time::MIDNIGHT).assume_utc()),
        ..Options::default()
    };
    let begun = Instant::now();
    let answer = questions.ask(text, None, options).await;
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
    let answer = answer.with_context(|| format!("no answer: {text}"))?;
    let Some(query) = answer.query.filter(|_| answer.kind == Kind::Answer) else {
        return Ok(None);
    };
    let next = day + Duration::DAY;
    let days = query
        .time
        .and_then(|time| Some(time.to.unwrap_or(next).min(next) - time.from?));
    let parts = if query.compare.is_some() && !format!("{:?}", query.compare).contains("Share") {
        2
    } else {
        1
    };
    Ok(Some(Taken {
        text: text.to_owned(),
        milliseconds,
        within_a_year: days.is_some_and(|days| days * parts <= Duration::days(366)),
    }))
}

fn text(scene: &Scene, taken: &mut [Taken]) -> String {
    taken.sort_by(|a, b| b.milliseconds.total_cmp(&a.milliseconds));
    let mut text = format!("{} rows in the sources.\n\n", scene.rows);
    text += "| questions that touch | answers | p50 ms | p95 ms | slowest ms | target p95 |\n|---|---|---|---|---|---|\n";
    for (within, name, target) in [
        (true, "up to 12 months", TARGETS[0]),
        (false, "more, or all years", TARGETS[1]),
    ] {
        let slowest_first: Vec<f64> = taken
            .iter()
            .filter(|one| one.within_a_year == within)
            .map(|one| one.milliseconds)
            .collect();
        let at = |share: f64| {
            let place = (slowest_first.len() as f64 * (1.0 - share)) as usize;
            slowest_first.get(place).copied().unwrap_or(f64::NAN)
        };
        let met = if at(0.95) <= target { "met" } else { "missed" };
        let _infallible = writeln!(
            text,
            "| {name} | {} | {:.0} | {:.0} | {:.0} | {target:.0}: {met} |",
            slowest_first.len(),
            at(0.5),
            at(0.95),
            at(1.0),
        );
    }
    text += "\nSlowest:\n\n";
    let mut named: Vec<&str> = Vec::new();
    for one in taken.iter() {
        if named.len() < NAMED && !named.contains(&&*one.text) {
            named.push(&one.text);
            let _infallible = writeln!(text, "- {:.0} ms: {}", one.milliseconds, one.text);
        }
    }
    text
}
