//! Parts of time, and what a time is compared with.

use time::{Date, Duration, Month};

use super::CompileError;
use crate::query::{Baseline, Compare, Grain, MetricQuery, TimeRange};

/// The first and the last day of the warehouse's calendar, `core.dim_date`.
pub const CALENDAR: (Date, Date) = (
    time::macros::date!(2015 - 01 - 01),
    time::macros::date!(2035 - 12 - 31),
);

/// What a calendar makes of a [`Grain`].
pub(crate) trait CalendarPart {
    /// As `date_trunc` names it.
    fn unit(self) -> &'static str;
    /// From one to the next, as SQL writes it.
    fn step(self) -> &'static str;
    /// From one to the next.
    fn shift(self) -> Shift;
    /// The first day of the part that a day lies in.
    fn first_day(self, day: Date) -> Date;
}

impl CalendarPart for Grain {
    fn unit(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    fn step(self) -> &'static str {
        match self {
            Self::Day => "interval '1 day'",
            Self::Week => "interval '7 days'",
            Self::Month => "interval '1 month'",
            Self::Quarter => "interval '3 months'",
            Self::Year => "interval '1 year'",
        }
    }

    fn shift(self) -> Shift {
        match self {
            Self::Day => Shift::Days(1),
            Self::Week => Shift::Days(7),
            Self::Month => Shift::Months(1),
            Self::Quarter => Shift::Months(3),
            Self::Year => Shift::Months(12),
        }
    }

    fn first_day(self, day: Date) -> Date {
        let first = |month: Month| Date::from_calendar_date(day.year(), month, 1).unwrap_or(day);
        match self {
            Self::Day => day,
            Self::Week => {
                let since = Duration::days(i64::from(day.weekday().number_days_from_monday()));
                day.saturating_sub(since)
            }
            Self::Month => first(day.month()),
            Self::Quarter => first(match u8::from(day.month()) {
                1..=3 => Month::January,
                4..=6 => Month::April,
                7..=9 => Month::July,
                _ => Month::October,
            }),
            Self::Year => first(Month::January),
        }
    }
}

/// How far the time compared with lies back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    Months(i32),
    Days(i64),
}

impl Shift {
    /// As SQL. It holds a whole number and nothing else.
    pub fn sql(self) -> String {
        match self {
            Self::Months(months) => format!("interval '{months} months'"),
            Self::Days(days) => format!("interval '{days} days'"),
        }
    }

    /// The day so long before; the last of its month where that is shorter.
    pub fn before(self, day: Date) -> Date {
        match self {
            Self::Days(days) => day.saturating_sub(Duration::days(days)),
            Self::Months(months) => {
                let all = day.year() * 12 + i32::from(u8::from(day.month())) - 1 - months;
                let month = Month::try_from((all.rem_euclid(12) + 1) as u8);
                let (year, month) = (all.div_euclid(12), month.unwrap_or(Month::January));
                let days = day.day().min(month.length(year));
                Date::from_calendar_date(year, month, days).unwrap_or(day)
            }
        }
    }
}

/// What a query's time is held against: the other range, `None` for all time, and how far it lies back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    pub range: Option<TimeRange>,
    pub shift: Shift,
}

/// The days that a query's metrics are compared with; `None` without such a comparison.
pub fn compared_with(query: &MetricQuery) -> Option<TimeRange> {
    previous(query).ok().flatten().and_then(|one| one.range)
}

/// The same with how far it lies back.
pub fn previous(query: &MetricQuery) -> Result<Option<Previous>, CompileError> {
    let Some(compare) = query.compare else {
        return Ok(None);
    };
    let previous = match (compare, query.grain) {
        (Compare::With(Baseline::ShareOfTotal), _) => return Ok(None),
        (Compare::With(Baseline::PreviousPeriod), Some(grain)) => {
            let shift = grain.shift();
            // Each part against the whole part before it, however the range cuts the first and the last.
            let first = |day: Date| shift.before(grain.first_day(day));
            let range = query.time.map(|time| TimeRange {
                from: time.from.map(first),
                to: time
                    .to
                    .map(|to| grain.first_day(to.saturating_sub(Duration::DAY))),
            });
            Previous { range, shift }
        }
        (Compare::With(Baseline::PreviousYear), grain) => {
            let shift = match grain {
                // So that weeks stay weeks.
                Some(Grain::Week) => Shift::Days(364),
                _ => Shift::Months(12),
            };
            let time = match (query.time, grain) {
                (None, None) => {
                    return Err(CompileError::BadCompare(
                        "a year earlier than all time has no meaning; state a time",
                    ));
                }
                (time, _) => time,
            };
            let back = |day: Option<Date>| day.map(|day| shift.before(day));
            let range = time.map(|time| TimeRange {
                from: back(time.from),
                to: back(time.to),
            });
            Previous { range, shift }
        }
        (Compare::With(Baseline::PreviousPeriod), None) => {
            let (from, to) = stated(query.time)?;
            let shift = length(from, to);
            let range = TimeRange {
                from: Some(shift.before(from)),
                to: Some(from),
            };
            Previous {
                range: Some(range),
                shift,
            }
        }
        (Compare::Range(range), grain) => {
            let (from, _) = stated(query.time)?;
            let (other, _) = stated(Some(range))?;
            let shift = grain.map_or(Shift::Days(0), |grain| between(grain, other, from));
            Previous {
                range: Some(range),
                shift,
            }
        }
    };
    Ok(Some(previous))
}

