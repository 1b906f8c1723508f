//! What was understood, so that a reader can see whether it is what was meant.

use contracts::Language;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answered,
    words::{by_grain, either, filter, inside, joined, label, range},
};
use crate::{
    compiling::compared_with,
    model::Unit,
    query::{Baseline, Compare, Direction, Measure, Order, TimeRange},
};

/// What a query asks for, in words.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Interpretation {
    /// All of it in one line.
    pub text: String,
    /// The days that count.
    pub time: String,
    /// Each filter.
    pub filters: Vec<String>,
    /// What each metric means.
    pub definitions: Vec<Definition>,
}

/// What a metric means.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Definition {
    /// The metric.
    pub metric: String,
    /// What people read.
    pub label: String,
    /// What one of it is.
    pub unit: Unit,
    /// In a sentence.
    pub description: String,
}

/// Says a query in words.
pub fn interpret(answered: &Answered<'_>) -> Interpretation {
    let Answered {
        model,
        query,
        language,
        ..
    } = *answered;
    let time = query.time.unwrap_or(TimeRange {
        from: None,
        to: None,
    });
    let filters: Vec<String> = query
        .filters
        .iter()
        .map(|one| filter(one, answered))
        .collect();
    let mut parts = vec![subject(answered)];
    parts.extend(filters.iter().cloned());
    let time = range(time, language);
    parts.push(time.clone());
    if let Some(compare) = comparison(answered) {
        parts.push(compare);
    }
    parts.extend(query.order.iter().map(|one| order(one, answered)));
    if let Some(limit) = query.limit {
        let within = query.order.iter().find_map(|one| one.within.as_deref());
        parts.push(match (within, language) {
            (None, Language::En) => format!("first {limit}"),
            (None, Language::Es) => format!("los {limit} primeros"),
            (Some(one), _) => {
                let each = inside(label(one, model, language));
                match language {
                    Language::En => format!("first {limit} of each {each}"),
                    Language::Es => format!("los {limit} primeros de cada {each}"),
                }
            }
        });
    }
    let metrics = query.metrics.iter().filter_map(|name| model.metric(name));
    Interpretation {
        text: parts.join("; "),
        time,
        filters,
        definitions: metrics
            .map(|metric| Definition {
                metric: metric.name.clone(),
                label: metric.label(language).to_owned(),
                unit: metric.unit,
                description: metric.description(language).to_owned(),
            })
            .collect(),
    }
}

/// `ROAS and spend by campaign, by month`.
pub fn subject(answered: &Answered<'_>) -> String {
    let Answered {
        model,
        query,
        language,
        ..
    } = *answered;
    let and = either(language, "and", "y");
    let names = |all: &[String]| -> Vec<String> {
        all.iter()
            .map(|name| label(name, model, language).to_owned())
            .collect()
    };
    let dimensions: Vec<String> = names(&query.dimensions)
        .iter()
        .map(|one| inside(one))
        .collect();
    let dimensions = joined(&dimensions, and);
    let mut text = if query.metrics.is_empty() {
        let list = either(language, "List of", "Lista de");
        format!("{list} {dimensions}")
    } else {
        let mut metrics = names(&query.metrics);
        for metric in metrics.iter_mut().skip(1) {
            *metric = inside(metric);
        }
        let metrics = joined(&metrics, and);
        match (dimensions.is_empty(), language) {
            (true, _) => metrics,
            (false, Language::En) => format!("{metrics} by {dimensions}"),
            (false, Language::Es) => format!("{metrics} por {dimensions}"),
        }
    };
    if let Some(grain) = query.grain {
        text += &format!(" {}", by_grain(grain, language));
    }
    text
}

fn comparison(answered: &Answered<'_>) -> Option<String> {
    let language = answered.language;
    let against = compared_with(answered.query).map(|one| range(one, language));
    let words = match answered.query.compare? {
        Compare::With(Baseline::ShareOfTotal) => {
            return Some(either(language, "share of the total", "cuota del total").to_owned());
        }
        Compare::With(Baseline::PreviousPeriod) => either(
            language,
            "against the period before",
            "frente al periodo anterior",
        ),
        Compare::With(Baseline::PreviousYear) => {
            either(language, "against a year earlier", "frente a un año antes")
        }
        Compare::Range(_) => either(language, "against another time", "frente a otro periodo"),
    };
    Some(match against {
        Some(range) => format!("{words} ({range})"),
        None => words.to_owned(),
    })
}

fn order(order: &Order, answered: &Answered<'_>) -> String {
    let language = answered.language;
    let by = if order.by == Order::TIME {
        either(language, "time", "tiempo").to_owned()
    } else {
        inside(label(&order.by, answered.model, language))
    };
    let measure = match order.measure {
        None | Some(Measure::Value) => "",
        Some(Measure::Previous) => either(language, " (previous)", " (anterior)"),
        Some(Measure::Change) => either(language, " (change)", " (diferencia)"),
        Some(Measure::Growth) => either(language, " (growth)", " (variación)"),
        Some(Measure::Share) => either(language, " (share)", " (cuota)"),
    };
    let way = match order.dir {
        Direction::Asc => either(language, "ascending", "ascendente"),
        Direction::Desc => either(language, "descending", "descendente"),
    };
    match language {
        Language::En => format!("by {by}{measure}, {way}"),
        Language::Es => format!("por {by}{measure}, {way}"),
    }
}
