//! Periods by their own names: dates, months, quarters, weeks, holidays.

use super::*;

impl Periods<'_> {
    /// ISO, or with the day first; the month first where that is the only way.
    pub(super) fn numeric_date(&self, at: usize) -> Found {
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

    pub(super) fn numbered_month(&self, end: usize, month: i32, year: i32) -> Found {
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

    pub(super) fn day_of(&self, end: usize, month: u8, day: u8) -> Found {
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
    pub(super) fn dated(&self, end: usize, period: Period) -> (usize, Period) {
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

    pub(super) fn finished(&self, yearly: Yearly) -> Option<Span> {
        let year = self.today.year();
        (0..=8).find_map(|back| {
            yearly
                .in_year(year - back)
                .filter(|span| span.to <= self.today)
        })
    }

    /// Months, days, quarters, halves, weeks and holidays, with or without a year.
    pub(super) fn yearly(&self, at: usize) -> Found {
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
    pub(super) fn name(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
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

    pub(super) fn month_day(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
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
    pub(super) fn month_name(&self, at: usize) -> Option<u8> {
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
    pub(in crate::reading::time) fn bare_day(&self, at: usize) -> Option<(usize, u8)> {
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

    pub(super) fn quarter(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
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

    pub(super) fn numbered_week(&self, at: usize) -> Option<(usize, Option<Yearly>, Option<Unit>)> {
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
}
