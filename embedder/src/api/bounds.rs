//! What values of documents and filters must look like, whichever index they go to.

use time::{Date, format_description::well_known::Iso8601};

/// A day as `2026-11-22` and in no other form of ISO 8601: the indexes compare days as they are
/// written.
pub fn check_day(day: &str) -> Result<(), String> {
    match Date::parse(day, &Iso8601::DATE) {
        Ok(date) if date.to_string() == day => Ok(()),
        _ => Err(format!("'{day}' is no ISO 8601 day such as 2026-11-22")),
    }
}

/// PostgreSQL stores no NUL character; a document that one index takes and the other never could
/// would keep them apart for good.
pub fn check_storable(text: &str) -> Result<(), String> {
    if text.contains('\0') {
        return Err("a text holds the NUL character, which cannot be stored".to_owned());
    }
    Ok(())
}

/// A list of at most `most` values.
pub fn check_list(values: &[String], most: usize) -> Result<(), String> {
    if values.len() > most {
        return Err(format!(
            "{} values in one list, expected at most {most}",
            values.len()
        ));
    }
    values.iter().try_for_each(|value| check_storable(value))
}
