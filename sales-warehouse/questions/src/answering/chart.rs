//! A picture of an answer: lines over time, bars for a ranking. SVG, without a script or a font of its own.

use std::fmt::Write;

use super::{
    Answered, Cell,
    format::{cell, number},
    interpret::interpret,
    words::part_of_time,
};
use crate::model::Unit;

const WIDTH: f64 = 760.0;
const MARGIN: f64 = 16.0;
/// Room for the title.
const TOP: f64 = 56.0;
/// Bars that are drawn; more could not be told apart.
const MOST_BARS: usize = 25;
/// Lines that are drawn, for the members with the largest sums.
const MOST_LINES: usize = 6;
const BAR: f64 = 24.0;
const COLOURS: [&str; MOST_LINES] = [
    "#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#475569",
];

/// The first metric's values as an SVG document; `None` with fewer than two rows that have one.
pub fn chart(answered: &Answered<'_>) -> Option<String> {
    let metric = answered.query.metrics.first()?;
    let place = |name: &str| answered.columns.iter().position(|one| one.name == name);
    let value = place(metric)?;
    let unit = answered.columns[value].unit?;
    let drawn = answered
        .rows
        .iter()
        .filter(|row| row[value].number().is_some());
    if drawn.count() < 2 {
        return None;
    }
    let title = interpret(answered).text;
    Some(match place("time") {
        Some(time) => lines(answered, &title, time, value, unit),
        None => bars(answered, &title, value, unit),
    })
}

/// What a row is called: its members.
fn label(answered: &Answered<'_>, row: &[Cell]) -> String {
    let mut parts = Vec::new();
    for name in &answered.query.dimensions {
        let shown = |name: &str| {
            let place = answered.columns.iter().position(|one| one.name == name)?;
            Some(cell(
                &row[place],
                &answered.columns[place],
                answered.language,
            ))
        };
        parts.extend(shown(&format!("{name}_name")).or_else(|| shown(name)));
    }
    parts.join(", ")
}

fn bars(answered: &Answered<'_>, title: &str, value: usize, unit: Unit) -> String {
    const LABELS: f64 = 230.0;
    const VALUES: f64 = 120.0;
    let rows: Vec<(String, f64)> = answered
        .rows
        .iter()
        .filter_map(|row| Some((label(answered, row), row[value].number()?)))
        .take(MOST_BARS)
        .collect();
    let low = rows.iter().map(|row| row.1).fold(0.0, f64::min);
    let high = rows.iter().map(|row| row.1).fold(0.0, f64::max);
    let room = WIDTH - 2.0 * MARGIN - LABELS - VALUES;
    let x =
        |value: f64| MARGIN + LABELS + room * (value - low) / (high - low).max(f64::MIN_POSITIVE);
    let mut body = String::new();
    for (number_of, (name, value)) in rows.iter().enumerate() {
        let y = TOP + BAR * number_of as f64;
        let (from, to) = (x(value.min(0.0)), x(value.max(0.0)));
        let shown = number(*value, unit, answered.language);
        let middle = y + BAR * 0.66;
        let _infallible = write!(
            body,
            r##"<text x="{:.1}" y="{middle:.1}" text-anchor="end">{}</text><rect x="{from:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="2" fill="#2563eb"/><text x="{:.1}" y="{middle:.1}" fill="#475569">{}</text>"##,
            MARGIN + LABELS - 8.0,
            escaped(&shortened(name, 34)),
            y + 3.0,
            (to - from).max(1.0),
            BAR - 6.0,
            to + 6.0,
            escaped(&shown),
        );
    }
    document(title, TOP + BAR * rows.len() as f64 + MARGIN, &body)
}

