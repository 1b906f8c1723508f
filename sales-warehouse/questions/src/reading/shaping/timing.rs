//! The time of a question, and its grain.

use super::{Ask, Shaper, grain_of};
use crate::{
    query::{Baseline, Compare, Grain, TimeRange},
    reading::{
        parts::{Part, What},
        time::{
            Meaning, TimeFault,
            calendar::{Unit, days_before},
            is_holiday,
        },
        vocabulary::Role,
    },
};

/// Words that a time has and a theme has not.
const BEFORE_TIMES: [&str; 11] = [
    "on", "during", "in", "en", "durante", "el", "since", "desde", "vs", "for", "last",
];

impl Shaper<'_> {
    /// Times or themes first, then faults.
    pub(super) fn settle_times(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            let What::TimeOr(meaning, members) = self.parts[at].what.clone() else {
                continue;
            };
            let entity = |at: Option<usize>| {
                at.and_then(|at| self.parts.get(at)).is_some_and(|part| {
                    matches!(part.what, What::Either { .. } | What::Dimension(_))
                })
            };
            let themed = entity(at.checked_sub(1)) || entity(Some(at + 1));
            let timed = BEFORE_TIMES.contains(&&*self.parts[at].lead);
            self.parts[at].what = match (themed, timed) {
                (true, _) => What::Members(members),
                (false, true) => What::Time(meaning),
                (false, false) => return Err(Ask::TimeOrMember(at, members)),
            };
        }
        for at in 0..self.parts.len() {
            // "Christmas campaigns" are about it, and run when they like.
            let entity = |at: Option<usize>| {
                at.and_then(|at| self.parts.get(at)).is_some_and(|part| {
                    matches!(part.what, What::Either { .. } | What::Dimension(_))
                })
            };
            let of = ["de", "of", "for", "para"].contains(&&*self.parts[at].lead);
            let follows = self
                .parts
                .get(at + 1)
                .is_some_and(|next| next.tokens.start == self.parts[at].tokens.end);
            let themed = of && entity(at.checked_sub(1)) || follows && entity(Some(at + 1));
            if matches!(self.parts[at].what, What::Time(_))
                && themed
                && is_holiday(&self.parts[at].text)
            {
                return Err(Ask::Time(TimeFault::Vague));
            }
            // "The month of August": the unit says nothing more.
            if let (Some(What::Unit(grain)), What::Time(Meaning::Range(_, unit))) = (
                at.checked_sub(1)
                    .map(|before| self.parts[before].what.clone()),
                &self.parts[at].what,
            ) && unit.and_then(Unit::grain) == Some(grain)
            {
                self.parts[at - 1].what = What::Role(Role::Filler);
            }
            match self.parts[at].what {
                What::Time(Meaning::Fault(fault)) => return Err(Ask::Time(fault)),
                What::Time(Meaning::Always) => self.parts[at].used = true,
                _ => {}
            }
        }
        Ok(())
    }

    /// Times that nothing has used yet: at most one stretch may be left.
    pub(super) fn take_time(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            let What::Time(Meaning::Range(range, _)) = self.parts[at].what else {
                continue;
            };
            if self.parts[at].used {
                continue;
            }
            self.parts[at].used = true;
            self.time = Some(match self.time {
                None => range,
                Some(time) if time == range => time,
                Some(time) => match meet(time, range) {
                    Some(both) => both,
                    // "Compare 2025 and 2026."
                    None if self.has(Role::Compare) && self.compare.is_none() => {
                        self.compare = Some(Compare::Range(range));
                        time
                    }
                    None => return Err(Ask::TwoTimes),
                },
            });
        }
        Ok(())
    }

    /// What a question is held against, if it says so.
    pub(super) fn comparisons(&mut self) -> Result<(), Ask> {
        self.differences();
        for at in 0..self.parts.len() {
            if self.parts[at].is(Role::Versus) && !self.parts[at].used {
                self.versus(at)?;
            }
        }
        self.take_time()?;
        for at in 0..self.parts.len() {
            let baseline = match self.role(at) {
                Some(Role::PreviousPeriod) => Baseline::PreviousPeriod,
                Some(Role::PreviousYear) => Baseline::PreviousYear,
                _ => continue,
            };
            if !self.parts[at].used {
                self.parts[at].used = true;
                self.compare.get_or_insert(Compare::With(baseline));
            }
        }
        self.growth()
    }

    /// "The difference between LinkedIn and search": the two beside each other, and no change in time.
    fn differences(&mut self) {
        let between =
            |pair: &[Part]| pair[0].is(Role::Between) && matches!(pair[1].what, What::Members(_));
        if !self.parts.windows(2).any(between) {
            return;
        }
        for part in &mut self.parts {
            let differs = ["differ", "diferen"]
                .iter()
                .any(|root| part.text.starts_with(root));
            if differs && part.is(Role::Change) {
                part.what = What::Role(Role::Compare);
            }
        }
    }

    fn versus(&mut self, at: usize) -> Result<(), Ask> {
        self.parts[at].used = true;
        let mut next = at + 1;
        // "Against the 30 before": the number says no more than the time does.
        if self
            .parts
            .get(next)
            .is_some_and(|part| matches!(part.what, What::Number(_)))
            && matches!(self.role(next + 1), Some(Role::PreviousPeriod))
        {
            self.parts[next].used = true;
            next += 1;
        }
        let Some(part) = self.parts.get(next) else {
            return self.before_is_opposed(at);
        };
        match part.what {
            What::Role(Role::PreviousPeriod) => {
                self.parts[next].used = true;
                let year = self.stated_unit(next) == Some(Unit::Year);
                self.compare = Some(Compare::With(if year {
                    Baseline::PreviousYear
                } else {
                    Baseline::PreviousPeriod
                }));
                Ok(())
            }
            What::Role(Role::PreviousYear) => {
                self.parts[next].used = true;
                self.compare = Some(Compare::With(Baseline::PreviousYear));
                Ok(())
            }
            What::Time(Meaning::Range(range, unit)) => self.versus_time(next, range, unit),
            What::Members(ref members) => {
                let dimension = |member: &usize| self.lexicon.members[*member].dimension;
                let of = members.first().map(dimension);
                let other = self.parts.iter().enumerate().any(|(place, part)| {
                    place != next
                        && matches!(&part.what, What::Members(others)
                            if others.first().map(dimension) == of)
                });
                if other { Ok(()) } else { Err(Ask::Comparison) }
            }
            What::Metric(_) => Ok(()),
            _ => self.before_is_opposed(at),
        }
    }

    /// "Spain against": only what stands before can make sense of it.
    fn before_is_opposed(&self, at: usize) -> Result<(), Ask> {
        let members = self
            .parts
            .iter()
            .filter(|part| matches!(part.what, What::Members(_)))
            .count();
        if members >= 2 && at > 0 {
            Ok(())
        } else {
            Err(Ask::Comparison)
        }
    }

    fn stated_unit(&self, but: usize) -> Option<Unit> {
        self.parts
            .iter()
            .enumerate()
            .find_map(|(at, part)| match part.what {
                What::Time(Meaning::Range(_, unit)) if at != but => unit,
                _ => None,
            })
    }

    fn versus_time(&mut self, at: usize, other: TimeRange, unit: Option<Unit>) -> Result<(), Ask> {
        self.parts[at].used = true;
        let text = &self.parts[at].text;
        let says = |words: &[&str]| text.split(' ').any(|word| words.contains(&word));
        let before = says(&[
            "previous",
            "prior",
            "preceding",
            "anterior",
            "anteriores",
            "previo",
            "previa",
            "previos",
            "before",
        ]);
        let relative = before
            || says(&[
                "last",
                "past",
                "pasado",
                "pasada",
                "pasados",
                "pasadas",
                "ultimo",
                "ultima",
                "ago",
                "hace",
                "ayer",
                "yesterday",
            ]);
        let stated = self
            .parts
            .iter()
            .enumerate()
            .find_map(|(place, part)| match part.what {
                What::Time(Meaning::Range(range, unit)) if place != at => Some((range, unit)),
                _ => None,
            });
        let baseline = |unit: Unit| {
            if unit == Unit::Year {
                Baseline::PreviousYear
            } else {
                Baseline::PreviousPeriod
            }
        };
        let Some((asked, asked_unit)) = stated else {
            // "Against last month", of nothing: of this month.
            let unit = unit
                .filter(|unit| relative && unit.before(self.today, 1).range() == other)
                .ok_or(Ask::Comparison)?;
            self.time = Some(unit.around(self.today).range());
            self.compare = Some(Compare::With(baseline(unit)));
            return Ok(());
        };
        let just_before = match (asked_unit, unit) {
            (Some(asked_unit), Some(unit)) if asked_unit == unit => {
                let from = asked.from.map(|from| unit.before(from, 1).range());
                before || (relative && from == Some(other))
            }
            (None, _) => before && (other == asked || ends_at(other, asked)),
            _ => false,
        };
        let year_before = unit == Some(Unit::Year)
            && asked_unit != Some(Unit::Year)
            && relative
            && asked.to.map(|to| days_before(to, 1).year() - 1)
                == other.from.map(|from| from.year());
        self.compare = Some(if year_before {
            Compare::With(Baseline::PreviousYear)
        } else if just_before {
            Compare::With(unit.map_or(Baseline::PreviousPeriod, baseline))
        } else {
            Compare::Range(other)
        });
        Ok(())
    }

    /// Rows by time.
    pub(super) fn grains(&mut self) {
        let mut grain = None;
        for at in 0..self.parts.len() {
            // "By country and quarter": the unit goes on with the list.
            let listed = match self.parts[at].what {
                What::Unit(unit) if !self.parts[at].used && self.is_grouped(at) => Some(unit),
                _ => None,
            };
            let Some(found) = self.role(at).and_then(grain_of).or(listed) else {
                continue;
            };
            if grain.is_none_or(|grain| grain == found) {
                grain = Some(found);
                self.parts[at].used = true;
            }
        }
        // Rows by time have no first five.
        if let Some(grain) = grain
            && (self.limit.is_none() || self.grain.is_some())
        {
            self.grain = Some(grain);
        } else if grain.is_some() {
            for at in 0..self.parts.len() {
                if self.role(at).and_then(grain_of).is_some() {
                    self.parts[at].used = false;
                }
            }
        }
        let compared = self.compare == Some(Compare::With(Baseline::PreviousPeriod));
        if compared && self.limit.is_none() && self.grain.is_none() {
            self.grain = self.step_by_step();
        }
        let trend = self.has(Role::Trend)
            && self.compare.is_none()
            && self.limit.is_none()
            && !self.metrics.is_empty();
        if trend && self.grain.is_none() {
            self.grain = Some(Grain::Month);
        }
    }

    /// "Quarter over quarter this year": of a time that is longer than the unit, each one is held
    /// against the one before it.
    fn step_by_step(&self) -> Option<Grain> {
        let (from, to) = self.time.and_then(|time| time.from.zip(time.to))?;
        let unit = self.parts.iter().find_map(|part| match part.what {
            What::Role(Role::PreviousPeriod) => unit_of_steps(&part.text),
            _ => None,
        })?;
        (unit.around(from).to < to).then(|| unit.grain())?
    }
}

