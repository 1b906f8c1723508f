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

/// The time that a query is compared with, and how many parts later its parts belong. Only what the
/// generator makes: with a grain the part before, without one a whole month before or a stated range.
pub fn before(query: &MetricQuery) -> Option<(Option<TimeRange>, i32)> {
    match (query.compare?, query.grain) {
        (Compare::With(Baseline::ShareOfTotal), _) => None,
        (Compare::With(Baseline::PreviousPeriod), Some(grain)) => {
            let range = query.time.map(|time| TimeRange {
                from: time.from.map(|from| later(grain, part(grain, from), -1)),
                to: time.to.map(|to| part(grain, to - Duration::DAY)),
            });
            Some((range, 1))
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
                0,
            ))
        }
        (Compare::Range(range), None) => Some((Some(range), 0)),
        other => panic!("{other:?}"),
    }
}
