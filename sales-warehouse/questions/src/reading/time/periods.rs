//! Periods: stretches of the calendar that have a name.

mod named;
mod parts;
mod relative;

use std::cell::RefCell;

use time::Date;

use super::{
    TimeFault,
    calendar::{Span, Unit, Yearly, add_months, date, days_before},
    names::{HOLIDAYS, month, ordinal, unit, weekday},
};
use crate::reading::{
    numbers,
    text::{Kind, Token},
};

/// A period, and the calendar unit that it is, where it is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    pub when: When,
    pub unit: Option<Unit>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Fixed(Span),
    /// Its year was not said.
    Yearly(Yearly),
    Fault(TimeFault),
}

impl Period {
    /// Another day of the month that this is a day of.
    pub fn with_day(self, day: u8) -> Option<Self> {
        let when = match self.when {
            When::Yearly(Yearly::Days { month, .. } | Yearly::Month(month)) => {
                When::Yearly(Yearly::Days {
                    month,
                    first: day,
                    last: day,
                })
            }
            When::Fixed(span) => span
                .from
                .replace_day(day)
                .map_or(When::Fault(TimeFault::Impossible), |day| {
                    When::Fixed(Span::day(day))
                }),
            When::Fault(fault) => When::Fault(fault),
            When::Yearly(_) => return None,
        };
        Some(Self {
            when,
            unit: Some(Unit::Day),
        })
    }
}

pub(super) struct Periods<'a> {
    pub tokens: &'a [Token],
    pub today: Date,
    /// What begins at each token: every kind of expression asks again.
    known: RefCell<Vec<Option<Found>>>,
}

type Found = Option<(usize, Period)>;

pub(super) const LAST: &[&str] = &[
    "last",
    "past",
    "previous",
    "prior",
    "preceding",
    "trailing",
    "latest",
    "recent",
    "ult",
    "ultimo",
    "ultima",
    "ultimos",
    "ultimas",
    "pasado",
    "pasada",
    "pasados",
    "pasadas",
    "anterior",
    "anteriores",
    "previo",
    "previa",
    "previos",
    "previas",
];

/// "This".
const THIS: &[&str] = &[
    "this", "current", "present", "este", "esta", "presente", "actual",
];
const NEXT: &[&str] = &[
    "next",
    "coming",
    "upcoming",
    "following",
    "proximo",
    "proxima",
    "proximos",
    "proximas",
    "siguiente",
];
const WHOLE: &[&str] = &[
    "full",
    "complete",
    "whole",
    "completos",
    "completas",
    "completo",
    "completa",
    "calendar",
    "naturales",
    "enteros",
    "enteras",
];
const OF: &[&str] = &["of", "de", "del", "in", "en", "the", "el", "la", "este"];

impl<'a> Periods<'a> {
    pub fn new(tokens: &'a [Token], today: Date) -> Self {
        let known = RefCell::new(vec![None; tokens.len()]);
        Self {
            tokens,
            today,
            known,
        }
    }

