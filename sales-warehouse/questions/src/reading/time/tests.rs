//! The table of expressions, and what holds for all.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use ::time::macros::date as day;

use super::*;
use crate::reading::text::tokens;

/// What is read where `text` is a whole question, past words that carry no time.
fn read(text: &str, today: Date) -> String {
    let tokens = tokens(text);
    let spans = expressions(&tokens, today)
        .into_iter()
        .enumerate()
        .filter_map(|(at, span)| Some((at, span?)));
    let longest = spans.max_by_key(|(at, span)| (span.end - at, std::cmp::Reverse(*at)));
    let Some((_, span)) = longest.filter(|(_, span)| span.end == tokens.len()) else {
        return format!("unread: {longest:?}");
    };
    let iso = |day: Option<Date>| day.map_or("-".to_owned(), |day| day.to_string());
    match span.meaning {
        Meaning::Range(range, _) => format!("{} | {}", iso(range.from), iso(range.to)),
        Meaning::Always => "always".to_owned(),
        Meaning::Fault(fault) => format!("{fault:?}").to_lowercase(),
    }
}

#[test]
fn expressions_are_read_as_the_table_says() {
    let mut wrong = Vec::new();
    let lines = include_str!("expressions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    assert!(lines.clone().count() >= 120);
    for line in lines {
        let (text, expected) = line.split_once(" | ").unwrap();
        let read = read(text, day!(2026 - 11 - 22));
        if read != expected {
            wrong.push(format!("{text}: {read}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn from_is_before_to() {
    for line in include_str!("expressions.txt").lines() {
        let tokens = tokens(line.split(" | ").next().unwrap());
        let mut today = day!(2023 - 12 - 28);
        for _ in 0..80 {
            today += ::time::Duration::days(17);
            for span in expressions(&tokens, today) {
                let meaning = span.map(|span| span.meaning);
                if let Some(Meaning::Range(
                    TimeRange {
                        from: Some(from),
                        to: Some(to),
                    },
                    _,
                )) = meaning
                {
                    assert!(from < to, "{line}, {today}");
                }
            }
        }
    }
}
