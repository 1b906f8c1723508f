//! Usage rights: dates in order, territories well formed.

use time::{Date, format_description::well_known::Iso8601};

use super::{Report, repeated};

pub(super) fn check(report: &mut Report<'_>) {
    let rights = &report.entry.rights;
    for (key, value) in [("licence", &rights.licence), ("holder", &rights.holder)] {
        if value.trim().is_empty() {
            report.fault(format_args!("rights.{key} is blank"));
        }
    }
    let from = date(report, "from", &rights.from);
    let until = rights
        .until
        .as_ref()
        .and_then(|until| date(report, "until", until));
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        report.fault(format_args!(
            "rights end on {until} before they begin on {from}"
        ));
    }
    territories(report, &rights.territories);
}

fn date(report: &mut Report<'_>, key: &str, text: &str) -> Option<Date> {
    // A date of ISO 8601 has other spellings too, such as 2026-W01-4: only this one is ours.
    let date = Date::parse(text, &Iso8601::DATE)
        .ok()
        .filter(|date| date.to_string() == text);
    if date.is_none() {
        report.fault(format_args!(
            "rights.{key} is '{text}': expected a date such as 2026-01-01"
        ));
    }
    date
}

fn territories(report: &mut Report<'_>, territories: &[String]) {
    if territories.is_empty() {
        report
            .fault("rights.territories is empty: expected country codes, or \"*\" for everywhere");
    }
    for territory in territories {
        let is_code =
            territory.len() == 2 && territory.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code && territory != "*" {
            report.fault(format_args!(
                "rights.territories: '{territory}' is no ISO 3166-1 alpha-2 code and not \"*\""
            ));
        }
    }
    if territories.len() > 1 && territories.iter().any(|territory| territory == "*") {
        report.fault("rights.territories: \"*\" is everywhere: expected nothing beside it");
    }
    for territory in repeated(territories) {
        report.fault(format_args!(
            "rights.territories: '{territory}' stands there twice"
        ));
    }
}
