//! Periods by how far they are from today.

use super::*;

impl Periods<'_> {
    /// "Last week", "este mes", "el trimestre anterior", "the year before last".
    pub(super) fn relative(&self, at: usize) -> Found {
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
    pub(super) fn rolling(&self, at: usize) -> Found {
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

    pub(super) fn count(&self, at: usize) -> Option<(i64, usize)> {
        if let Some(end) = self.phrase(at, &["couple of", "couple", "par de"]) {
            return Some((2, end));
        }
        numbers::count(self.tokens, at)
    }

    /// "Three weeks ago", "hace dos meses": where it begins and how long ago.
    pub(in crate::reading::time) fn ago(&self, at: usize) -> Option<(usize, Unit, i64)> {
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

    pub(super) fn units_ago(&self, at: usize) -> Found {
        let (end, unit, count) = self.ago(at)?;
        Some((end, self.of_unit(unit.before(self.today, count), unit)))
    }

    pub(super) fn near_day(&self, at: usize) -> Found {
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
}
