//! Parts of sentences in both languages.

use contracts::Language;
use time::{Date, Duration};

use super::format::{day, month, number};
use super::{Answered, Names};
use crate::{
    Model,
    compiling::CalendarPart as _,
    query::{Filter, Grain, Op, TimeRange, Value},
};

/// One of two texts.
pub fn either<'a>(language: Language, en: &'a str, es: &'a str) -> &'a str {
    match language {
        Language::En => en,
        Language::Es => es,
    }
}

/// `July 2026`, `from 1 July 2026 to 9 July 2026`, `since …`; the last day is named, not the one after.
pub fn range(range: TimeRange, language: Language) -> String {
    let last = |to: Date| to.saturating_sub(Duration::DAY);
    let written = |one| day(one, language);
    match (range.from, range.to) {
        (None, None) => either(language, "all time", "todo el tiempo").to_owned(),
        (Some(from), None) => format!(
            "{} {}",
            either(language, "since", "desde el"),
            written(from)
        ),
        (None, Some(to)) => {
            format!(
                "{} {}",
                either(language, "up to", "hasta el"),
                written(last(to))
            )
        }
        (Some(from), Some(to)) if last(to) == from => written(from),
        (Some(from), Some(to)) => named(from, to, language).unwrap_or_else(|| match language {
            Language::En => format!("{} to {}", written(from), written(last(to))),
            Language::Es => format!("del {} al {}", written(from), written(last(to))),
        }),
    }
}

/// A whole year, quarter or month by its name.
fn named(from: Date, to: Date, language: Language) -> Option<String> {
    let part = |grain: Grain| {
        let inside = to.saturating_sub(Duration::DAY);
        let whole = grain.first_day(from) == from && grain.first_day(inside) == from;
        whole && grain.first_day(to) == to
    };
    let year = from.year();
    if part(Grain::Year) {
        Some(year.to_string())
    } else if part(Grain::Month) {
        let month = month(from, language);
        Some(match language {
            Language::En => format!("{month} {year}"),
            Language::Es => format!("{month} de {year}"),
        })
    } else if part(Grain::Quarter) {
        let quarter = u8::from(from.month()).div_ceil(3);
        Some(match language {
            Language::En => format!("Q{quarter} {year}"),
            Language::Es => format!("T{quarter} de {year}"),
        })
    } else {
        None
    }
}

/// The part of time that begins on a day.
pub fn part_of_time(first: Date, grain: Grain, language: Language) -> String {
    match grain {
        Grain::Day | Grain::Week => day(first, language),
        Grain::Month => format!("{} {}", month(first, language), first.year()),
        Grain::Quarter => {
            let quarter = u8::from(first.month()).div_ceil(3);
            format!("{}{quarter} {}", either(language, "Q", "T"), first.year())
        }
        Grain::Year => first.year().to_string(),
    }
}

/// `by month`, `por mes`.
pub fn by_grain(grain: Grain, language: Language) -> &'static str {
    match (grain, language) {
        (Grain::Day, Language::En) => "by day",
        (Grain::Day, Language::Es) => "por día",
        (Grain::Week, Language::En) => "by week",
        (Grain::Week, Language::Es) => "por semana",
        (Grain::Month, Language::En) => "by month",
        (Grain::Month, Language::Es) => "por mes",
        (Grain::Quarter, Language::En) => "by quarter",
        (Grain::Quarter, Language::Es) => "por trimestre",
        (Grain::Year, Language::En) => "by year",
        (Grain::Year, Language::Es) => "por año",
    }
}

/// A filter: `Market: Mexico`, `ROAS > 3.00`.
pub fn filter(filter: &Filter, answered: &Answered<'_>) -> String {
    let Answered {
        model,
        language,
        names,
        ..
    } = *answered;
    let op = match filter.op {
        Op::Is | Op::In => ":".to_owned(),
        Op::IsNot | Op::NotIn => format!(": {}", either(language, "not", "no")),
        Op::Between => format!(" {}", either(language, "between", "entre")),
        other => format!(" {}", other.symbol()),
    };
    let label = label(&filter.field, model, language);
    format!("{label}{op} {}", value(filter, model, names, language))
}

fn value(filter: &Filter, model: &Model, names: &Names, language: Language) -> String {
    let unit = model.metric(&filter.field).map(|metric| metric.unit);
    let name = |code: &String| names.of(&filter.field, code, language).to_owned();
    let amount =
        |value: &f64| unit.map_or_else(|| value.to_string(), |unit| number(*value, unit, language));
    match &filter.value {
        Value::Member(one) => name(one),
        Value::Members(all) => joined(
            &all.iter().map(name).collect::<Vec<_>>(),
            either(language, "or", "o"),
        ),
        Value::Number(one) => amount(one),
        Value::Numbers(all) => joined(
            &all.iter().map(amount).collect::<Vec<_>>(),
            either(language, "and", "y"),
        ),
    }
}

/// What a metric or dimension is called.
pub fn label<'a>(name: &'a str, model: &'a Model, language: Language) -> &'a str {
    let metric = model.metric(name).map(|one| one.label(language));
    let dimension = || model.dimension(name).map(|one| one.label(language));
    metric.or_else(dimension).unwrap_or(name)
}

/// `a, b and c`.
pub fn joined(parts: &[String], and: &str) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} {and} {last}", before.join(", ")),
    }
}

/// The first letter as it stands within a sentence, but for abbreviations such as ROAS.
pub fn inside(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(label.chars().skip(1)).collect()
        }
        _ => label.to_owned(),
    }
}
