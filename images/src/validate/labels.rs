//! Labels come from the closed lists, a few of each, none twice.

use std::ops::RangeInclusive;

use super::{Report, repeated};
use crate::vocabulary::{AUDIENCES, CAMPAIGN_THEMES, CHANNELS, THEMES};

pub(super) fn check(report: &mut Report<'_>) {
    let entry = report.entry;
    list(report, "themes", &entry.themes, 1..=3, THEMES);
    list(
        report,
        "campaign_themes",
        &entry.campaign_themes,
        1..=3,
        CAMPAIGN_THEMES,
    );
    list(report, "channels", &entry.channels, 1..=5, CHANNELS);
    list(report, "audience", &entry.audience, 1..=3, AUDIENCES);
}

fn list(
    report: &mut Report<'_>,
    key: &str,
    values: &[String],
    count: RangeInclusive<usize>,
    vocabulary: &[&str],
) {
    if !count.contains(&values.len()) {
        report.fault(format_args!(
            "{key} has {} values: expected {} to {}",
            values.len(),
            count.start(),
            count.end()
        ));
    }
    for value in values {
        if !vocabulary.contains(&value.as_str()) {
            report.fault(format_args!(
                "{key}: '{value}' is unknown: expected one of {}",
                vocabulary.join(", ")
            ));
        }
    }
    for value in repeated(values) {
        report.fault(format_args!("{key}: '{value}' stands there twice"));
    }
}
