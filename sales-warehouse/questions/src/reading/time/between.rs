//! Times with two ends: "from A to B", "between A and B", "enero-marzo".

use time::Date;

use super::{
    ARTICLES, BEGINNINGS, ENDINGS, Expressions, TimeFault, TimeSpan,
    calendar::days_before,
    periods::{Period, When},
};

impl Expressions<'_> {
    /// "From A to B", "between A and B", "A to B".
    pub(super) fn between(&self, at: usize) -> Option<TimeSpan> {
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
        let start = self.edge(start, BEGINNINGS);
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
        let joint = self.edge(joint, ENDINGS);
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
}

enum End {
    Period(Period),
    /// "The 3rd", of a month that the other end states.
    Day(u8),
}
