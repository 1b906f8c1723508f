//! What a getContent request may ask. Each bound has a problem of its own.

use contracts::{
    Filters, GetContentRequest, Language,
    limits::{DEFAULT_RESULTS, MAX_FILTER_VALUES, MAX_QUERY_CHARS, MAX_RESULTS},
};
use http::StatusCode;
use images::vocabulary;
use service_kit::ProblemResponse;
use time::{Date, macros::format_description};
use unicode_normalization::UnicodeNormalization;

/// Longest filter value, in characters.
const MAX_FILTER_CHARS: usize = 40;

/// A request that makes sense, in the form in which equal ones are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Normalised to NFC, white space collapsed, case kept.
    pub text: String,
    /// As asked for; guessed when absent.
    pub language: Option<Language>,
    /// 1 to 100.
    pub limit: u32,
    /// Lists sorted and without repetitions; `usable_on` always set.
    pub filters: Filters,
    /// 0 to 1.
    pub min_score: Option<f32>,
}

/// What a request asks in vain.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// `invalid-description`
    #[error("{0}")]
    Description(String),
    /// `invalid-limit`
    #[error("limit {0} is out of range: expected 1 to {MAX_RESULTS}")]
    Limit(i64),
    /// `invalid-min-score`
    #[error("min_score {0} is out of range: expected 0 to 1")]
    MinScore(String),
    /// `invalid-filter`
    #[error("{0}")]
    Filter(String),
}

impl From<Invalid> for ProblemResponse {
    fn from(invalid: Invalid) -> Self {
        let (slug, title) = match &invalid {
            Invalid::Description(_) => ("invalid-description", "Invalid description"),
            Invalid::Limit(_) => ("invalid-limit", "Invalid limit"),
            Invalid::MinScore(_) => ("invalid-min-score", "Invalid min_score"),
            Invalid::Filter(_) => ("invalid-filter", "Invalid filter"),
        };
        Self::new(StatusCode::BAD_REQUEST, slug, title, format!("{invalid}."))
    }
}

/// Checks a request. Rights must hold on `today` unless it names another day.
pub fn validate(request: GetContentRequest, today: Date) -> Result<Query, Invalid> {
    let text = description(&request.description)?;
    let limit = limit(request.limit)?;
    let filters = filters(request.filters, today)?;
    if let Some(score) = request.min_score
        && !(0.0..=1.0).contains(&score)
    {
        return Err(Invalid::MinScore(score.to_string()));
    }
    Ok(Query {
        text,
        language: request.language,
        limit,
        filters,
        min_score: request.min_score,
    })
}

fn description(raw: &str) -> Result<String, Invalid> {
    let invalid = |text: String| Err(Invalid::Description(text));
    if raw
        .chars()
        .all(|letter| letter.is_whitespace() || letter.is_control())
    {
        return invalid(format!(
            "the description is empty: expected the picture in words, 1 to {MAX_QUERY_CHARS} \
             characters"
        ));
    }
    let forbidden = raw
        .chars()
        .find(|letter| letter.is_control() && !matches!(letter, '\n' | '\t' | '\r'));
    if let Some(letter) = forbidden {
        return invalid(format!(
            "the description holds the control character U+{:04X}: expected plain text",
            u32::from(letter)
        ));
    }
    let text = raw
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .nfc()
        .collect::<String>();
    let length = raw.chars().count().max(text.chars().count());
    if length > MAX_QUERY_CHARS {
        return invalid(format!(
            "the description has {length} characters: expected 1 to {MAX_QUERY_CHARS}"
        ));
    }
    if !text.chars().any(char::is_alphanumeric) {
        return invalid(
            "the description has no letter and no digit: describe the picture in words".to_owned(),
        );
    }
    Ok(text)
}

/// Results to give, 1 to 100.
pub fn limit(asked: Option<i64>) -> Result<u32, Invalid> {
    let Some(asked) = asked else {
        return Ok(DEFAULT_RESULTS);
    };
    u32::try_from(asked)
        .ok()
        .filter(|limit| (1..=MAX_RESULTS).contains(limit))
        .ok_or(Invalid::Limit(asked))
}

fn filters(mut filters: Filters, today: Date) -> Result<Filters, Invalid> {
    check_list("themes", &mut filters.themes, vocabulary::THEMES)?;
    check_list(
        "campaign_themes",
        &mut filters.campaign_themes,
        vocabulary::CAMPAIGN_THEMES,
    )?;
    check_list("channels", &mut filters.channels, vocabulary::CHANNELS)?;
    check_list("audience", &mut filters.audience, vocabulary::AUDIENCES)?;
    check_count("orientation", filters.orientation.len())?;
    filters
        .orientation
        .sort_by_key(|orientation| orientation.as_str());
    filters.orientation.dedup();
    if let Some(territory) = &filters.territory
        && !(territory.len() == 2 && territory.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return Err(Invalid::Filter(format!(
            "filters.territory is '{}': expected an ISO 3166-1 code of two capital letters, such \
             as CR",
            shortened(territory)
        )));
    }
    let day = match &filters.usable_on {
        None => today,
        Some(day) => parse_day(day).ok_or_else(|| {
            Invalid::Filter(format!(
                "filters.usable_on is '{}': expected a day such as 2026-11-22",
                shortened(day)
            ))
        })?,
    };
    filters.usable_on = Some(day_text(day));
    Ok(filters)
}

fn check_list(name: &str, values: &mut Vec<String>, known: &[&str]) -> Result<(), Invalid> {
    check_count(name, values.len())?;
    for value in &*values {
        if !(1..=MAX_FILTER_CHARS).contains(&value.chars().count()) {
            return Err(Invalid::Filter(format!(
                "filters.{name} holds a value of {} characters: expected 1 to {MAX_FILTER_CHARS}",
                value.chars().count()
            )));
        }
        if !known.contains(&value.as_str()) {
            return Err(Invalid::Filter(format!(
                "filters.{name} holds '{}': expected one of {}",
                shortened(value),
                known.join(", ")
            )));
        }
    }
    values.sort_unstable();
    values.dedup();
    Ok(())
}

fn check_count(name: &str, count: usize) -> Result<(), Invalid> {
    if count > MAX_FILTER_VALUES {
        return Err(Invalid::Filter(format!(
            "filters.{name} holds {count} values: expected at most {MAX_FILTER_VALUES}"
        )));
    }
    Ok(())
}

/// Enough of a value to recognise it by, and nothing that would upset a terminal.
fn shortened(value: &str) -> String {
    value
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MAX_FILTER_CHARS)
        .collect()
}

fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).ok()
}

/// ISO 8601, such as `2026-11-22`: days in this form compare as texts.
pub fn day_text(day: Date) -> String {
    let (year, month, day) = day.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}
