//! Parts of longer periods, and days of the week.

use super::*;

impl Periods<'_> {
    /// "The week of 9 March".
    pub(super) fn week_of(&self, at: usize) -> Found {
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
    pub(super) fn contained(&self, at: usize) -> Option<(usize, Span)> {
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
    pub(super) fn part(&self, at: usize) -> Found {
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

    pub(super) fn on_weekday(&self, at: usize) -> Found {
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

    pub(super) fn weekend(&self, at: usize) -> Found {
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
    pub(super) fn vague(&self, at: usize) -> Found {
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