    pub fn is(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(words))
    }

    fn word(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    /// The end of the longest of `phrases` that stands at `at`.
    pub fn phrase(&self, at: usize, phrases: &[&str]) -> Option<usize> {
        let first = self.word(at);
        if first.is_empty() {
            return None;
        }
        let ends = phrases
            .iter()
            .filter(|phrase| phrase.starts_with(first))
            .filter_map(|phrase| {
                let mut end = at;
                for word in phrase.split(' ') {
                    if self.word(end) != word {
                        return None;
                    }
                    end += 1;
                }
                Some(end)
            });
        ends.max()
    }

    pub fn fixed(&self, span: Span) -> Period {
        Period {
            when: When::Fixed(span),
            unit: None,
        }
    }

    fn of_unit(&self, span: Span, unit: Unit) -> Period {
        Period {
            when: When::Fixed(span),
            unit: Some(unit),
        }
    }

    /// The longest period that begins at `at`.
    pub fn period(&self, at: usize) -> Found {
        let known = *self.known.borrow().get(at)?;
        known.unwrap_or_else(|| {
            let found = self.longest(at);
            self.known.borrow_mut()[at] = Some(found);
            found
        })
    }

    fn longest(&self, at: usize) -> Found {
        [
            self.numeric_date(at),
            self.yearly(at),
            self.relative(at),
            self.rolling(at),
            self.units_ago(at),
            self.part(at),
            self.near_day(at),
            self.week_of(at),
            self.on_weekday(at),
            self.weekend(at),
            self.year(at)
                .map(|(end, year)| (end, self.whole_year(year))),
            self.vague(at),
        ]
        .into_iter()
        .flatten()
        .max_by_key(|(end, _)| *end)
    }

    /// "The year", "el mes": the present one, where a part of it is asked for.
    pub fn whole(&self, at: usize) -> Found {
        let start =
            at + usize::from(self.is(at, &["the", "el", "la", "este", "esta", "this", "present"]));
        let unit = unit(self.word(start))?;
        let longer = self.period(at).is_some_and(|(end, _)| end > start + 1);
        (!longer && unit != Unit::Day && self.year(start).is_none())
            .then(|| (start + 1, self.of_unit(unit.around(self.today), unit)))
    }

    fn whole_year(&self, year: i32) -> Period {
        let from = date(year, 1, 1);
        let span = from.map(|from| Span {
            from,
            to: add_months(from, 12),
        });
        let when = span.map_or(When::Fault(TimeFault::Impossible), When::Fixed);
        Period {
            when,
            unit: Some(Unit::Year),
        }
    }

    /// A year in digits, with or without "year", "FY".
    fn year(&self, at: usize) -> Option<(usize, i32)> {
        if let Some(short) = self.word(at).strip_prefix("fy") {
            let digits = if short.is_empty() {
                self.word(at + 1)
            } else {
                short
            };
            let year: i32 = digits.parse().ok()?;
            let end = at + 1 + usize::from(short.is_empty());
            return match digits.len() {
                2 => Some((end, 2000 + year)),
                4 => Some((end, year)),
                _ => None,
            };
        }
        let start = self
            .phrase(
                at,
                &[
                    "fiscal year",
                    "calendar year",
                    "financial year",
                    "ano fiscal",
                    "ano natural",
                    "ejercicio fiscal",
                    "ejercicio",
                    "year",
                    "ano",
                    "fiscal",
                ],
            )
            .unwrap_or(at);
        let start = start + usize::from(start > at && self.is(start, &["de", "of"]));
        let token = self
            .tokens
            .get(start)
            .filter(|token| token.kind == Kind::Number)?;
        let year: i32 = token.text.parse().ok()?;
        (token.text.len() == 4 && (1990..=2099).contains(&year) && !self.counted(start))
            .then_some((start + 1, year))
    }

    /// "More than 2000 leads" has no year in it.
    fn counted(&self, at: usize) -> bool {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| self.word(at));
        let threshold = match before(1) {
            "than" | "over" | "above" | "under" | "below" | "least" | "most" | "menos"
            | "maximo" | "minimo" | "top" | "exceed" | "exceeds" | "exceeding" | "exceeded"
            | "$" | "supera" | "superan" | "superaron" | "supero" | ">" | "<" | "=" | "usd" => true,
            "de" => matches!(
                before(2),
                "mas" | "menos" | "encima" | "debajo" | "mayor" | "menor"
            ),
            "que" | "a" => matches!(
                before(2),
                "mayor"
                    | "mayores"
                    | "menor"
                    | "menores"
                    | "superior"
                    | "superiores"
                    | "inferior"
                    | "inferiores"
            ),
            _ => false,
        };
        let unit = matches!(
            self.word(at + 1),
            "%" | "k" | "mil" | "dollars" | "dolares" | "usd" | "euros" | "€" | "$"
        );
        threshold || unit
    }

    /// The year that a month or a quarter is of: ", 2025", "of last year", "de este año".
    fn year_after(&self, at: usize) -> Option<(usize, i32)> {
        for start in at..at + 4 {
            if let Some(found) = self.year(start) {
                return Some(found);
            }
            let this = self.today.year();
            for (phrases, year) in [
                (
                    &[
                        "last year",
                        "previous year",
                        "ano pasado",
                        "pasado ano",
                        "ano anterior",
                        "ultimo ano",
                        "year before",
                    ][..],
                    this - 1,
                ),
                (
                    &[
                        "this year",
                        "current year",
                        "este ano",
                        "ano actual",
                        "ano en curso",
                        "presente ano",
                        "esta ano",
                        "ano corriente",
                    ][..],
                    this,
                ),
                (&["year before last", "ano antepasado"][..], this - 2),
            ] {
                if let Some(end) = self.phrase(start, phrases) {
                    return Some((end, year));
                }
            }
            if !(self.is(start, OF) || self.is(start, &[","])) {
                return None;
            }
        }
        None
    }
}
