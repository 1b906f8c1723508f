//! What people say about an image: bounds, vocabulary and form, every fault at once.

use std::fmt;

use contracts::{
    Language, LocalisedText, Rights,
    lifecycle::ContentMetadata,
    limits::{MAX_DESCRIPTION_CHARS, MAX_HASHTAG_CHARS, MAX_LIST_VALUES, MAX_TITLE_CHARS},
};
use http::StatusCode;
use images::vocabulary;
use service_kit::ProblemResponse;
use time::{Date, macros::format_description};

/// Most faults that one answer names.
const MAX_FAULTS: usize = 20;
/// As much of a faulty value as is repeated.
const SHOWN_CHARS: usize = 40;

/// What is wrong with a body, in the order in which it was found.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Adds one: where, and what was expected.
    pub fn add(&mut self, fault: impl fmt::Display) {
        self.0.push(fault.to_string());
    }

    /// A problem that names them all, if there are any.
    pub fn into_result(self, slug: &str, title: &str) -> Result<(), ProblemResponse> {
        if self.0.is_empty() {
            return Ok(());
        }
        let more = self.0.len().saturating_sub(MAX_FAULTS);
        let mut detail = self.0[..self.0.len() - more].join("; ");
        if more > 0 {
            detail.push_str(&format!("; and {more} more"));
        }
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Err(ProblemResponse::new(
            status,
            slug,
            title,
            format!("{detail}."),
        ))
    }
}

/// Checks all of it.
pub fn check(metadata: &ContentMetadata) -> Result<(), ProblemResponse> {
    let mut faults = Faults::default();
    if metadata.text.is_empty() {
        faults.add("text is empty: expected title, description, alt and hashtags in es or en");
    }
    for (language, text) in &metadata.text {
        check_localised(&mut faults, *language, text);
    }
    for (name, values, known) in [
        ("themes", &metadata.themes, vocabulary::THEMES),
        (
            "campaign_themes",
            &metadata.campaign_themes,
            vocabulary::CAMPAIGN_THEMES,
        ),
        ("audience", &metadata.audience, vocabulary::AUDIENCES),
    ] {
        check_labels(&mut faults, name, values, known);
    }
    check_channels(&mut faults, &metadata.channels);
    check_rights(&mut faults, &metadata.rights);
    faults.into_result("invalid-metadata", "Invalid metadata")
}

fn check_localised(faults: &mut Faults, language: Language, text: &LocalisedText) {
    for (name, value, most) in [
        ("title", &text.title, MAX_TITLE_CHARS),
        ("description", &text.description, MAX_DESCRIPTION_CHARS),
        ("alt", &text.alt, MAX_DESCRIPTION_CHARS),
    ] {
        check_text(faults, &format!("text.{language}.{name}"), value, most);
    }
    let tags = &text.hashtags;
    if tags.len() > MAX_LIST_VALUES {
        faults.add(format_args!(
            "text.{language}.hashtags has {} values: expected at most {MAX_LIST_VALUES}",
            tags.len()
        ));
    }
    for tag in tags.iter().filter(|tag| !is_hashtag(tag)) {
        faults.add(format_args!(
            "text.{language}.hashtags holds '{}': expected # and then letters and digits, at least \
             one letter, at most {MAX_HASHTAG_CHARS} characters",
            shortened(tag)
        ));
    }
}

/// One line or several of plain text, not blank.
pub fn check_text(faults: &mut Faults, name: &str, value: &str, most: usize) {
    let length = value.chars().count();
    if value.trim().is_empty() || length > most {
        faults.add(format_args!(
            "{name} has {length} characters: expected 1 to {most}, not all blank"
        ));
    }
    let forbidden = |letter: &char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if let Some(letter) = value.chars().find(forbidden) {
        faults.add(format_args!(
            "{name} holds the control character U+{:04X}: expected plain text",
            u32::from(letter)
        ));
    }
}

/// No network takes a tag of digits alone.
fn is_hashtag(text: &str) -> bool {
    text.chars().count() <= MAX_HASHTAG_CHARS
        && text.strip_prefix('#').is_some_and(|tag| {
            tag.chars().all(char::is_alphanumeric) && tag.chars().any(char::is_alphabetic)
        })
}

/// Each of a closed list, and once.
pub fn check_labels(faults: &mut Faults, name: &str, values: &[String], known: &[&str]) {
    for (place, value) in values.iter().enumerate() {
        if !known.contains(&value.as_str()) {
            faults.add(format_args!(
                "{name} holds '{}': expected one of {}",
                shortened(value),
                known.join(", ")
            ));
            return;
        }
        if values[..place].contains(value) {
            faults.add(format_args!("{name} holds '{value}' twice"));
            return;
        }
    }
}

/// Channels that there are, each once.
pub fn check_channels(faults: &mut Faults, values: &[String]) {
    check_labels(faults, "channels", values, vocabulary::CHANNELS);
}

fn check_rights(faults: &mut Faults, rights: &Rights) {
    check_text(faults, "rights.licence", &rights.licence, MAX_TITLE_CHARS);
    check_text(faults, "rights.holder", &rights.holder, MAX_TITLE_CHARS);
    let from = check_day(faults, "rights.from", &rights.from);
    let until = rights
        .until
        .as_ref()
        .and_then(|until| check_day(faults, "rights.until", until));
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        faults.add(format_args!(
            "rights end on {until} before they begin on {from}"
        ));
    }
    let everywhere = rights.territories.iter().any(|territory| territory == "*");
    if everywhere && rights.territories.len() > 1 {
        faults.add("rights.territories: \"*\" is everywhere: expected nothing beside it");
    }
    if !everywhere {
        check_territories(faults, "rights.territories", &rights.territories);
    }
}

/// One country code at least, each once.
pub fn check_territories(faults: &mut Faults, name: &str, territories: &[String]) {
    let is_code =
        |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if territories.is_empty() || territories.len() > 26 * 26 {
        faults.add(format_args!(
            "{name} has {} values: expected ISO 3166-1 codes, such as CR",
            territories.len()
        ));
    } else if let Some(wrong) = territories.iter().find(|code| !is_code(code)) {
        faults.add(format_args!(
            "{name} holds '{}': expected an ISO 3166-1 code of two capital letters, such as CR",
            shortened(wrong)
        ));
    } else if let Some(twice) = repeated(territories) {
        faults.add(format_args!("{name} holds '{twice}' twice"));
    }
}

fn repeated(values: &[String]) -> Option<&String> {
    let mut places = values.iter().enumerate();
    places.find_map(|(place, value)| values[..place].contains(value).then_some(value))
}

/// A day as this project writes them; they compare as texts.
pub fn check_day(faults: &mut Faults, name: &str, text: &str) -> Option<Date> {
    let day = Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    let day = day.filter(|day| day.to_string() == text);
    if day.is_none() {
        faults.add(format_args!(
            "{name} is '{}': expected a day such as 2026-11-22",
            shortened(text)
        ));
    }
    day
}

/// Enough of a value to recognise it by, and nothing that would upset a terminal.
fn shortened(value: &str) -> String {
    let shown = value.chars().filter(|letter| !letter.is_control());
    shown.take(SHOWN_CHARS).collect()
}
