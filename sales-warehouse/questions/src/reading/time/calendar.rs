//! Days, and the periods that a calendar has.

use time::{Date, Duration, Month, Weekday};

use crate::query::{Grain, TimeRange};

/// A calendar length that people name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    Week,
    Fortnight,
    Month,
    Quarter,
    Half,
    Year,
}

impl Unit {
    /// Months that it lasts, for those that do.
    pub fn months(self) -> Option<i32> {
        match self {
            Unit::Month => Some(1),
            Unit::Quarter => Some(3),
            Unit::Half => Some(6),
            Unit::Year => Some(12),
            Unit::Day | Unit::Week | Unit::Fortnight => None,
        }
    }

    /// The grain of the same length; halves and fortnights have none.
    pub fn grain(self) -> Option<Grain> {
        Some(match self {
            Unit::Day => Grain::Day,
            Unit::Week => Grain::Week,
            Unit::Month => Grain::Month,
            Unit::Quarter => Grain::Quarter,
            Unit::Year => Grain::Year,
            Unit::Fortnight | Unit::Half => return None,
        })
    }

    /// The whole unit that holds `day`.
    pub fn around(self, day: Date) -> Span {
        match self {
            Unit::Day => Span::day(day),
            Unit::Week => {
                let monday =
                    day - Duration::days(i64::from(day.weekday().number_days_from_monday()));
                Span {
                    from: monday,
                    to: monday + Duration::days(7),
                }
            }
            Unit::Fortnight => {
                let first = day
                    .replace_day(if day.day() <= 15 { 1 } else { 16 })
                    .unwrap_or(day);
                let to = if day.day() <= 15 {
                    first + Duration::days(15)
                } else {
                    add_months(first_of(day), 1)
                };
                Span { from: first, to }
            }
            Unit::Month | Unit::Quarter | Unit::Half | Unit::Year => {
                let length = self.months().unwrap_or(1);
                let month = i32::from(u8::from(day.month())) - 1;
                let from = add_months(first_of(day), -(month % length));
                Span {
                    from,
                    to: add_months(from, length),
                }
            }
        }
    }

    /// The whole unit `back` units before the one that holds `day`.
    pub fn before(self, day: Date, back: i64) -> Span {
        let this = self.around(day);
        match (self, self.months()) {
            (_, Some(months)) => {
                let from = add_months(this.from, -months.saturating_mul(small(back)));
                Span {
                    from,
                    to: add_months(from, months),
                }
            }
            (Unit::Day, _) => Span::day(days_before(day, back)),
            (Unit::Week, _) => {
                let from = days_before(this.from, back.saturating_mul(7));
                Span {
                    from,
                    to: days_before(from, -7),
                }
            }
            (_, None) => (0..back.clamp(0, 1_000)).fold(this, |span, _| {
                span.from
                    .previous_day()
                    .map_or(span, |day| self.around(day))
            }),
        }
    }

    /// The last `count` units up to and with `today`.
    pub fn rolling(self, today: Date, count: i64) -> Span {
        let to = days_before(today, -1);
        let from = match self.months() {
            Some(months) => add_months(to, -months.saturating_mul(small(count))),
            None => {
                let days = match self {
                    Unit::Week => 7,
                    Unit::Fortnight => 14,
                    _ => 1,
                };
                days_before(to, count.saturating_mul(days))
            }
        };
        Span { from, to }
    }
}

/// From the first day up to and without the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: Date,
    pub to: Date,
}

impl Span {
    pub fn day(day: Date) -> Self {
        Self {
            from: day,
            to: days_before(day, -1),
        }
    }

    pub fn range(self) -> TimeRange {
        TimeRange {
            from: Some(self.from),
            to: Some(self.to),
        }
    }
}

/// A period that comes back every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Yearly {
    Month(u8),
    /// From a day of a month to a day of it, both included.
    Days {
        month: u8,
        first: u8,
        last: u8,
    },
    Quarter(u8),
    Half(u8),
    /// ISO 8601 week.
    Week(u8),
    Holiday(Holiday),
}

impl Yearly {
    /// `None` where that year doesn't have it.
    pub fn in_year(self, year: i32) -> Option<Span> {
        if !(1900..=2200).contains(&year) {
            return None;
        }
        match self {
            Yearly::Month(month) => {
                let from = date(year, month, 1)?;
                Some(Span {
                    from,
                    to: add_months(from, 1),
                })
            }
            Yearly::Days { month, first, last } => {
                let from = date(year, month, first)?;
                let last = date(year, month, last)?;
                Some(Span {
                    from,
                    to: days_before(last, -1),
                })
            }
            Yearly::Quarter(quarter) if (1..=4).contains(&quarter) => {
                let from = date(year, quarter * 3 - 2, 1)?;
                Some(Span {
                    from,
                    to: add_months(from, 3),
                })
            }
            Yearly::Half(half) if (1..=2).contains(&half) => {
                let from = date(year, half * 6 - 5, 1)?;
                Some(Span {
                    from,
                    to: add_months(from, 6),
                })
            }
            Yearly::Quarter(_) | Yearly::Half(_) => None,
            Yearly::Week(week) => {
                let from = Date::from_iso_week_date(year, week, Weekday::Monday).ok()?;
                Some(Span {
                    from,
                    to: days_before(from, -7),
                })
            }
            Yearly::Holiday(holiday) => holiday.in_year(year),
        }
    }

