//! One sentence for an answer, and what a reader should know besides.

use contracts::Language;
use time::{Date, Duration};

use super::{
    Answered, Cell,
    format::{cell, signed},
    interpret::{interpret, subject},
    words::{either, filter, inside, joined, part_of_time, range},
};
use crate::{
    compiling::{CalendarPart as _, left_out},
    model::Kind,
    query::{Grain, TimeRange},
};

/// Members that a sentence names.
const NAMED: usize = 3;

/// The answer in a sentence.
pub fn sentence(answered: &Answered<'_>) -> String {
    let Answered {
        query,
        language,
        rows,
        ..
    } = *answered;
    if rows.is_empty() {
        let nothing = either(
            language,
            "Nothing was found for",
            "No se encontró nada para",
        );
        return format!("{nothing}: {}.", interpret(answered).text);
    }
    let what = format!("{}{}", subject(answered), circumstances(answered));
    if query.metrics.is_empty() {
        return members(answered, &what);
    }
    if rows.len() == 1 && query.dimensions.is_empty() && query.grain.is_none() {
        let values: Vec<String> = query
            .metrics
            .iter()
            .map(|name| value(answered, 0, name))
            .collect();
        return format!("{what}: {}.", values.join(", "));
    }
    match query.grain {
        Some(grain) if query.dimensions.is_empty() => trend(answered, &what, grain),
        _ => ranking(answered, &what),
    }
}

/// ` (Market: Mexico; July 2026)`.
fn circumstances(answered: &Answered<'_>) -> String {
    let query = answered.query;
    let mut parts: Vec<String> = query
        .filters
        .iter()
        .map(|one| filter(one, answered))
        .collect();
    let all = TimeRange {
        from: None,
        to: None,
    };
    let list = query.metrics.is_empty() && query.time.is_none();
    if !list {
        parts.push(range(query.time.unwrap_or(all), answered.language));
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!(" ({})", parts.join("; "))
    }
}

fn place(answered: &Answered<'_>, name: &str) -> Option<usize> {
    answered
        .columns
        .iter()
        .position(|column| column.name == name)
}

fn shown(answered: &Answered<'_>, row: usize, name: &str) -> Option<String> {
    let place = place(answered, name)?;
    Some(cell(
        &answered.rows[row][place],
        &answered.columns[place],
        answered.language,
    ))
}

/// A metric of a row, with what the comparison made of it.
fn value(answered: &Answered<'_>, row: usize, metric: &str) -> String {
    let language = answered.language;
    let mut text = shown(answered, row, metric).unwrap_or_default();
    if let Some(share) = shown(answered, row, &format!("{metric}_share")) {
        text += &format!(
            ", {share} {}",
            either(language, "of the total", "del total")
        );
    }
    if let Some(previous) = shown(answered, row, &format!("{metric}_previous")) {
        let growth = place(answered, &format!("{metric}_growth")).and_then(|place| {
            let unit = answered.columns[place].unit?;
            Some(signed(answered.rows[row][place].number()?, unit, language))
        });
        let growth = growth.map_or_else(String::new, |growth| format!(", {growth}"));
        text += &match language {
            Language::En => format!(" ({previous} before{growth})"),
            Language::Es => format!(" (antes {previous}{growth})"),
        };
    }
    text
}

/// The members of a row: `Facebook y Instagram`, `Winter sale (CMP-000007)`, with its part of time.
fn member(answered: &Answered<'_>, row: usize) -> String {
    let mut parts = Vec::new();
    for name in &answered.query.dimensions {
        let code = shown(answered, row, name).unwrap_or_default();
        let entity = answered.model.dimension(name).is_some_and(|one| one.entity);
        parts.push(match shown(answered, row, &format!("{name}_name")) {
            Some(name) if entity => format!("{name} ({code})"),
            Some(name) => name,
            None => answered.names.of(name, &code, answered.language).to_owned(),
        });
    }
    if let (Some(grain), Some(place)) = (answered.query.grain, place(answered, "time"))
        && let Cell::Day(day) = answered.rows[row][place]
    {
        parts.push(part_of_time(day, grain, answered.language));
    }
    parts.join(", ")
}

fn ranking(answered: &Answered<'_>, what: &str) -> String {
    let rows = answered.rows.len();
    let named: Vec<String> = (0..rows.min(NAMED))
        .map(|row| {
            let metrics = answered.query.metrics.iter();
            let values: Vec<String> = metrics.map(|name| value(answered, row, name)).collect();
            format!("{}: {}", member(answered, row), values.join(", "))
        })
        .collect();
    let more = rows.saturating_sub(NAMED);
    let more = match (more, answered.language) {
        (0, _) => String::new(),
        (more, Language::En) => format!("; and {more} more"),
        (more, Language::Es) => format!("; y {more} más"),
    };
    format!("{what}. {}{more}.", named.join("; "))
}