fn stated(time: Option<TimeRange>) -> Result<(Date, Date), CompileError> {
    time.and_then(|time| time.from.zip(time.to))
        .ok_or(CompileError::BadCompare(
            "it needs a time with a first and a last day",
        ))
}

/// Whole months count as months, whatever their days.
fn length(from: Date, to: Date) -> Shift {
    if from.day() == 1 && to.day() == 1 {
        Shift::Months(months(from, to))
    } else {
        Shift::Days((to - from).whole_days())
    }
}

/// From the part that one day lies in to the part that another does.
fn between(grain: Grain, from: Date, to: Date) -> Shift {
    let (from, to) = (grain.first_day(from), grain.first_day(to));
    match grain {
        Grain::Day | Grain::Week => Shift::Days((to - from).whole_days()),
        Grain::Month | Grain::Quarter | Grain::Year => Shift::Months(months(from, to)),
    }
}

fn months(from: Date, to: Date) -> i32 {
    let all = |day: Date| day.year() * 12 + i32::from(u8::from(day.month()));
    all(to) - all(from)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn range(from: Date, to: Date) -> TimeRange {
        TimeRange {
            from: Some(from),
            to: Some(to),
        }
    }

    fn before(from: Date, to: Date, with: Baseline, grain: Option<Grain>) -> TimeRange {
        let query = MetricQuery {
            time: Some(range(from, to)),
            compare: Some(Compare::With(with)),
            grain,
            ..MetricQuery::default()
        };
        compared_with(&query).unwrap()
    }

    #[test]
    fn whole_months_are_held_against_whole_months() {
        let previous = |from, to| before(from, to, Baseline::PreviousPeriod, None);
        assert_eq!(
            previous(date!(2026 - 03 - 01), date!(2026 - 04 - 01)),
            range(date!(2026 - 02 - 01), date!(2026 - 03 - 01))
        );
        assert_eq!(
            previous(date!(2026 - 01 - 01), date!(2026 - 04 - 01)),
            range(date!(2025 - 10 - 01), date!(2026 - 01 - 01))
        );
        assert_eq!(
            previous(date!(2026 - 01 - 01), date!(2027 - 01 - 01)),
            range(date!(2025 - 01 - 01), date!(2026 - 01 - 01))
        );
        // Not whole: as many days.
        assert_eq!(
            previous(date!(2026 - 11 - 01), date!(2026 - 11 - 23)),
            range(date!(2026 - 10 - 10), date!(2026 - 11 - 01))
        );
        assert_eq!(
            previous(date!(2026 - 11 - 16), date!(2026 - 11 - 23)),
            range(date!(2026 - 11 - 09), date!(2026 - 11 - 16))
        );
    }

    #[test]
    fn a_year_earlier_minds_leap_days_and_weeks() {
        let earlier = |from, to, grain| before(from, to, Baseline::PreviousYear, grain);
        assert_eq!(
            earlier(date!(2024 - 02 - 29), date!(2024 - 03 - 01), None),
            range(date!(2023 - 02 - 28), date!(2023 - 03 - 01))
        );
        let week = earlier(
            date!(2026 - 11 - 16),
            date!(2026 - 11 - 23),
            Some(Grain::Week),
        );
        assert_eq!(week.from, Some(date!(2025 - 11 - 17)));
    }

    #[test]
    fn with_a_grain_each_part_is_held_against_the_whole_one_before() {
        let previous = before(
            date!(2026 - 01 - 15),
            date!(2026 - 11 - 23),
            Baseline::PreviousPeriod,
            Some(Grain::Month),
        );
        assert_eq!(
            previous,
            range(date!(2025 - 12 - 01), date!(2026 - 11 - 01))
        );
    }

    #[test]
    fn first_days() {
        let sunday = date!(2026 - 11 - 22);
        assert_eq!(Grain::Week.first_day(sunday), date!(2026 - 11 - 16));
        assert_eq!(Grain::Quarter.first_day(sunday), date!(2026 - 10 - 01));
        assert_eq!(Grain::Year.first_day(sunday), date!(2026 - 01 - 01));
        assert_eq!(
            Shift::Months(1).before(date!(2026 - 03 - 31)),
            date!(2026 - 02 - 28)
        );
    }
}
