//! Time expressions in Spanish and English, by the conventions of `semantic/README.md`.
//!
//! A period ([`periods`]) is a stretch of the calendar with a name: "Q3", "last week", "5 de enero". Times with
//! two ends ([`between`]), with one ([`one_sided`]) and up to today ([`running`]) are made of periods.

mod between;
pub(crate) mod calendar;
mod names;
mod one_sided;
mod periods;
mod running;

use time::Date;

use super::text::Token;
use crate::query::TimeRange;
use calendar::{Span, Unit};
use periods::{Period, Periods, When};

/// A time expression and the tokens it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TimeSpan {
    pub end: usize,
    pub meaning: Meaning,
}

/// What a time expression says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// Days, and the calendar unit that they are, where they are one.
    Range(TimeRange, Option<Unit>),
    /// "Ever": all data, said aloud.
    Always,
    /// There is no such time, or no answer about it.
    Fault(TimeFault),
}

/// Why a time expression has no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFault {
    /// 30 February.
    Impossible,
    /// It ends before it begins.
    Reversed,
    /// It has not happened yet.
    Future,
    /// "On Mondays": not one stretch of days.
    Recurring,
    /// "Summer": where, and from when to when?
    Vague,
}

/// Whether a phrase is a holiday's name, alone or with its year.
pub(crate) fn is_holiday(phrase: &str) -> bool {
    names::HOLIDAYS
        .iter()
        .filter_map(|(name, _)| phrase.strip_prefix(name))
        .any(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// At each token, the longest time expression that begins there.
pub(crate) fn expressions(tokens: &[Token], today: Date) -> Vec<Option<TimeSpan>> {
    let reader = Expressions {
        periods: Periods::new(tokens, today),
    };
    (0..tokens.len()).map(|at| reader.longest(at)).collect()
}

struct Expressions<'a> {
    periods: Periods<'a>,
}

/// Where a time begins: "the start of" March.
const BEGINNINGS: &[&str] = &[
    "very beginning of",
    "beginning of",
    "start of",
    "principios de",
    "principios del",
    "principio de",
    "comienzos de",
    "comienzo de",
    "comienzos del",
    "comienzo del",
    "inicios de",
    "inicio de",
    "inicios del",
    "inicio del",
];

/// Where a time ends.
const ENDINGS: &[&str] = &[
    "end of",
    "final de",
    "final del",
    "finales de",
    "fines de",
    "fin de",
];

const ARTICLES: &[&str] = &["the", "el", "la", "los", "las", "a", "al"];

impl Expressions<'_> {
    fn longest(&self, at: usize) -> Option<TimeSpan> {
        [
            self.since(at),
            self.before(at),
            self.until(at),
            self.after(at),
            self.between(at),
            self.to_date(at),
            self.alone(at),
            self.always(at),
        ]
        .into_iter()
        .flatten()
        .max_by_key(|span| span.end)
    }

    fn today(&self) -> Date {
        self.periods.today
    }

    /// The end of the first of `phrases` that stands at `at`; the longest, if they are sorted so.
    fn phrase(&self, at: usize, phrases: &[&str]) -> Option<usize> {
        self.periods.phrase(at, phrases)
    }

    /// A period, past articles and "el mes de".
    fn period(&self, at: usize) -> Option<(usize, Period)> {
        let mut start = at;
        for _ in 0..3 {
            if let Some(found) = self.periods.period(start) {
                return Some(found);
            }
            let skipped = self.phrase(start, &["month of", "mes de", "year", "ano", "dia", "day"]);
            start = match skipped {
                Some(end) => end,
                None if self.periods.is(start, ARTICLES)
                    || self.periods.is(start, &["in", "en", "del", "de", "of"]) =>
                {
                    start + 1
                }
                None => return None,
            };
        }
        None
    }

    /// "The beginning of", which changes nothing for a time that begins there.
    fn edge(&self, at: usize, words: &[&str]) -> usize {
        let start = if self.periods.is(at, ARTICLES) {
            at + 1
        } else {
            at
        };
        self.phrase(start, words).unwrap_or(at)
    }

    fn container(&self, at: usize) -> Option<(usize, Period)> {
        self.periods.whole(at).or_else(|| self.period(at))
    }

    fn alone(&self, at: usize) -> Option<TimeSpan> {
        let (end, period) = self.periods.period(at)?;
        Some(self.resolve(end, period, |span| (Some(span.from), Some(span.to))))
    }

    fn resolve(
        &self,
        end: usize,
        period: Period,
        ends: impl Fn(Span) -> (Option<Date>, Option<Date>),
    ) -> TimeSpan {
        let span = match period.when {
            When::Fault(fault) => return self.fault(end, fault),
            When::Fixed(span) => Some(span),
            When::Yearly(yearly) => yearly.latest(self.today()),
        };
        let Some(span) = span else {
            return self.fault(end, TimeFault::Impossible);
        };
        let (from, to) = ends(span);
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            let fault = if from > self.today() {
                TimeFault::Future
            } else {
                TimeFault::Reversed
            };
            return self.fault(end, fault);
        }
        let whole = from == Some(span.from) && to == Some(span.to);
        let meaning = Meaning::Range(TimeRange { from, to }, period.unit.filter(|_| whole));
        TimeSpan { end, meaning }
    }

    fn range(&self, end: usize, from: Option<Date>, to: Option<Date>) -> TimeSpan {
        TimeSpan {
            end,
            meaning: Meaning::Range(TimeRange { from, to }, None),
        }
    }

    fn fault(&self, end: usize, fault: TimeFault) -> TimeSpan {
        TimeSpan {
            end,
            meaning: Meaning::Fault(fault),
        }
    }

    fn tomorrow(&self) -> Option<Date> {
        self.today().next_day()
    }
}

#[cfg(test)]
mod tests;
