//! Which metrics are asked for, and how they rank.

use super::{Ask, Shaper, grain_of};
use crate::{
    model::{Kind, Unit},
    reading::{
        lexicon::Lexicon,
        parts::{Part, What},
        vocabulary::Role,
    },
};

impl Shaper<'_> {
    /// "Campaigns": counted, or grouped by.
    pub(super) fn settle_either(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            let What::Either {
                metric,
                dimension,
                members,
            } = self.parts[at].what.clone()
            else {
                continue;
            };
            let sign = |at: usize| {
                matches!(
                    &*self.parts[at].text,
                    ">" | "<" | ">=" | "<=" | "≥" | "≤" | "="
                )
            };
            let number_before = |at: usize| {
                at >= 2
                    && !sign(at - 2)
                    && matches!(self.parts[at - 1].what, What::Number(_))
                    && self.role(at - 2).is_some_and(Role::is_comparison)
            };
            if number_before(at) {
                self.parts[at].what = What::Metric(metric);
                continue;
            }
            let counted = self.is_counted(at)?;
            if counted {
                self.parts[at].what = What::Metric(metric);
                self.count_members(at, metric);
            } else {
                self.parts[at].what = What::Dimension(dimension);
                if let Some(member) = members.first() {
                    let part = Part {
                        what: What::Members(vec![*member]),
                        ..self.parts[at].clone()
                    };
                    self.parts.insert(at + 1, part);
                }
            }
        }
        Ok(())
    }

    fn is_counted(&self, at: usize) -> Result<bool, Ask> {
        let described = |part: &Part| matches!(part.what, What::Members(_)) || part.is(Role::All);
        let before = self.before(at, described);
        let role = before.and_then(|before| self.role(before));
        if role == Some(Role::HowMany) {
            return Ok(true);
        }
        if role == Some(Role::By) || self.is_grouped(at) || self.is_possessor(at) {
            return Ok(false);
        }
        let others = self.parts.iter().enumerate().any(|(place, part)| {
            place != at
                && (part.metric().is_some()
                    || matches!(part.what, What::Unclear(_))
                    || part.is(Role::Sold))
        });
        if others || self.assumed.is_some() {
            // "Active campaigns, leads and spend by market" lists metrics.
            let listed = |place: Option<usize>, beyond: Option<usize>| {
                place.is_some_and(|place| self.role(place) == Some(Role::And))
                    && beyond
                        .and_then(|beyond| self.parts.get(beyond))
                        .is_some_and(|part| part.metric().is_some())
            };
            let ranked = self.has_rank()
                || !self
                    .parts
                    .iter()
                    .all(|part| !part.role().is_some_and(Role::is_comparison));
            return Ok(!ranked
                && (listed(
                    Some(at + 1).filter(|next| *next < self.parts.len()),
                    Some(at + 2),
                ) || listed(at.checked_sub(1), at.checked_sub(2)))
                && self.parts.windows(2).any(|pair| {
                    pair[0].is(Role::By) || pair[0].role().and_then(grain_of).is_some()
                }));
        }
        let dimensions = self
            .parts
            .iter()
            .enumerate()
            .any(|(place, part)| place != at && part.dimension().is_some());
        if self.has_rank() {
            // "Used most in campaigns": where, and not how many.
            let most = role.is_some_and(|role| matches!(role, Role::Highest | Role::Lowest))
                && !["in", "en", "for", "para", "by", "por"].contains(&&*self.parts[at].lead);
            return Ok(most && dimensions);
        }
        let measured = self.has(Role::By)
            || self.has_grain()
            || self.has(Role::Trend)
            || self.has(Role::Share)
            || self.has(Role::Growth)
            || self.has(Role::Fall)
            || self.has(Role::Change)
            || self.has(Role::Versus)
            || self.has(Role::PreviousYear)
            || self.has(Role::PreviousPeriod);
        if measured {
            return Ok(true);
        }
        if self.has(Role::Not) && dimensions {
            return Ok(true);
        }
        if self.has(Role::List) || self.has(Role::Which) {
            return Ok(false);
        }
        Err(Ask::CountOrList(at))
    }

    /// "How many campaigns are active": as "active campaigns", where that is a metric of its own.
    fn count_members(&mut self, at: usize, metric: usize) {
        let noun = self.parts[at]
            .text
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        for place in 0..self.parts.len() {
            if !matches!(self.parts[place].what, What::Members(_)) {
                continue;
            }
            let word = &self.parts[place].text;
            let named = self
                .lexicon
                .metric_called(&format!("{word} {noun}"))
                .or_else(|| self.lexicon.metric_called(&format!("{noun} {word}")));
            if let Some(named) = named.filter(|named| *named != metric) {
                self.parts[at].what = What::Metric(named);
                self.parts[place].what = What::Role(Role::Filler);
                return;
            }
        }
    }

    /// An average of what adds up is another number.
    pub(super) fn averages(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            // An average sale is an order's value; average sales are so many a day.
            if self.parts[at].text == "average sales"
                && let Some(sales) = self.lexicon.metric_called("sales")
            {
                return Err(Ask::Average(sales, self.first_grain()));
            }
            if !self.parts[at].is(Role::Average) || self.parts[at].used {
                continue;
            }
            let beside = [
                Some(at + 1),
                at.checked_sub(1),
                Some(at + 2),
                at.checked_sub(2),
            ];
            let metric = beside
                .into_iter()
                .flatten()
                .find_map(|place| self.parts.get(place).and_then(Part::metric))
                .or_else(|| self.parts.iter().find_map(Part::metric));
            let Some(metric) = metric else {
                return Err(Ask::Measure);
            };
            let found = &self.lexicon.model.metrics()[metric];
            let is_average = matches!(found.kind, Kind::Ratio | Kind::Average)
                || matches!(found.unit, Unit::Fraction | Unit::Ratio);
            if !is_average {
                return Err(Ask::Average(metric, self.first_grain()));
            }
            self.parts[at].used = true;
        }
        Ok(())
    }

    /// "What products do we sell": their names.
    fn lists_goods(&self) -> bool {
        let asked = |pair: &[Part]| {
            (pair[0].is(Role::Which) || pair[0].is(Role::List))
                && pair[1].dimension().is_some()
                && pair[1].is_plural()
        };
        let measured = |part: &Part| {
            matches!(
                part.what,
                What::Time(_) | What::Number(_) | What::Unit(_) | What::Ranked(..)
            ) || part.role().is_some_and(|role| {
                !role.is_light() || matches!(role, Role::HowMany | Role::HowMuch | Role::Trend)
            }) && !part.is(Role::Sold)
        };
        self.parts.windows(2).any(asked) && !self.parts.iter().any(measured)
    }

    /// "How much did X sell" is money, "how many" pieces, "sold most" either, by what is sold.
    pub(super) fn sold(&mut self) {
        let named = self.parts.iter().any(|part| part.metric().is_some());
        let listed = self.lists_goods();
        for at in 0..self.parts.len() {
            if !self.parts[at].is(Role::Sold) || self.parts[at].used {
                continue;
            }
            self.parts[at].used = true;
            if named || listed {
                continue;
            }
            let goods = ["product", "category"].map(|word| self.lexicon.dimension_called(word));
            let is_goods = |part: &Part| match &part.what {
                What::Dimension(dimension) => goods.contains(&Some(*dimension)),
                What::Members(members) => members.first().is_some_and(|member| {
                    goods.contains(&Some(self.lexicon.members[*member].dimension))
                }),
                _ => false,
            };
            let sells_goods = self.parts.iter().any(is_goods);
            let pieces = self.has(Role::HowMany)
                || (self.has_rank() && sells_goods && !self.has(Role::HowMuch));
            let called = if pieces {
                "units sold"
            } else {
                "cuanto vendimos"
            };
            if let Some(metric) = self.lexicon.metric_called(called)
                && (!self.has(Role::HowMany) || sells_goods)
            {
                self.parts[at].what = What::Metric(metric);
                self.parts[at].used = false;
            }
        }
    }

    /// The metrics asked for, in the order asked.
    pub(super) fn metrics(&mut self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            if let What::Unclear(metrics) = &self.parts[at].what {
                return Err(Ask::Metrics(at, metrics.clone()));
            }
        }
        // "How many meetings with enterprise customers": meetings are counted.
        let counted = self
            .parts
            .windows(2)
            .any(|pair| pair[0].is(Role::HowMany) && matches!(pair[1].what, What::Members(_)));
        if counted && let Some(metric) = self.counted_by_members() {
            self.metrics.push(metric);
        }
        for at in 0..self.parts.len() {
            let Some(metric) = self.parts[at].metric() else {
                continue;
            };
            let conditional =
                self.parts[at].used || self.is_population(at) || self.is_destination(at);
            if !conditional && self.is_governed(at) {
                return Err(Ask::Unexplained(vec![at]));
            }
            self.parts[at].used = true;
            if !conditional && !self.metrics.contains(&metric) {
                self.metrics.push(metric);
            }
        }
        if self.metrics.is_empty() {
            self.metrics = self.thresholds.clone();
        }
        if self.metrics.is_empty() {
            let metric = self
                .counted_by_members()
                .filter(|_| !self.has(Role::HowMuch) && !self.has(Role::List));
            self.metrics.extend(metric.or(self.assumed));
        }
        if !self.metrics.is_empty() {
            self.amounts();
            return self.per_metric();
        }
        if self.has(Role::HowMany) {
            return Err(self
                .dimensions
                .first()
                .map_or(Ask::Measure, |dimension| Ask::Members0(*dimension)));
        }
        let measured = self.has_rank()
            || self.compare.is_some()
            || self.has_grain()
            || self.has(Role::Trend)
            || self.has(Role::HowMuch)
            || self.has(Role::Performance)
            || self.has(Role::By)
            || !self.opposed.is_empty();
        // "What's our headcount" asks for a number; "which channels do we have" for names.
        let listed = self.has(Role::List)
            || self
                .parts
                .iter()
                .any(|part| part.dimension().is_some() && part.is_plural());
        if !listed {
            return Err(Ask::Measure);
        }
        if measured || self.dimensions.is_empty() || self.time.is_some() {
            return Err(Ask::Measure);
        }
        Ok(())
    }

    /// "Value" says nothing of money, and of deals something else than their number.
    fn amounts(&mut self) {
        let money = self
            .metrics
            .iter()
            .all(|metric| self.lexicon.model.metrics()[*metric].unit == Unit::Usd);
        for part in &mut self.parts {
            part.used |= money && part.is(Role::Amount);
        }
    }

    /// "By revenue" ranks; otherwise something per a metric is another metric.
    fn per_metric(&mut self) -> Result<(), Ask> {
        // "Channels by spend": there is nothing else to be by.
        let alone = self.metrics.len() == 1 && !self.dimensions.is_empty();
        let sorts = self.has_rank() || self.has(Role::Sorted) || alone;
        for at in 1..self.parts.len() {
            let by = self.parts[at - 1].is(Role::By);
            if by && self.parts[at].metric().is_some() && !sorts && self.opposed.is_empty() {
                return Err(Ask::Unexplained(vec![at]));
            }
        }
        Ok(())
    }

    /// "Leads converted into sales": where they end says nothing new.
    fn is_destination(&self, at: usize) -> bool {
        let into = ["to", "into", "en", "a"].contains(&&*self.parts[at].lead);
        let before = self.before(at, |part| part.is(Role::Filler));
        let metric = before.and_then(|before| self.parts[before].metric());
        into && metric.is_some() && metric == self.lexicon.metric_called("converted leads")
    }

    /// "Revenue from new customers": a part of the first metric that no metric is, and not both.
    fn is_governed(&self, at: usize) -> bool {
        let of = [
            "of", "from", "to", "de", "del", "los", "las", "our", "nuestros",
        ];
        // "Compare revenue to spend" names both.
        let both = self.has(Role::Compare) && self.parts[at].lead == "to";
        of.contains(&&*self.parts[at].lead)
            && !both
            && at > 0
            && self.parts[at - 1].metric().is_some_and(|before| {
                self.metrics.last() == Some(&before) && self.parts[at].metric() != Some(before)
            })
    }

    /// "The order value of British customers": whose it is, and no metric of its own.
    fn is_population(&self, at: usize) -> bool {
        let Some(metric) = self.parts[at].metric() else {
            return false;
        };
        let all = self.lexicon.model.metrics();
        let simple = !self.parts[at].text.contains(' ')
            && matches!(all[metric].kind, Kind::Count | Kind::CountDistinct);
        let Some(measured) = self.metrics.last().filter(|_| simple) else {
            return false;
        };
        let first = self
            .before(at, |part| matches!(part.what, What::Members(_)))
            .map_or(0, |before| before + 1);
        let of = [
            "of", "for", "from", "to", "by", "among", "with", "de", "del", "para", "a", "entre",
            "con", "los", "las", "our", "the", "nuestros",
        ];
        let related = self.parts[first..=at]
            .iter()
            .any(|part| of.contains(&&*part.lead));
        let listed = first > 0
            && (self.parts[first - 1].is(Role::And)
                || self.parts[first - 1].role().is_some_and(Role::is_rank)
                || self.parts[first - 1].is(Role::By));
        let customers = Some(metric) == self.lexicon.metric_called("customers")
            && self
                .lexicon
                .dimension_called("customer segment")
                .is_some_and(|dimension| {
                    let model = &self.lexicon.model;
                    model.reaches(&all[*measured].name, &model.dimensions()[dimension].name)
                });
        related && !listed && (customers || share_rows(self.lexicon, *measured, metric))
    }
}

/// Whether two metrics count the same rows.
fn share_rows(lexicon: &Lexicon, one: usize, other: usize) -> bool {
    let model = &lexicon.model;
    model.dimensions().iter().all(|dimension| {
        let metrics = [one, other]
            .map(|metric| model.reaches(&model.metrics()[metric].name, &dimension.name));
        metrics[0] == metrics[1]
    })
}