fn lines(answered: &Answered<'_>, title: &str, time: usize, value: usize, unit: Unit) -> String {
    const HEIGHT: f64 = 420.0;
    const LEFT: f64 = 120.0;
    const BOTTOM: f64 = 70.0;
    let language = answered.language;
    let mut days: Vec<time::Date> = Vec::new();
    let mut series: Vec<(String, Vec<(time::Date, f64)>)> = Vec::new();
    for row in answered.rows {
        let (Cell::Day(day), Some(value)) = (&row[time], row[value].number()) else {
            continue;
        };
        days.push(*day);
        let name = label(answered, row);
        match series.iter_mut().find(|(one, _)| *one == name) {
            Some((_, points)) => points.push((*day, value)),
            None => series.push((name, vec![(*day, value)])),
        }
    }
    days.sort();
    days.dedup();
    for (_, points) in &mut series {
        points.sort_by_key(|(day, _)| *day);
    }
    let sum = |points: &[(time::Date, f64)]| points.iter().map(|point| point.1).sum::<f64>();
    series.sort_by(|(_, a), (_, b)| sum(b).total_cmp(&sum(a)));
    series.truncate(MOST_LINES);
    let values = series
        .iter()
        .flat_map(|(_, points)| points.iter().map(|point| point.1));
    let (low, high) = values.fold((0.0, 0.0), |(low, high): (f64, f64), value| {
        (low.min(value), high.max(value))
    });
    let (right, floor) = (WIDTH - MARGIN - 12.0, HEIGHT - BOTTOM);
    let steps = days.len().saturating_sub(1).max(1) as f64;
    let x = |day: &time::Date| {
        let place = days.iter().position(|one| one == day).unwrap_or(0);
        LEFT + (right - LEFT) * place as f64 / steps
    };
    let y =
        |value: f64| floor - (floor - TOP) * (value - low) / (high - low).max(f64::MIN_POSITIVE);
    let mut body = String::new();
    for fifth in 0..=4 {
        let value = low + (high - low) * f64::from(fifth) / 4.0;
        let _infallible = write!(
            body,
            r##"<line x1="{LEFT}" x2="{right:.1}" y1="{0:.1}" y2="{0:.1}" stroke="#e2e8f0"/><text x="{1:.1}" y="{2:.1}" text-anchor="end" fill="#475569">{3}</text>"##,
            y(value),
            LEFT - 8.0,
            y(value) + 4.0,
            escaped(&number(value, unit, language)),
        );
    }
    // As many days as can be read side by side.
    let every = days.len().div_ceil(7).max(1);
    for day in days.iter().step_by(every) {
        let grain = answered.query.grain.unwrap_or(crate::query::Grain::Day);
        let shown = part_of_time(*day, grain, language);
        let _infallible = write!(
            body,
            r##"<text x="{:.1}" y="{:.1}" text-anchor="middle" fill="#475569" font-size="11">{}</text>"##,
            x(day),
            floor + 18.0,
            escaped(&shortened(&shown, 16)),
        );
    }
    for (place, (name, points)) in series.iter().enumerate() {
        let colour = COLOURS[place];
        let path: Vec<String> = points
            .iter()
            .map(|(day, value)| format!("{:.1},{:.1}", x(day), y(*value)))
            .collect();
        let _infallible = write!(
            body,
            r##"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"##,
            path.join(" ")
        );
        if !name.is_empty() {
            let column = LEFT + 200.0 * (place % 3) as f64;
            let line = HEIGHT - 32.0 + 18.0 * (place / 3) as f64;
            let _infallible = write!(
                body,
                r##"<rect x="{column}" y="{:.1}" width="12" height="12" fill="{colour}"/><text x="{:.1}" y="{line:.1}">{}</text>"##,
                line - 10.0,
                column + 18.0,
                escaped(&shortened(name, 26)),
            );
        }
    }
    document(title, HEIGHT, &body)
}

fn document(title: &str, height: f64, body: &str) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="DejaVu Sans, sans-serif" font-size="12" role="img"><title>{0}</title><rect width="100%" height="100%" fill="#ffffff"/><text x="{MARGIN}" y="32" font-size="15" fill="#0f172a">{1}</text>{body}</svg>"##,
        escaped(title),
        escaped(&shortened(title, 88)),
    )
}

/// As XML text: names of campaigns come from outside.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}
