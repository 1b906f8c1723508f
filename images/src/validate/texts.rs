//! Titles, descriptions, alternative texts and hashtags, in every language.

use std::ops::RangeInclusive;

use contracts::{Language, LocalisedText};

use super::{Report, repeated};

const TITLE_WORDS: RangeInclusive<usize> = 3..=8;
const DESCRIPTION_WORDS: RangeInclusive<usize> = 20..=45;
const ALT_WORDS: RangeInclusive<usize> = 6..=20;
const HASHTAGS: RangeInclusive<usize> = 5..=10;

pub(super) fn check(report: &mut Report<'_>) {
    for language in Language::ALL {
        match report.entry.text.get(&language) {
            Some(text) => localised(report, language, text),
            None => report.fault(format_args!(
                "has no text in '{language}': expected title, description, alt and hashtags"
            )),
        }
    }
}

fn localised(report: &mut Report<'_>, language: Language, text: &LocalisedText) {
    for (key, value, words) in [
        ("title", &text.title, TITLE_WORDS),
        ("description", &text.description, DESCRIPTION_WORDS),
        ("alt", &text.alt, ALT_WORDS),
    ] {
        let count = value.split_whitespace().count();
        if !words.contains(&count) {
            report.fault(format_args!(
                "{language}.{key} has {count} words: expected {} to {}",
                words.start(),
                words.end()
            ));
        }
        if value.trim() != value || value.chars().any(char::is_control) {
            report.fault(format_args!(
                "{language}.{key} has blanks at its ends, or a control character: expected one line"
            ));
        }
    }
    hashtags(report, language, &text.hashtags);
}

fn hashtags(report: &mut Report<'_>, language: Language, hashtags: &[String]) {
    if !HASHTAGS.contains(&hashtags.len()) {
        report.fault(format_args!(
            "{language}.hashtags has {} values: expected {} to {}",
            hashtags.len(),
            HASHTAGS.start(),
            HASHTAGS.end()
        ));
    }
    for hashtag in hashtags {
        if !is_hashtag(hashtag) {
            report.fault(format_args!(
                "{language}.hashtags: '{hashtag}' is no hashtag: expected # and then letters and \
                 digits, at least one letter"
            ));
        }
    }
    for hashtag in repeated(hashtags) {
        report.fault(format_args!(
            "{language}.hashtags: '{hashtag}' stands there twice"
        ));
    }
}

/// No network takes a tag of digits alone.
fn is_hashtag(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|tag| {
        tag.chars().all(char::is_alphanumeric) && tag.chars().any(char::is_alphabetic)
    })
}
