//! Times that run until today: "so far this year", "YTD", "en lo que va de año", "ever".

use super::{Expressions, Meaning, TimeSpan, calendar::Unit, periods::Period};

impl Expressions<'_> {
    /// "So far this year", "2026 to date", "YTD", "en lo que va de año".
    pub(super) fn to_date(&self, at: usize) -> Option<TimeSpan> {
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

    pub(super) fn always(&self, at: usize) -> Option<TimeSpan> {
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
}
