//! Periods: stretches of the calendar that have a name.

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

const LAST: &[&str] = &[
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
        let mut start = at;
        for _ in 0..4 {
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
            start += 1;
        }
        None
    }

    /// ISO, or with the day first; the month first where that is the only way.
    fn numeric_date(&self, at: usize) -> Found {
        let number = |at: usize| -> Option<(i32, usize)> {
            let token = self
                .tokens
                .get(at)
                .filter(|token| token.kind == Kind::Number)?;
            Some((token.text.parse().ok()?, token.text.len()))
        };
        let day = |end: usize, year: i32, month: i32, day: i32| {
            let day = u8::try_from(month)
                .ok()
                .zip(u8::try_from(day).ok())
                .and_then(|(m, d)| date(year, m, d));
            let when = day.map_or(When::Fault(TimeFault::Impossible), |day| {
                When::Fixed(Span::day(day))
            });
            Some((
                end,
                Period {
                    when,
                    unit: Some(Unit::Day),
                },
            ))
        };
        // 31.12.2025 is one token.
        let dotted: Vec<&str> = self.word(at).split('.').collect();
        if let [d, m, y] = dotted[..]
            && y.len() == 4
            && d.len() <= 2
            && m.len() <= 2
        {
            return day(at + 1, y.parse().ok()?, m.parse().ok()?, d.parse().ok()?);
        }
        let (first, digits) = number(at)?;
        let slash = self.is(at + 1, &["/"]);
        let joined = self.tokens.get(at + 1)?.joined;
        if !joined {
            return None;
        }
        let step = if slash { 2 } else { 1 };
        let (second, two) = number(at + step).filter(|_| self.tokens[at + step].joined)?;
        let third = number(at + 2 * step)
            .filter(|_| self.tokens[at + 2 * step].joined && (!slash || self.is(at + 3, &["/"])));
        match third {
            Some((third, _)) if digits == 4 => day(at + 2 * step + 1, first, second, third),
            Some((third, len)) if len == 4 || (len == 2 && slash) => {
                let year = if len == 2 { 2000 + third } else { third };
                let (d, m) = if second > 12 && first <= 12 {
                    (second, first)
                } else {
                    (first, second)
                };
                day(at + 2 * step + 1, year, m, d)
            }
            Some(_) => None,
            None if digits == 4 && two == 2 && (1..=12).contains(&second) => {
                self.numbered_month(at + step + 1, second, first)
            }
            None if slash && digits <= 2 && two == 4 => {
                self.numbered_month(at + step + 1, first, second)
            }
            None if slash && digits <= 2 && two <= 2 => {
                let (d, m) = if second > 12 && first <= 12 {
                    (second, first)
                } else {
                    (first, second)
                };
                self.day_of(at + step + 1, u8::try_from(m).ok()?, u8::try_from(d).ok()?)
            }
            None => None,
        }
    }

    fn numbered_month(&self, end: usize, month: i32, year: i32) -> Found {
        let span = u8::try_from(month)
            .ok()
            .and_then(|month| Yearly::Month(month).in_year(year));
        let when = span.map_or(When::Fault(TimeFault::Impossible), When::Fixed);
        Some((
            end,
            Period {
                when,
                unit: Some(Unit::Month),
            },
        ))
    }

    fn day_of(&self, end: usize, month: u8, day: u8) -> Found {
        // 2024 is a leap year: what it lacks, every year lacks.
        let when = match date(2024, month, day) {
            Some(_) => When::Yearly(Yearly::Days {
                month,
                first: day,
                last: day,
            }),
            None => When::Fault(TimeFault::Impossible),
        };
        Some(self.dated(
            end,
            Period {
                when,
                unit: Some(Unit::Day),
            },
        ))
    }

    /// With its year, if that follows.
    fn dated(&self, end: usize, period: Period) -> (usize, Period) {
        let When::Yearly(yearly) = period.when else {
            let end = self.year_after(end).map_or(end, |(end, _)| end);
            return (end, period);
        };
        let short = |at: usize| -> Option<(usize, i32)> {
            let quarter = matches!(
                yearly,
                Yearly::Quarter(_) | Yearly::Half(_) | Yearly::Week(_)
            );
            let token = self
                .tokens
                .get(at)
                .filter(|token| token.kind == Kind::Number && token.text.len() == 2)?;
            quarter.then(|| Some((at + 1, 2000 + token.text.parse::<i32>().ok()?)))?
        };
        if let Some((end, year)) = self.year_after(end).or_else(|| short(end)) {
            let span = yearly.in_year(year);
            let when = span.map_or(When::Fault(TimeFault::Impossible), When::Fixed);
            return (end, Period { when, ..period });
        }
        let adjective = |end: usize, back: bool| {
            let span = if back {
                self.finished(yearly)
            } else {
                yearly.in_year(self.today.year())
            };
            span.map(|span| {
                (
                    end,
                    Period {
                        when: When::Fixed(span),
                        ..period
                    },
                )
            })
        };
        if self.is(end, &["pasado", "pasada", "ultimo", "ultima", "anterior"]) {
            return adjective(end + 1, true).unwrap_or((end, period));
        }
        if self.is(end, &["actual"]) {
            return adjective(end + 1, false).unwrap_or((end, period));
        }
        if self.is(end, &["proximo", "proxima"]) {
            return (
                end + 1,
                Period {
                    when: When::Fault(TimeFault::Future),
                    ..period
                },
            );
        }
        (end, period)
    }

    fn finished(&self, yearly: Yearly) -> Option<Span> {
        let year = self.today.year();
        (0..=8).find_map(|back| {
            yearly
                .in_year(year - back)
                .filter(|span| span.to <= self.today)
        })
    }

    /// Months, days, quarters, halves, weeks and holidays, with or without a year.
    fn yearly(&self, at: usize) -> Found {
        let (start, adjective) = match self.word(at) {
            "last" | "past" | "previous" | "ultimo" | "ultima" | "pasado" | "pasada" => {
                (at + 1, Some(true))
            }
            "this" | "este" | "esta" | "current" => (at + 1, Some(false)),
            "next" | "proximo" | "proxima" | "coming" => (at + 1, None),
            _ => {
                // "2025 Q3"
                if let Some((end, year)) = self.year(at)
                    && let Some((end, yearly, unit)) = self.name(end)
                    && matches!(unit, Some(Unit::Quarter | Unit::Half | Unit::Week))
                {
                    let span = yearly.and_then(|yearly| yearly.in_year(year));
                    let when = span.map_or(When::Fault(TimeFault::Impossible), When::Fixed);
                    return Some((end, Period { when, unit }));
                }
                let (end, yearly, unit) = self.name(at)?;
                let when = yearly.map_or(When::Fault(TimeFault::Impossible), When::Yearly);
                return Some(self.dated(end, Period { when, unit }));
            }
        };
        let (end, yearly, unit) = self.name(start)?;
        let Some(yearly) = yearly else {
            return Some((
                end,
                Period {
                    when: When::Fault(TimeFault::Impossible),
                    unit,
                },
            ));
        };
        if matches!(yearly, Yearly::Week(_)) {
            return None;
        }
        // "Last March 2025", "the last Black Friday of 2025": the year says more.
        if let (
            end,
            Period {
                when: When::Fixed(span),
                ..
            },
        ) = self.dated(
            end,
            Period {
                when: When::Yearly(yearly),
                unit,
            },
        ) && adjective.is_some()
        {
            return Some((
                end,
                Period {
                    when: When::Fixed(span),
                    unit,
                },
            ));
        }
        let when = match adjective {
            Some(true) => self
                .finished(yearly)
                .map_or(When::Fault(TimeFault::Impossible), When::Fixed),
            Some(false) => yearly
                .in_year(self.today.year())
                .map_or(When::Fault(TimeFault::Impossible), When::Fixed),
            None => When::Fault(TimeFault::Future),
        };
        Some((end, Period { when, unit }))
    }

    /// `None` within for what no year has.
    fn name(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
        let holidays = HOLIDAYS
            .iter()
            .filter_map(|(name, holiday)| Some((self.phrase(at, &[name])?, *holiday)));
        if let Some((end, holiday)) = holidays.max_by_key(|(end, _)| *end) {
            return Some((end, Some(Yearly::Holiday(holiday)), Some(Unit::Day)));
        }
        self.month_day(at)
            .or_else(|| self.quarter(at))
            .or_else(|| self.numbered_week(at))
    }

    fn month_day(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
        let days = |end: usize, month: u8, day: u8| {
            let yearly = date(2024, month, day).map(|_| Yearly::Days {
                month,
                first: day,
                last: day,
            });
            Some((end, yearly, Some(Unit::Day)))
        };
        if let Some(of_month) = self.month_name(at) {
            let end = at + 1;
            let article = end + usize::from(self.is(end, &["the"]));
            if let Some((day_end, day)) = self.bare_day(article)
                && !self.is(day_end, &["%", "k", "mil", "campaigns", "campanas"])
                && !(self.is(day_end, &["de", "of"]) && self.month_name(day_end + 1).is_some())
            {
                return days(day_end, of_month, day);
            }
            return Some((end, Some(Yearly::Month(of_month)), Some(Unit::Month)));
        }
        // "primero de enero"
        let (end, day) = self.bare_day(at).or_else(|| {
            let (nth, end) = ordinal(self.tokens, at)?;
            (nth == 1 && self.is(end, &["de", "of"])).then_some((end, 1))
        })?;
        let end = end + usize::from(self.is(end, &["of", "de"]));
        let month = self.month_name(end)?;
        days(end + 1, month, day)
    }

    /// A month, unless it's the verb "may" or "mar" of another word.
    fn month_name(&self, at: usize) -> Option<u8> {
        let number = month(self.word(at))?;
        let verb =
            self.is(at, &["may", "march", "mar", "sep", "set"]) && !self.tokens[at].capital && {
                let before = at.checked_sub(1).map_or("", |at| self.word(at));
                let follows = self
                    .tokens
                    .get(at + 1)
                    .is_some_and(|next| next.kind == Kind::Number);
                self.is(at, &["may"])
                    && !follows
                    && (before.is_empty()
                        || matches!(
                            before,
                            "i" | "we" | "you" | "it" | "they" | "that" | "which"
                        ))
            };
        (!verb).then_some(number)
    }

    /// A day of a month: "3", "3rd", "tres", "1º".
    pub fn bare_day(&self, at: usize) -> Option<(usize, u8)> {
        let token = self.tokens.get(at)?;
        let (value, end) = if token.kind == Kind::Number {
            let value: u8 = token.text.parse().ok().filter(|_| token.text.len() <= 2)?;
            let suffix = self.tokens.get(at + 1).is_some_and(|next| {
                next.joined && next.is(&["st", "nd", "rd", "th", "o", "ro", "er"])
            });
            (value, at + 1 + usize::from(suffix))
        } else {
            let (value, end) = numbers::count(self.tokens, at)?;
            (u8::try_from(value).ok()?, end)
        };
        (1..=31).contains(&value).then_some((end, value))
    }

    fn quarter(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
        let quarter = |end: usize, nth: u8| {
            Some((
                end,
                (1..=4).contains(&nth).then_some(Yearly::Quarter(nth)),
                Some(Unit::Quarter),
            ))
        };
        let half = |end: usize, nth: u8| {
            Some((
                end,
                (1..=2).contains(&nth).then_some(Yearly::Half(nth)),
                Some(Unit::Half),
            ))
        };
        let word = self.word(at);
        if let [letter, digit] = word.as_bytes()
            && digit.is_ascii_digit()
        {
            match letter {
                b'q' | b't' => return quarter(at + 1, digit - b'0'),
                b'h' | b's' => return half(at + 1, digit - b'0'),
                _ => {}
            }
        }
        if self.is(at, &["quarter", "trimestre", "q"]) {
            let (nth, end) = numbers::count(self.tokens, at + 1).filter(|(nth, _)| *nth <= 9)?;
            return quarter(end, u8::try_from(nth).ok()?);
        }
        if self.is(at, &["semestre", "semester"]) {
            let (nth, end) = numbers::count(self.tokens, at + 1).filter(|(nth, _)| *nth <= 9)?;
            return half(end, u8::try_from(nth).ok()?);
        }
        if let Some((nth, end)) = numbers::count(self.tokens, at).filter(|(nth, _)| *nth <= 9)
            && self
                .tokens
                .get(end)
                .is_some_and(|token| token.joined && token.is(&["q", "t", "s", "h"]))
        {
            let nth = u8::try_from(nth).ok()?;
            return if self.is(end, &["q", "t"]) {
                quarter(end + 1, nth)
            } else {
                half(end + 1, nth)
            };
        }
        let (nth, end) = ordinal(self.tokens, at)?;
        if let Some(end) = self.phrase(end, &["quarter", "trimestre", "trim", "qtr"]) {
            return quarter(end, nth);
        }
        let end = self
            .phrase(
                end,
                &[
                    "half of the year",
                    "half year",
                    "semestre",
                    "semester",
                    "mitad del ano",
                    "mitad de ano",
                ],
            )
            .or_else(|| {
                let half = self.phrase(end, &["half", "mitad"])?;
                // "The first half of March" is a part of March.
                self.year_after(half)
                    .map(|_| half)
                    .or_else(|| (!self.is(half, OF)).then_some(half))
            })?;
        half(end, nth)
    }

    fn numbered_week(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
        let word = self.word(at);
        let short = word
            .strip_prefix('w')
            .and_then(|digits| digits.parse::<u8>().ok().filter(|_| digits.len() <= 2));
        let (nth, end) = match short {
            Some(nth) => (nth, at + 1),
            None => {
                let start = self.phrase(
                    at,
                    &["week number", "week no", "week", "semana numero", "semana"],
                )?;
                let token = self
                    .tokens
                    .get(start)
                    .filter(|token| token.kind == Kind::Number && token.text.len() <= 2)?;
                (token.text.parse().ok()?, start + 1)
            }
        };
        Some((
            end,
            (1..=53).contains(&nth).then_some(Yearly::Week(nth)),
            Some(Unit::Week),
        ))
    }

    /// "Last week", "este mes", "el trimestre anterior", "the year before last".
    fn relative(&self, at: usize) -> Found {
        for (phrases, back) in [
            (&["antepasado", "antepasada", "antepasados"][..], 2),
            (
                &[
                    "pasado", "pasada", "anterior", "previo", "previa", "ultimo", "ultima",
                ],
                1,
            ),
            (&["en curso", "actual", "corriente", "presente"], 0),
        ] {
            if let Some(unit) = unit(self.word(at))
                && let Some(end) = self.phrase(at + 1, phrases)
            {
                return Some((end, self.of_unit(unit.before(self.today, back), unit)));
            }
        }
        if let Some(named) = unit(self.word(at)) {
            if let Some(end) = self.phrase(at + 1, &["before last"]) {
                return Some((end, self.of_unit(named.before(self.today, 2), named)));
            }
            let to_come = self.phrase(
                at + 1,
                &["que viene", "que entra", "proximo", "proxima", "siguiente"],
            );
            return to_come.map(|end| {
                (
                    end,
                    Period {
                        when: When::Fault(TimeFault::Future),
                        unit: None,
                    },
                )
            });
        }
        let half = |at: usize| {
            self.phrase(at, &["half year", "half"])
                .map(|end| (end, Unit::Half))
        };
        let named = |at: usize| {
            unit(self.word(at))
                .map(|unit| (at + 1, unit))
                .or_else(|| half(at))
        };
        let fiscal = |at: usize| {
            at + usize::from(self.is(
                at,
                &[
                    "fiscal",
                    "calendar",
                    "financial",
                    "full",
                    "complete",
                    "entire",
                    "whole",
                ],
            ))
        };
        let after = |words: &[&str], plural: bool| {
            let (end, unit) = self
                .is(at, words)
                .then(|| named(fiscal(at + 1)))
                .flatten()?;
            let many = self.word(end - 1).ends_with('s') && !self.is(end - 1, &["mes"]);
            (plural || !many).then_some((end, unit))
        };
        let fiscal_after = |end: usize| {
            end + usize::from(self.is(
                end,
                &[
                    "fiscal", "natural", "completo", "completa", "entero", "entera",
                ],
            ))
        };
        if let Some((end, unit)) = after(LAST, false) {
            if self.is(at, &["recent", "trailing", "anteriores"]) {
                return None;
            }
            return Some((
                fiscal_after(end),
                self.of_unit(unit.before(self.today, 1), unit),
            ));
        }
        if let Some((end, unit)) = after(THIS, false) {
            let end = self.phrase(end, &["en curso"]).unwrap_or(end);
            return Some((
                fiscal_after(end),
                self.of_unit(unit.around(self.today), unit),
            ));
        }
        let (end, _) = after(NEXT, true).or_else(|| {
            let (_, end) = self
                .is(at, NEXT)
                .then(|| numbers::count(self.tokens, at + 1))
                .flatten()?;
            named(end)
        })?;
        Some((
            end,
            Period {
                when: When::Fault(TimeFault::Future),
                unit: None,
            },
        ))
    }

    /// "Last 30 days", "los últimos 3 meses", "the past couple of weeks", "6 meses anteriores".
    fn rolling(&self, at: usize) -> Found {
        let mut start = at;
        let leading = self.is(at, LAST);
        if self.is(at, &["ttm"]) {
            return Some((at + 1, self.fixed(Unit::Month.rolling(self.today, 12))));
        }
        if leading {
            start += 1;
        }
        start = self.phrase(start, &["full", "complete"]).unwrap_or(start);
        let (count, mut end) = self.count(start)?;
        if !leading {
            end = self
                .phrase(end, &["last", "past", "ultimos", "ultimas"])
                .unwrap_or(end);
        }
        let before = self.is(
            end.saturating_sub(1),
            &["last", "past", "ultimos", "ultimas"],
        );
        let whole = self.is(end, WHOLE) || self.is(start.saturating_sub(1), &["full", "complete"]);
        end += usize::from(self.is(end, WHOLE));
        let half = self
            .phrase(end, &["half years"])
            .map(|end| (end, Unit::Half));
        let hours = self.is(end, &["hours", "horas", "hour", "hora", "hrs", "h"]);
        let (unit, mut end) = match (half, unit(self.word(end))) {
            (Some((end, unit)), _) => (unit, end),
            (None, Some(unit)) => (unit, end + 1),
            (None, None) if hours && count % 24 == 0 => (Unit::Day, end + 1),
            (None, None) => return None,
        };
        let count = if hours { count / 24 } else { count };
        let trailing = !leading && !before;
        if trailing {
            self.is(
                end,
                &[
                    "pasados",
                    "pasadas",
                    "anteriores",
                    "previos",
                    "previas",
                    "ultimos",
                    "ultimas",
                ],
            )
            .then_some(())?;
            end += 1;
        }
        let whole = whole || self.is(end, WHOLE);
        end += usize::from(self.is(end, WHOLE));
        if self.is(end, &["ago"]) {
            return None;
        }
        if let Some((end, container)) = self.contained(end) {
            let from = unit.months().map_or_else(
                || {
                    Some(days_before(
                        container.to,
                        count.saturating_mul(if unit == Unit::Week { 7 } else { 1 }),
                    ))
                },
                |months| {
                    Some(add_months(
                        container.to,
                        -months.saturating_mul(i32::try_from(count).ok()?),
                    ))
                },
            )?;
            return Some((
                end,
                self.fixed(Span {
                    from,
                    to: container.to,
                }),
            ));
        }
        let span = if whole {
            Span {
                from: unit.before(self.today, count).from,
                to: unit.around(self.today).from,
            }
        } else {
            unit.rolling(self.today, count)
        };
        (count > 0).then(|| (end, self.fixed(span)))
    }

    fn count(&self, at: usize) -> Option<(i64, usize)> {
        if let Some(end) = self.phrase(at, &["couple of", "couple", "par de"]) {
            return Some((2, end));
        }
        numbers::count(self.tokens, at)
    }

    /// "Three weeks ago", "hace dos meses": where it begins and how long ago.
    pub fn ago(&self, at: usize) -> Option<(usize, Unit, i64)> {
        let units = |at: usize| {
            let (count, end) = self
                .phrase(
                    at,
                    &["a couple of", "un par de", "una", "un", "one", "a", "an"],
                )
                .filter(|_| true)
                .map(|end| {
                    (
                        if self.is(end - 1, &["of", "de"]) {
                            2
                        } else {
                            1
                        },
                        end,
                    )
                })
                .or_else(|| self.count(at))?;
            Some((count, unit(self.word(end))?, end + 1))
        };
        if self.is(at, &["hace"]) {
            let about = at + 1 + usize::from(self.is(at + 1, &["ya"]));
            let (count, unit, end) = units(about)?;
            return Some((end, unit, count));
        }
        let (count, unit, end) = units(at)?;
        let end = self.phrase(end, &["ago", "atras", "back", "earlier"])?;
        Some((end, unit, count))
    }

    fn units_ago(&self, at: usize) -> Found {
        let (end, unit, count) = self.ago(at)?;
        Some((end, self.of_unit(unit.before(self.today, count), unit)))
    }

    fn near_day(&self, at: usize) -> Found {
        for (phrases, back) in [
            (
                &[
                    "day before yesterday",
                    "antes de ayer",
                    "anteayer",
                    "antier",
                ][..],
                2,
            ),
            (&["yesterday", "ayer"], 1),
            (&["today", "hoy"], 0),
            (&["tomorrow"], -1),
        ] {
            if let Some(end) = self.phrase(at, phrases) {
                let day = self.of_unit(Span::day(days_before(self.today, back)), Unit::Day);
                let day = if back < 0 {
                    Period {
                        when: When::Fault(TimeFault::Future),
                        unit: None,
                    }
                } else {
                    day
                };
                return Some((end, day));
            }
        }
        None
    }

    /// "The week of 9 March".
    fn week_of(&self, at: usize) -> Found {
        let start = self.phrase(
            at,
            &[
                "week of",
                "week starting",
                "week beginning",
                "semana del",
                "semana de",
                "semana que empieza el",
                "semana que empezo el",
            ],
        )?;
        let start = start + usize::from(self.is(start, &["the", "el", "on"]));
        let (end, period) = self.numeric_date(start).or_else(|| self.yearly(start))?;
        let when = match (period.unit, period.when) {
            (_, When::Fault(fault)) => When::Fault(fault),
            (Some(Unit::Day), When::Fixed(span)) => When::Fixed(Unit::Week.around(span.from)),
            (Some(Unit::Day), When::Yearly(yearly)) => {
                When::Fixed(Unit::Week.around(yearly.latest(self.today)?.from))
            }
            _ => return None,
        };
        Some((
            end,
            Period {
                when,
                unit: Some(Unit::Week),
            },
        ))
    }

    /// What a part is a part of: a period shorter than all time, or "the year".
    fn contained(&self, at: usize) -> Option<(usize, Span)> {
        let start = self.phrase(
            at,
            &["of the month of", "del mes de", "of", "in", "de", "del"],
        )?;
        let article = start + usize::from(self.is(start, &["the", "el", "la"]));
        let (end, period) = self
            .yearly(article)
            .or_else(|| self.relative(article))
            .or_else(|| {
                self.year(article)
                    .map(|(end, year)| (end, self.whole_year(year)))
            })
            .or_else(|| self.numeric_date(article))
            .or_else(|| self.whole(start))?;
        match period.when {
            When::Fixed(span) => Some((end, span)),
            When::Yearly(yearly) => Some((end, yearly.latest(self.today)?)),
            When::Fault(_) => None,
        }
    }

    /// "The first week of March", "los primeros diez días de octubre", "último trimestre de 2025".
    fn part(&self, at: usize) -> Found {
        let last = self.is(
            at,
            &["last", "ultimo", "ultima", "ultimos", "ultimas", "final"],
        );
        let firsts = self.is(at, &["primeros", "primeras"]);
        let (nth, start) = if last || firsts {
            (1, at + 1)
        } else {
            ordinal(self.tokens, at)?
        };
        let nth = i64::from(nth);
        let (count, start) = self.count(start).unwrap_or((1, start));
        let (length, end) = match unit(self.word(start)) {
            Some(length) => (length, start + 1),
            None => (Unit::Fortnight, self.phrase(start, &["half", "mitad"])?),
        };
        let (end, whole) = self.contained(end)?;
        let months = whole.from.year() != whole.to.year() || add_months(whole.from, 1) < whole.to;
        let half_of_more = self.is(start, &["half", "mitad"]) && months;
        if half_of_more || count < 1 {
            return None;
        }
        let ahead = |day: Date, by: i64| match (length, length.months()) {
            (_, Some(months)) => {
                i32::try_from(by).map_or(day, |by| add_months(day, months.saturating_mul(by)))
            }
            (Unit::Week, None) => days_before(day, -7 * by),
            (Unit::Fortnight, None) => days_before(day, -15 * by),
            (_, None) => days_before(day, -by),
        };
        let span = match (last, length) {
            (true, Unit::Fortnight) => Span {
                from: days_before(whole.to, 1).replace_day(16).ok()?,
                to: whole.to,
            },
            (true, _) => Span {
                from: ahead(whole.to, -count),
                to: whole.to,
            },
            (false, Unit::Fortnight) if nth == 2 => Span {
                from: ahead(whole.from, 1),
                to: whole.to,
            },
            (false, _) => {
                let from = ahead(whole.from, nth - 1);
                Span {
                    from,
                    to: ahead(from, count),
                }
            }
        };
        let inside = whole.from <= span.from && span.to <= whole.to && span.from < span.to;
        let when = if inside {
            When::Fixed(span)
        } else {
            When::Fault(TimeFault::Impossible)
        };
        let unit = matches!(length, Unit::Quarter | Unit::Half | Unit::Month)
            .then_some(length)
            .filter(|_| count == 1);
        Some((end, Period { when, unit }))
    }

    fn on_weekday(&self, at: usize) -> Found {
        let day = |at: usize| weekday(self.word(at)).map(|found| (found, at + 1));
        let last = self.is(at, &["last", "past", "pasado", "ultimo", "previous"]);
        let this = self.is(at, &["this", "este"]);
        let ((weekday, plural), mut end) = if last || this { day(at + 1)? } else { day(at)? };
        let recurring = plural
            || at
                .checked_sub(1)
                .is_some_and(|before| self.is(before, &["los", "every", "cada", "each"]));
        if recurring {
            return Some((
                end,
                Period {
                    when: When::Fault(TimeFault::Recurring),
                    unit: None,
                },
            ));
        }
        let offset = i64::from(weekday.number_days_from_monday());
        if let Some((end, week)) = self.contained(end).or_else(|| {
            let (end, period) = self
                .relative(end)
                .filter(|(_, period)| period.unit == Some(Unit::Week))?;
            match period.when {
                When::Fixed(span) => Some((end, span)),
                _ => None,
            }
        }) && week == Unit::Week.around(week.from)
        {
            return Some((
                end,
                self.of_unit(Span::day(days_before(week.from, -offset)), Unit::Day),
            ));
        }
        // "Friday 20 November": the date says it all.
        let date_at = end + usize::from(self.is(end, &[",", "the", "el"]));
        if let Some((end, period)) = self.numeric_date(date_at).or_else(|| self.yearly(date_at))
            && period.unit == Some(Unit::Day)
        {
            return Some((end, period));
        }
        end += usize::from(self.is(end, &["pasado", "ultimo", "anterior"]));
        let monday = Unit::Week.around(self.today).from;
        let mut on = days_before(monday, -offset);
        if !this && on >= self.today {
            on = days_before(on, 7);
        }
        Some((end, self.of_unit(Span::day(on), Unit::Day)))
    }

    fn weekend(&self, at: usize) -> Found {
        let name = |at: usize| self.phrase(at, &["weekend", "fin de semana", "finde"]);
        let saturday = |back: i64| {
            let from = days_before(Unit::Week.around(self.today).from, 7 * back - 5);
            self.fixed(Span {
                from,
                to: days_before(from, -2),
            })
        };
        if let Some(end) = self.phrase(at, &["weekends", "fines de semana", "findes"]) {
            return Some((
                end,
                Period {
                    when: When::Fault(TimeFault::Recurring),
                    unit: None,
                },
            ));
        }
        if self.is(at, LAST) {
            return Some((name(at + 1)?, saturday(1)));
        }
        if self.is(at, THIS) {
            return Some((name(at + 1)?, saturday(0)));
        }
        let end = name(at)?;
        if self.is(end, &["pasado", "anterior", "ultimo"]) {
            return Some((end + 1, saturday(1)));
        }
        let begun = days_before(Unit::Week.around(self.today).from, -5) <= self.today;
        Some((end, saturday(i64::from(!begun))))
    }

    /// Words for times that differ by whom one asks.
    fn vague(&self, at: usize) -> Found {
        let skip = at + usize::from(self.is(at, LAST) || self.is(at, THIS));
        let end = self
            .phrase(
                skip,
                &[
                    "summer",
                    "winter",
                    "spring",
                    "autumn",
                    "fall",
                    "verano",
                    "invierno",
                    "primavera",
                    "otono",
                    "recently",
                    "lately",
                    "recientemente",
                    "ultimamente",
                    "holiday season",
                    "temporada navidena",
                    "dias festivos",
                    "hace poco",
                    "the other day",
                    "el otro dia",
                    "last few days",
                    "last few weeks",
                    "last few months",
                    "ultimos dias",
                    "ultimas semanas",
                    "ultimos meses",
                    "ultimos anos",
                    "past few weeks",
                    "past few months",
                    "past few days",
                    "principios",
                    "finales",
                    "mediados",
                    "recent days",
                    "recent weeks",
                    "recent months",
                ],
            )
            .or_else(|| {
                self.phrase(
                    at,
                    &[
                        "last few days",
                        "last few weeks",
                        "last few months",
                        "past few weeks",
                        "past few months",
                        "past few days",
                        "ultimos dias",
                        "ultimas semanas",
                        "ultimos meses",
                        "ultimos anos",
                        "last days",
                        "last weeks",
                        "last months",
                    ],
                )
            })?;
        Some((
            end,
            Period {
                when: When::Fault(TimeFault::Vague),
                unit: None,
            },
        ))
    }
}