    /// The latest that has begun by `today`.
    pub fn latest(self, today: Date) -> Option<Span> {
        // Eight years back there is a 29 February, whatever the century.
        (0..=8).find_map(|back| {
            self.in_year(today.year() - back)
                .filter(|span| span.from <= today)
        })
    }
}

/// A day, or a few, that shops live by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holiday {
    Fixed {
        month: u8,
        day: u8,
    },
    /// The fourth Thursday of November, and days after it.
    Thanksgiving {
        days_after: u8,
    },
    /// The Monday to Sunday of Black Friday.
    BlackFridayWeek,
    /// Black Friday to Sunday.
    BlackFridayWeekend,
    Easter {
        days_after: i8,
    },
    /// Palm Sunday to Easter Sunday.
    HolyWeek,
}

impl Holiday {
    fn in_year(self, year: i32) -> Option<Span> {
        let thanksgiving = || {
            let first = date(year, 11, 1)?;
            let to_thursday = (3 + 7 - i64::from(first.weekday().number_days_from_monday())) % 7;
            Some(days_before(first, -(to_thursday + 21)))
        };
        Some(match self {
            Holiday::Fixed { month, day } => Span::day(date(year, month, day)?),
            Holiday::Thanksgiving { days_after } => {
                Span::day(days_before(thanksgiving()?, -i64::from(days_after)))
            }
            Holiday::BlackFridayWeek => Unit::Week.around(thanksgiving()?),
            Holiday::BlackFridayWeekend => {
                let friday = days_before(thanksgiving()?, -1);
                Span {
                    from: friday,
                    to: days_before(friday, -3),
                }
            }
            Holiday::Easter { days_after } => {
                Span::day(days_before(easter(year)?, -i64::from(days_after)))
            }
            Holiday::HolyWeek => {
                let sunday = easter(year)?;
                Span {
                    from: days_before(sunday, 7),
                    to: days_before(sunday, -1),
                }
            }
        })
    }
}

/// Easter Sunday, by the anonymous Gregorian computus (Nature, 1876).
fn easter(year: i32) -> Option<Date> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    date(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

pub(crate) fn date(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// The same day `months` later; the month's last where it has no such day.
pub(crate) fn add_months(day: Date, months: i32) -> Date {
    let count = (day.year() * 12 + i32::from(u8::from(day.month())) - 1).saturating_add(months);
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) as u8 + 1);
    (1..=day.day())
        .rev()
        .find_map(|of_month| date(year, month, of_month))
        .unwrap_or(if months < 0 { Date::MIN } else { Date::MAX })
}

/// Saturating: nobody's data begins in the year -9999.
pub(crate) fn days_before(day: Date, days: i64) -> Date {
    let bounded = days.clamp(-4_000_000, 4_000_000);
    day.saturating_sub(Duration::days(bounded))
}

fn first_of(day: Date) -> Date {
    day.replace_day(1).unwrap_or(day)
}

fn small(count: i64) -> i32 {
    i32::try_from(count.clamp(-100_000, 100_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date as day;

    #[test]
    fn holidays_fall_where_almanacs_have_them() {
        let on = |holiday: Holiday, year| holiday.in_year(year).unwrap().from;
        assert_eq!(
            on(Holiday::Thanksgiving { days_after: 1 }, 2025),
            day!(2025 - 11 - 28)
        );
        assert_eq!(
            on(Holiday::Thanksgiving { days_after: 1 }, 2024),
            day!(2024 - 11 - 29)
        );
        assert_eq!(
            on(Holiday::Thanksgiving { days_after: 4 }, 2026),
            day!(2026 - 11 - 30)
        );
        for (year, sunday) in [
            (2024, day!(2024 - 03 - 31)),
            (2025, day!(2025 - 04 - 20)),
            (2026, day!(2026 - 04 - 05)),
            (2038, day!(2038 - 04 - 25)),
        ] {
            assert_eq!(easter(year), Some(sunday));
        }
    }

    #[test]
    fn rolling_windows_end_today() {
        let today = day!(2026 - 11 - 22);
        assert_eq!(
            Unit::Month.rolling(today, 3),
            Span {
                from: day!(2026 - 08 - 23),
                to: day!(2026 - 11 - 23)
            }
        );
        assert_eq!(
            Unit::Day.rolling(today, 30),
            Span {
                from: day!(2026 - 10 - 24),
                to: day!(2026 - 11 - 23)
            }
        );
    }

    #[test]
    fn far_away_days_saturate() {
        let today = day!(2026 - 11 - 22);
        assert!(Unit::Year.rolling(today, i64::MAX).from < today);
        assert!(Unit::Week.before(today, i64::MAX).from < today);
        assert!(Unit::Fortnight.before(today, i64::MAX).from < today);
    }
}