fn trend(answered: &Answered<'_>, what: &str, grain: Grain) -> String {
    let language = answered.language;
    let Some(metric) = place(answered, &answered.query.metrics[0]) else {
        return what.to_owned();
    };
    let Some(time) = place(answered, "time") else {
        return what.to_owned();
    };
    let mut points: Vec<(Date, f64, usize)> = answered
        .rows
        .iter()
        .enumerate()
        .filter_map(|(number, row)| match (&row[time], row[metric].number()) {
            (Cell::Day(day), Some(value)) => Some((*day, value, number)),
            _ => None,
        })
        .collect();
    points.sort_by_key(|(day, ..)| *day);
    let told = |point: &(Date, f64, usize)| {
        let value = cell(
            &answered.rows[point.2][metric],
            &answered.columns[metric],
            language,
        );
        format!("{} ({value})", part_of_time(point.0, grain, language))
    };
    let by_value = |a: &&(Date, f64, usize), b: &&(Date, f64, usize)| a.1.total_cmp(&b.1);
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return format!("{what}: —.");
    };
    let (Some(low), Some(high)) = (
        points.iter().min_by(by_value),
        points.iter().max_by(by_value),
    ) else {
        return what.to_owned();
    };
    match language {
        Language::En => format!(
            "{what}: from {} to {}; highest in {}, lowest in {}.",
            told(first),
            told(last),
            told(high),
            told(low)
        ),
        Language::Es => format!(
            "{what}: de {} a {}; máximo en {}, mínimo en {}.",
            told(first),
            told(last),
            told(high),
            told(low)
        ),
    }
}

fn members(answered: &Answered<'_>, what: &str) -> String {
    const LISTED: usize = 10;
    let rows = answered.rows.len();
    let mut named: Vec<String> = (0..rows.min(LISTED))
        .map(|row| member(answered, row))
        .collect();
    if rows > LISTED {
        named.push(format!(
            "{} {}",
            rows - LISTED,
            either(answered.language, "more", "más")
        ));
    }
    let and = either(answered.language, "and", "y");
    format!("{what}: {rows}. {}.", joined(&named, and))
}

/// What a reader should know: numbers that could not be made, rows that were left out.
pub fn notes(answered: &Answered<'_>, truncated: bool) -> Vec<String> {
    let Answered {
        model,
        query,
        language,
        columns,
        rows,
        ..
    } = *answered;
    let mut notes = Vec::new();
    for name in &query.metrics {
        let Some((metric, place)) = model.metric(name).zip(place(answered, name)) else {
            continue;
        };
        let missing = rows.iter().filter(|row| row[place] == Cell::Null).count();
        if missing > 0 {
            let label = &columns[place].label;
            let ratio = metric.kind == Kind::Ratio;
            notes.push(match (ratio, language) {
                (true, Language::En) => {
                    format!("{label} has no value in {missing} of {} rows: it would be a division by zero.", rows.len())
                }
                (true, Language::Es) => {
                    format!("{label} no tiene valor en {missing} de {} filas: sería una división por cero.", rows.len())
                }
                (false, Language::En) => {
                    format!("{label} has no value in {missing} of {} rows: there is nothing to average.", rows.len())
                }
                (false, Language::Es) => {
                    format!("{label} no tiene valor en {missing} de {} filas: no hay nada que promediar.", rows.len())
                }
            });
        }
    }
    for dimension in left_out(model, query) {
        let names: Vec<&str> = dimension
            .missing
            .iter()
            .map(|code| answered.names.of(&dimension.name, code, language))
            .collect();
        let names = names.join(", ");
        let label = inside(dimension.label(language));
        notes.push(match language {
            Language::En => format!("The ranking leaves out what has no {label} ({names})."),
            Language::Es => {
                format!("La clasificación deja fuera lo que no tiene {label} ({names}).")
            }
        });
    }
    notes.extend(several_members(answered));
    if rows.is_empty() {
        notes.push(format!(
            "{}: {}",
            either(language, "Searched", "Se buscó"),
            interpret(answered).text
        ));
    }
    if truncated {
        notes.push(match language {
            Language::En => format!("There are more rows than these {}.", rows.len()),
            Language::Es => format!("Hay más filas que estas {}.", rows.len()),
        });
    }
    notes
}

/// Where rows overlap, as those of hashtags do.
fn several_members(answered: &Answered<'_>) -> Option<String> {
    let (model, query) = (answered.model, answered.query);
    let mut dimensions = query
        .dimensions
        .iter()
        .filter_map(|one| model.dimension(one));
    let bridged = dimensions.find(|one| model.is_bridged(one))?;
    let overlap = !query.metrics.is_empty() && answered.rows.len() > 1;
    let label = inside(bridged.label(answered.language));
    overlap.then(|| match answered.language {
        Language::En => format!(
            "What has more than one {label} counts under each of them: the rows add up to more than the whole."
        ),
        Language::Es => format!(
            "Lo que tiene más de un {label} cuenta en cada uno: las filas suman más que el total."
        ),
    })
}

/// Months of the time asked about for which a currency has no rate, where amounts were asked for.
pub fn without_rates(answered: &Answered<'_>, gaps: &[(String, Date)]) -> Option<String> {
    let Answered {
        model,
        query,
        language,
        ..
    } = *answered;
    if !query.metrics.iter().any(|name| model.is_money(name)) {
        return None;
    }
    let time = query.time;
    let inside = |month: &Date| {
        let next = Grain::Month.first_day(*month + Duration::days(31));
        time.and_then(|time| time.from)
            .is_none_or(|from| from < next)
            && time.and_then(|time| time.to).is_none_or(|to| *month < to)
    };
    let months: Vec<String> = gaps
        .iter()
        .filter(|(_, month)| inside(month))
        .map(|(currency, month)| {
            format!(
                "{currency} {}",
                part_of_time(*month, Grain::Month, language)
            )
        })
        .collect();
    let shown = months[..months.len().min(NAMED)].join(", ");
    let more = if months.len() > NAMED { ", …" } else { "" };
    (!months.is_empty()).then(|| match language {
        Language::En => format!(
            "There is no exchange rate for {shown}{more}: amounts in that currency and month are not added up."
        ),
        Language::Es => format!(
            "No hay tipo de cambio para {shown}{more}: los importes de esa moneda y ese mes no se suman."
        ),
    })
}
