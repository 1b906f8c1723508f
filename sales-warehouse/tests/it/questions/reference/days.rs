//! Days and parts of time, in the plainest way.

use sales_questions::{
    MetricQuery,
    query::{Baseline, Compare, Grain, TimeRange},
};
use time::{Date, Duration, Month, macros::format_description};

use super::Json;

pub fn day(value: &Json) -> Option<Date> {
    Date::parse(value.as_str()?, format_description!("[year]-[month]-[day]")).ok()
}

/// The first day of the part of time.
pub fn part(grain: Grain, day: Date) -> Date {
    let first = |month: u8| {
        Date::from_calendar_date(day.year(), Month::try_from(month).unwrap(), 1).unwrap()
    };
    let month = u8::from(day.month());
    match grain {
        Grain::Day => day,
        Grain::Week => day - Duration::days(i64::from(day.weekday().number_days_from_monday())),
        Grain::Month => first(month),
        Grain::Quarter => first((month - 1) / 3 * 3 + 1),
        Grain::Year => first(1),
    }
}

/// So many parts later; negative for earlier.
pub fn later(grain: Grain, day: Date, parts: i32) -> Date {
    let months = |count: i32| {
        let all = day.year() * 12 + i32::from(u8::from(day.month())) - 1 + count * parts;
        Date::from_calendar_date(
            all.div_euclid(12),
            Month::try_from((all.rem_euclid(12) + 1) as u8).unwrap(),
            1,
        )
        .unwrap()
    };
    match grain {
        _ if parts == 0 => day,
        Grain::Day => day + Duration::days(i64::from(parts)),
        Grain::Week => day + Duration::days(7 * i64::from(parts)),
        Grain::Month => months(1),
        Grain::Quarter => months(3),
        Grain::Year => months(12),
    }
}

/// How far what a query is compared with lies back.
#[derive(Clone, Copy)]
pub enum Back {
    /// Parts of this length.
    Parts(Grain, i32),
    /// A year, to the day.
    Year,
}

impl Back {
    /// Where a part is shown.
    pub fn shown(self, day: Date) -> Date {
        match self {
            Self::Parts(grain, parts) => later(grain, day, parts),
            Self::Year => year(day, 1),
        }
    }
}

/// The same day so many years later; the 28th where there is no 29th.
fn year(day: Date, years: i32) -> Date {
    let to = day.year() + years;
    day.replace_year(to)
        .unwrap_or_else(|_| Date::from_calendar_date(to, Month::February, 28).unwrap())
}

/// The time that a query is compared with, and how many parts later its parts belong. Only what the
/// generator makes: with a grain the part before, without one a whole month before or a stated range; or a year.
pub fn before(query: &MetricQuery) -> Option<(Option<TimeRange>, Back)> {
    match (query.compare?, query.grain) {
        (Compare::With(Baseline::ShareOfTotal), _) => None,
        (Compare::With(Baseline::PreviousPeriod), Some(grain)) => {
            let range = query.time.map(|time| TimeRange {
                from: time.from.map(|from| later(grain, part(grain, from), -1)),
                to: time.to.map(|to| part(grain, to - Duration::DAY)),
            });
            Some((range, Back::Parts(grain, 1)))
        }
        (Compare::With(Baseline::PreviousPeriod), None) => {
            let time = query.time.unwrap();
            let (from, to) = (time.from.unwrap(), time.to.unwrap());
            let months = (to.year() - from.year()) * 12 + i32::from(u8::from(to.month()))
                - i32::from(u8::from(from.month()));
            let earlier = if from.day() == 1 && to.day() == 1 {
                later(Grain::Month, from, -months)
            } else {
                from - (to - from)
            };
            Some((
                Some(TimeRange {
                    from: Some(earlier),
                    to: Some(from),
                }),
                Back::Parts(Grain::Day, 0),
            ))
        }
        (Compare::Range(range), None) => Some((Some(range), Back::Parts(Grain::Day, 0))),
        (Compare::With(Baseline::PreviousYear), grain) => {
            let back = match grain {
                Some(Grain::Week) => Back::Parts(Grain::Week, 52),
                Some(Grain::Month) => Back::Parts(Grain::Month, 12),
                Some(Grain::Quarter) => Back::Parts(Grain::Quarter, 4),
                Some(Grain::Year) => Back::Parts(Grain::Year, 1),
                Some(Grain::Day) => Back::Year,
                None => Back::Parts(Grain::Day, 0),
            };
            let earlier = |day: Date| match grain {
                Some(Grain::Week) => day - Duration::weeks(52),
                _ => year(day, -1),
            };
            let range = query.time.map(|time| TimeRange {
                from: time.from.map(earlier),
                to: time.to.map(earlier),
            });
            Some((range, back))
        }
        other => panic!("{other:?}"),
    }
}
