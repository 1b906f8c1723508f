//! Times with one end: "since March", "before Q3", "hasta ayer".

use super::{BEGINNINGS, ENDINGS, Expressions, TimeSpan, calendar::days_before};

impl Expressions<'_> {
    pub(super) fn since(&self, at: usize) -> Option<TimeSpan> {
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
            let edge = self.edge(start, BEGINNINGS);
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

    pub(super) fn before(&self, at: usize) -> Option<TimeSpan> {
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

    pub(super) fn until(&self, at: usize) -> Option<TimeSpan> {
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
        let start = self.edge(start, ENDINGS);
        let (end, period) = self.container(start)?;
        Some(self.resolve(end, period, |span| (None, Some(span.to))))
    }

    pub(super) fn after(&self, at: usize) -> Option<TimeSpan> {
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
}
