//! Time expressions in Spanish and English, by the conventions of `semantic/README.md`.
//!
//! A period ([`periods`]) is a stretch of the calendar with a name: "Q3", "last week", "5 de enero". Ranges
//! ("from … to …") and one-sided times ("since …") are made of periods here.

pub(crate) mod calendar;
mod names;
mod periods;

use time::Date;

use super::text::Token;
use crate::query::TimeRange;
use calendar::{Span, Unit, days_before};
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

/// Whether a phrase is a holiday's name and no more.
pub(crate) fn is_holiday(phrase: &str) -> bool {
    names::HOLIDAYS.iter().any(|(name, _)| *name == phrase)
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

    fn since(&self, at: usize) -> Option<TimeSpan> {
        let opened = self.phrase(
            at,
            &[
                "a partir del",
                "a partir de",
                "starting from",
                "starting in",
                "starting on",
                "starting",
                "ever since",
                "since",
                "desde",
                "as of",
            ],
        );
        if let Some(start) = opened {
            let edge = self.edge(
                start,
                &[
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
                ],
            );
            if edge == start
                && let Some((end, unit, count)) = self.periods.ago(start)
            {
                let from = unit.rolling(self.today(), count).from;
                return Some(self.range(end, Some(days_before(from, 1)), self.tomorrow()));
            }
            let (end, period) = if edge > start {
                self.container(edge)?
            } else {
                self.period(start)?
            };
            let end = self.onward(end).unwrap_or(end);
            return Some(self.resolve(end, period, |span| (Some(span.from), self.tomorrow())));
        }
        let start = self.phrase(at, &["from", "de", "del"]).unwrap_or(at);
        let (end, period) = self.period(start)?;
        let end = self.onward(end)?;
        Some(self.resolve(end, period, |span| (Some(span.from), self.tomorrow())))
    }

    fn onward(&self, at: usize) -> Option<usize> {
        self.phrase(
            at,
            &[
                "onwards",
                "onward",
                "on up to today",
                "and later",
                "en adelante",
                "hasta hoy",
                "hasta ahora",
                "hasta la fecha",
                "until today",
                "until now",
                "to date",
                "to today",
                "to now",
                "till now",
                "till today",
                "up to now",
                "up to today",
                "a hoy",
                "y hasta hoy",
            ],
        )
    }

    fn before(&self, at: usize) -> Option<TimeSpan> {
        let start = self.phrase(
            at,
            &[
                "before",
                "prior to",
                "earlier than",
                "antes del",
                "antes de",
                "previo a",
                "previos a",
                "anterior a",
                "anteriores a",
                "anteriores al",
            ],
        )?;
        let start = self.edge(
            start,
            &[
                "beginning of",
                "start of",
                "principios de",
                "comienzos de",
                "inicio de",
            ],
        );
        let (end, period) = self.period(start)?;
        Some(self.resolve(end, period, |span| (None, Some(span.from))))
    }

    fn until(&self, at: usize) -> Option<TimeSpan> {
        let start = self.phrase(
            at,
            &[
                "up until",
                "up to",
                "until",
                "till",
                "through",
                "thru",
                "no later than",
                "hasta el final de",
                "hasta el final del",
                "hasta finales de",
                "hasta fines de",
                "hasta fin de",
                "hasta",
            ],
        )?;
        let start = self.edge(start, &["end of"]);
        let (end, period) = self.container(start)?;
        Some(self.resolve(end, period, |span| (None, Some(span.to))))
    }

    fn after(&self, at: usize) -> Option<TimeSpan> {
        let start = self.phrase(
            at,
            &[
                "after",
                "later than",
                "despues del",
                "despues de",
                "posteriores a",
                "posterior a",
                "tras",
            ],
        )?;
        let (end, period) = self.period(start)?;
        Some(self.resolve(end, period, |span| {
            (
                Some(span.to),
                self.tomorrow().filter(|tomorrow| *tomorrow > span.to),
            )
        }))
    }

    /// "From A to B", "between A and B", "A to B".
    fn between(&self, at: usize) -> Option<TimeSpan> {
        let opened = self.phrase(at, &["between", "entre", "from", "desde", "del", "de"]);
        let both = self.periods.is(at, &["between", "entre"]);
        let joints: &[&str] = if both {
            &["and", "y", "e", "to", "al", "a"]
        } else {
            &[
                "up until", "up to", "until", "till", "through", "thru", "to", "hasta", "al", "a",
            ]
        };
        let start = opened.unwrap_or(at);
        let start = self.edge(
            start,
            &[
                "beginning of",
                "start of",
                "principios de",
                "comienzos de",
                "inicio de",
            ],
        );
        let endpoint = |at: usize| -> Option<(usize, End)> {
            let whole = self
                .period(at)
                .map(|(end, period)| (end, End::Period(period)));
            let skip = at + usize::from(self.periods.is(at, ARTICLES));
            whole.or_else(|| {
                self.periods
                    .bare_day(skip)
                    .map(|(end, day)| (end, End::Day(day)))
            })
        };
        let (middle, first) = endpoint(start)?;
        let joint = match self.phrase(middle, joints) {
            Some(end) => end,
            // "2024-2025", "enero-marzo": nothing but a dash stands between.
            None if opened.is_none()
                && self.periods.tokens.get(middle).is_some_and(|t| t.joined) =>
            {
                middle
            }
            None => return None,
        };
        let joint = self.edge(joint, &["end of", "final de", "finales de", "fines de"]);
        let (end, last) = endpoint(joint)?;
        let end = if both { end } else { self.inclusive(end) };
        let range = self.endpoints(first, last)?;
        Some(match range {
            Ok((from, to)) if from < to => self.range(end, Some(from), Some(to)),
            Ok(_) => self.fault(end, TimeFault::Reversed),
            Err(fault) => self.fault(end, fault),
        })
    }

    fn inclusive(&self, at: usize) -> usize {
        self.phrase(
            at,
            &[
                "inclusive",
                "included",
                "incluido",
                "ambos incluidos",
                "both included",
            ],
        )
        .unwrap_or(at)
    }

    /// Each end lends the other the month or the year that only it states.
    fn endpoints(&self, first: End, last: End) -> Option<Result<(Date, Date), TimeFault>> {
        let (first, last) = match (first, last) {
            (End::Period(first), End::Period(last)) => (first, last),
            (End::Day(day), End::Period(last)) => (last.with_day(day)?, last),
            (End::Period(first), End::Day(day)) => (first, first.with_day(day)?),
            (End::Day(_), End::Day(_)) => return None,
        };
        let today = self.today();
        let spans = match (first.when, last.when) {
            (When::Fault(fault), _) | (_, When::Fault(fault)) => return Some(Err(fault)),
            (When::Fixed(first), When::Fixed(last)) => Some((first, last)),
            (When::Yearly(first), When::Fixed(last)) => {
                let year = days_before(last.to, 1).year();
                let same = first.in_year(year);
                let begins = same
                    .filter(|span| span.from < last.to)
                    .or_else(|| first.in_year(year - 1));
                begins.map(|first| (first, last))
            }
            (When::Fixed(first), When::Yearly(last)) => {
                let same = last.in_year(first.from.year());
                let ends = same
                    .filter(|span| span.to > first.from)
                    .or_else(|| last.in_year(first.from.year() + 1));
                ends.map(|last| (first, last))
            }
            (When::Yearly(first), When::Yearly(last)) => first.latest(today).and_then(|first| {
                let same = last
                    .in_year(first.from.year())
                    .filter(|span| span.to > first.from);
                let ends = same.or_else(|| last.in_year(first.from.year() + 1))?;
                Some((first, ends))
            }),
        };
        Some(spans.map_or(Err(TimeFault::Impossible), |(first, last)| {
            Ok((first.from, last.to))
        }))
    }

    /// "So far this year", "2026 to date", "YTD", "en lo que va de año".
    fn to_date(&self, at: usize) -> Option<TimeSpan> {
        let tomorrow = self.tomorrow();
        let so_far = |end: usize, period: Period| {
            self.resolve(end, period, |span| (Some(span.from), tomorrow))
        };
        let short = [
            ("ytd", Unit::Year),
            ("qtd", Unit::Quarter),
            ("mtd", Unit::Month),
            ("wtd", Unit::Week),
        ];
        if let Some((_, unit)) = short.iter().find(|(word, _)| self.periods.is(at, &[word])) {
            return Some(so_far(
                at + 1,
                self.periods.fixed(unit.around(self.today())),
            ));
        }
        if let Some(start) = self.phrase(
            at,
            &[
                "en lo que va de",
                "en lo que va del",
                "en lo que llevamos de",
                "en lo que llevamos del",
                "en lo que llevo de",
                "lo que va de",
                "lo que va del",
                "lo que llevamos de",
                "lo que llevamos del",
                "en lo corrido de",
                "en lo corrido del",
                "en lo transcurrido de",
                "en lo transcurrido del",
                "so far in",
                "so far",
                "acumulado del",
                "acumulado de",
                "up to now",
            ],
        ) {
            let (end, period) = self.container(start)?;
            return Some(so_far(end, period));
        }
        let (end, period) = self.container(at)?;
        let end = self.phrase(
            end,
            &[
                "up to now",
                "up to today",
                "so far",
                "to date",
                "to today",
                "until now",
                "until today",
                "hasta hoy",
                "hasta ahora",
                "hasta la fecha",
                "hasta el momento",
                "a la fecha",
            ],
        )?;
        Some(so_far(end, period))
    }

    fn alone(&self, at: usize) -> Option<TimeSpan> {
        let (end, period) = self.periods.period(at)?;
        Some(self.resolve(end, period, |span| (Some(span.from), Some(span.to))))
    }

    fn always(&self, at: usize) -> Option<TimeSpan> {
        let end = self.phrase(
            at,
            &[
                "of all time",
                "all time",
                "all times",
                "ever",
                "since the beginning",
                "since launch",
                "lifetime",
                "overall",
                "so far",
                "to date",
                "until now",
                "desde el principio",
                "desde siempre",
                "desde el inicio",
                "de siempre",
                "de todos los tiempos",
                "de la historia",
                "en toda la historia",
                "todo el tiempo",
                "hasta la fecha",
                "hasta hoy",
                "hasta ahora",
                "hasta el momento",
                "historically",
                "historicamente",
                "en total",
                "in total",
                "all together",
                "altogether",
            ],
        )?;
        Some(TimeSpan {
            end,
            meaning: Meaning::Always,
        })
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

enum End {
    Period(Period),
    /// "The 3rd", of a month that the other end states.
    Day(u8),
}

#[cfg(test)]
mod tests;
