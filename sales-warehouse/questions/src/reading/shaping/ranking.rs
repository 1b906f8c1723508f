//! Order and limit.

use super::{Ask, Shaper};
use crate::{
    query::Direction,
    reading::{
        parts::{Part, What},
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    /// Order and limit.
    pub(super) fn ranking(&mut self) -> Result<(), Ask> {
        let mut direction: Option<Direction> = None;
        let mut by: Option<usize> = None;
        let mut ranks: Vec<usize> = (0..self.parts.len())
            .filter(|at| {
                matches!(self.parts[*at].what, What::Ranked(..))
                    || self
                        .role(*at)
                        .is_some_and(|role| role.is_rank() || role == Role::Sorted)
            })
            .collect();
        if ranks.is_empty() && !self.dimensions.is_empty() {
            // "Spend by channel, highest to lowest": sorted, without the word. By time alone it could
            // be the days that go down.
            ranks.extend((0..self.parts.len()).filter(|at| self.directs(*at)));
        }
        if ranks.is_empty() {
            return Ok(());
        }
        if self.metrics.is_empty() {
            return Err(Ask::Measure);
        }
        // "Did LinkedIn bring more leads than email": a comparison, and no first one.
        if !self.opposed.is_empty()
            && self
                .dimensions
                .iter()
                .all(|dimension| self.opposed.contains(dimension))
        {
            for at in ranks {
                self.parts[at].used = true;
            }
            return Ok(());
        }
        for at in &ranks {
            self.parts[*at].used = true;
            let metric = self.ranked_by(*at);
            let lower = self.lexicon.model.metrics()[metric].lower_is_better();
            let found = match self.parts[*at].what {
                What::Ranked(_, true) | What::Role(Role::Top | Role::Highest) => {
                    Some(Direction::Desc)
                }
                What::Ranked(_, false) | What::Role(Role::Lowest) => Some(Direction::Asc),
                What::Role(Role::Best) => Some(if lower {
                    Direction::Asc
                } else {
                    Direction::Desc
                }),
                What::Role(Role::Worst) => Some(if lower {
                    Direction::Desc
                } else {
                    Direction::Asc
                }),
                _ => None,
            };
            let plain_top = self.parts[*at].is(Role::Top) && ranks.len() > 1;
            if plain_top || found.is_none() {
                by = by.or(Some(metric));
                continue;
            }
            if direction.is_some_and(|direction| Some(direction) != found)
                || by.is_some_and(|by| by != metric)
            {
                return Err(Ask::Unexplained(vec![*at]));
            }
            direction = found;
            by = Some(metric);
        }
        for at in 0..self.parts.len() {
            let stated = match self.role(at) {
                Some(Role::Ascending) => Direction::Asc,
                Some(Role::Descending) => Direction::Desc,
                _ => continue,
            };
            self.parts[at].used = true;
            direction = Some(stated);
        }
        let mut direction = direction.unwrap_or(Direction::Desc);
        if self.falls && self.compare.is_some() {
            direction = Direction::Asc;
        }
        let Some(by) = by else { return Ok(()) };
        self.order = Some((by, direction));
        self.rank_goods(by);
        let sorts = |at: &usize| self.parts[*at].is(Role::Sorted) || self.directs(*at);
        let sorted_only = ranks.iter().all(sorts);
        self.take_limit(&ranks, sorted_only);
        self.rank_units(sorted_only);
        if self.dimensions.is_empty() && self.grain.is_none() {
            // "The highest revenue" of nothing that has several.
            return Err(Ask::Unexplained(ranks));
        }
        if self.dimensions.is_empty() {
            self.limit = self.limit.or((!sorted_only).then_some(1));
        }
        Ok(())
    }

    fn directs(&self, at: usize) -> bool {
        matches!(self.role(at), Some(Role::Ascending | Role::Descending))
    }

    /// The metric nearest to a word that ranks; the one after "by" before all.
    fn ranked_by(&self, at: usize) -> usize {
        let asked = |place: usize| {
            self.parts[place]
                .metric()
                .filter(|metric| self.metrics.contains(metric))
        };
        let own = asked(at);
        let by = (1..self.parts.len()).find_map(|place| {
            let by = self.parts[place - 1].is(Role::By) || self.parts[place - 1].is(Role::Sorted);
            asked(place).filter(|_| by)
        });
        let right = (at + 1..self.parts.len().min(at + 5)).find_map(asked);
        let left = (at.saturating_sub(4)..at).rev().find_map(asked);
        own.or(by).or(right).or(left).unwrap_or(self.metrics[0])
    }

    /// "Top 5", "the five best", "5 countries with the highest"; else one for a singular, ten for a plural.
    fn take_limit(&mut self, ranks: &[usize], sorted_only: bool) {
        let numbers: Vec<usize> = (0..self.parts.len())
            .filter(|at| matches!(self.parts[*at].what, What::Number(_)) && !self.parts[*at].used)
            .collect();
        let near = numbers.iter().copied().find(|at| {
            let rank = ranks.iter().any(|rank| rank.abs_diff(*at) == 1);
            let subject = self.parts[at + 1..].iter().find(|part| {
                !matches!(part.what, What::Members(_)) && !part.role().is_some_and(Role::is_rank)
            });
            rank || subject.is_some_and(|part| {
                part.dimension().is_some() || matches!(part.what, What::Unit(_))
            })
        });
        if let Some(at) = near
            && let What::Number(quantity) = self.parts[at].what
            && quantity.value.fract() == 0.0
            && (1.0..=10_000.0).contains(&quantity.value)
            && !quantity.percent
            && !quantity.money
        {
            self.parts[at].used = true;
            self.limit = Some(quantity.value as u32);
            return;
        }
        if sorted_only {
            return;
        }
        let subject = self.dimensions.last().copied();
        let plural = self
            .parts
            .iter()
            .find(|part| part.dimension().is_some() && part.dimension() == subject)
            .or_else(|| {
                let goods = |part: &&Part| matches!(part.what, What::Ranked(..));
                self.parts.iter().find(goods)
            })
            .is_some_and(|part| part.is_plural() && !self.chooses_one());
        if subject.is_some() {
            self.limit = Some(if plural { 10 } else { 1 });
        }
    }

    /// "Which of our campaigns has": one of them.
    fn chooses_one(&self) -> bool {
        self.parts
            .iter()
            .any(|part| part.is(Role::Which) && part.singular)
    }

    /// "Our best sellers": products, where nothing else is said.
    fn rank_goods(&mut self, by: usize) {
        let ranked = |part: &Part| {
            matches!(part.what, What::Ranked(metric, _) if metric == by) && part.lead != "lo"
        };
        let units = |part: &Part| matches!(part.what, What::Unit(_));
        let goods = self.lexicon.metric_called("units sold") == Some(by);
        if goods
            && self.dimensions.is_empty()
            && self.grain.is_none()
            && self.parts.iter().any(ranked)
            && !self.parts.iter().any(units)
        {
            self.dimensions
                .extend(self.lexicon.dimension_called("product"));
        }
    }

    /// "Which week had the most": weeks rank.
    fn rank_units(&mut self, sorted_only: bool) {
        let unit = (0..self.parts.len()).find_map(|at| match self.parts[at].what {
            What::Unit(grain) => Some((at, grain)),
            _ => None,
        });
        let Some((at, grain)) = unit else { return };
        if !self.dimensions.is_empty() {
            return;
        }
        self.parts[at].used = true;
        self.grain = Some(grain);
        if self.limit.is_none() && !sorted_only {
            self.limit = Some(
                if self.parts[at].is_plural() && !self.parts[at].text.ends_with("mes") {
                    10
                } else {
                    1
                },
            );
        }
    }
}