/// Of "month over month", "intermensual", "qoq"; "the month before" names a period, not steps.
fn unit_of_steps(text: &str) -> Option<Unit> {
    const STEPS: [(Unit, &[&str]); 4] = [
        (Unit::Day, &["day over day"]),
        (
            Unit::Week,
            &[
                "week over week",
                "week on week",
                "wow",
                "intersemanal",
                "semana contra semana",
                "semana sobre semana",
            ],
        ),
        (
            Unit::Month,
            &[
                "month over month",
                "month on month",
                "mom",
                "m/m",
                "intermensual",
                "mes contra mes",
                "mes sobre mes",
            ],
        ),
        (
            Unit::Quarter,
            &[
                "quarter over quarter",
                "quarter on quarter",
                "qoq",
                "intertrimestral",
                "trimestre contra trimestre",
                "trimestre sobre trimestre",
            ],
        ),
    ];
    let said = |(_, phrases): &&(Unit, &[&str])| phrases.contains(&text);
    STEPS.iter().find(said).map(|(unit, _)| *unit)
}

/// The days that both ranges hold, where each states another end.
fn meet(one: TimeRange, other: TimeRange) -> Option<TimeRange> {
    let open = |range: TimeRange| range.from.is_none() || range.to.is_none();
    if !(open(one) || open(other)) {
        return None;
    }
    let from = one.from.max(other.from);
    let to = match (one.to, other.to) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let some = from.zip(to).is_none_or(|(from, to)| from < to);
    some.then_some(TimeRange { from, to })
}

fn ends_at(one: TimeRange, other: TimeRange) -> bool {
    one.to.is_some() && one.to == other.from
}
