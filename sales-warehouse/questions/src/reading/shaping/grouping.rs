//! Which dimensions a question breaks down by.

use super::{Ask, Shaper, grain_of};
use crate::reading::{
    lexicon::counts,
    parts::{Part, What},
    text::tokens,
    vocabulary::Role,
};

impl Shaper<'_> {
    /// Whether a dimension follows "by", itself or through "and".
    pub(super) fn is_grouped(&self, at: usize) -> bool {
        let mut at = at;
        while let Some(before) = at.checked_sub(1) {
            let part = &self.parts[before];
            if part.is(Role::By) || part.role().and_then(grain_of).is_some() && at > before + 1 {
                return true;
            }
            if part.role().and_then(grain_of).is_some() {
                return false;
            }
            if !part.is(Role::And) || before == 0 {
                return false;
            }
            // "For each channel, the campaign with the most leads": no list goes on with an article.
            if part.text == "," && ["la", "el", "the"].contains(&&*self.parts[at].lead) {
                return false;
            }
            let left = &self.parts[before - 1];
            if left.role().and_then(grain_of).is_some() {
                return true;
            }
            if !matches!(left.what, What::Dimension(_) | What::Either { .. }) {
                return false;
            }
            at = before - 1;
        }
        false
    }

    /// "Theme of the campaign", "campaign status": whose it is.
    pub(super) fn is_possessor(&self, at: usize) -> bool {
        let of = |place: usize| match self.parts.get(place).map(|part| &part.what) {
            Some(What::Dimension(dimension) | What::Either { dimension, .. }) => {
                Some(&self.lexicon.model.dimensions()[*dimension])
            }
            _ => None,
        };
        let Some(own) = of(at).filter(|own| own.entity) else {
            return false;
        };
        let owned = |place: Option<usize>| {
            place.and_then(of).is_some_and(|other| {
                other.name != own.name && other.column.dataset == own.column.dataset
            })
        };
        let linked =
            ["de", "del", "of", "la", "las", "the", "each"].contains(&&*self.parts[at].lead);
        linked && owned(at.checked_sub(1))
            || !self.parts[at].is_plural()
                && owned(Some(at + 1))
                && self.parts[at + 1].tokens.start == self.parts[at].tokens.end
    }

    /// Breakdowns, in the order asked; a rank within groups has the group first.
    pub(super) fn groups(&mut self) -> Result<(), Ask> {
        let places: Vec<usize> = (0..self.parts.len())
            .filter(|at| self.parts[*at].dimension().is_some() && !self.parts[*at].used)
            .collect();
        let grouped: Vec<usize> = places
            .iter()
            .copied()
            .filter(|at| self.is_grouped(*at))
            .collect();
        let others: Vec<usize> = places
            .into_iter()
            .filter(|at| !grouped.contains(at))
            .collect();
        for at in &grouped {
            self.parts[*at].used = true;
            if let Some(by) = at.checked_sub(1).filter(|by| self.parts[*by].is(Role::By)) {
                self.parts[by].used = true;
            }
        }
        let dimension = |shaper: &Self, at: usize| shaper.parts[at].dimension();
        let mut subjects = Vec::new();
        for at in others {
            let counted = self
                .before(at, |part| matches!(part.what, What::Members(_)))
                .is_some_and(|before| self.parts[before].is(Role::HowMany));
            if counted {
                // "How many products did we sell" counts pieces; "how many channels" would count channels.
                if !self
                    .parts
                    .iter()
                    .any(|part| part.metric().is_some() && self.is_sold(part))
                {
                    return Err(Ask::Members0(
                        self.parts[at].dimension().unwrap_or_default(),
                    ));
                }
                self.parts[at].used = true;
                continue;
            }
            if self.qualifies(at) || self.is_possessor(at) {
                self.parts[at].used = true;
                continue;
            }
            if self.is_subject(at, &subjects, !grouped.is_empty()) {
                self.parts[at].used = true;
                subjects.push(at);
            } else if self.is_plain(at) {
                self.parts[at].used = true;
            }
        }
        let ranks = self.has_rank();
        let group_dims: Vec<usize> = grouped
            .iter()
            .filter_map(|at| dimension(self, *at))
            .collect();
        let subject_dims: Vec<usize> = subjects
            .iter()
            .filter_map(|at| dimension(self, *at))
            .collect();
        if ranks && !subject_dims.is_empty() && !group_dims.is_empty() {
            if let [within] = group_dims[..]
                && let [subject] = subject_dims[..]
                && within != subject
            {
                self.within = Some(within);
                self.dimensions = vec![within, subject];
                return Ok(());
            }
            return Err(Ask::Unexplained(grouped));
        }
        // In the order said: "channels and their revenue by market".
        let mut places: Vec<usize> = grouped.into_iter().chain(subjects).collect();
        places.sort_unstable();
        for at in places {
            if let Some(found) = dimension(self, at)
                && !self.dimensions.contains(&found)
            {
                self.dimensions.push(found);
            }
        }
        for opposed in self.opposed.clone() {
            if !self.dimensions.contains(&opposed) {
                self.dimensions.push(opposed);
            }
        }
        Ok(())
    }

    /// "Leads by status" may mean the campaign's or the lead's own.
    pub(super) fn own_dimensions(&self) -> Result<(), Ask> {
        let model = &self.lexicon.model;
        for (at, part) in self.parts.iter().enumerate() {
            let Some(dimension) = part
                .dimension()
                .filter(|dimension| self.dimensions.contains(dimension))
            else {
                continue;
            };
            let apart = !self
                .metrics
                .iter()
                .any(|metric| counts(&model.metrics()[*metric], &model.dimensions()[dimension]));
            let own = model
                .dimensions()
                .iter()
                .enumerate()
                .find(|(other, named)| {
                    apart
                        && *other != dimension
                        && self
                            .metrics
                            .iter()
                            .any(|metric| counts(&model.metrics()[*metric], named))
                        && named.synonyms.iter().any(|synonym| {
                            let words = tokens(synonym);
                            let ends = [words.first(), words.last()];
                            words.len() > 1
                                && ends
                                    .into_iter()
                                    .flatten()
                                    .any(|word| word.text == part.text)
                        })
                });
            if let Some((own, _)) = own {
                return Err(Ask::Dimensions(at, vec![own, dimension]));
            }
        }
        Ok(())
    }

    /// Whether a metric was asked for by a form of "to sell".
    fn is_sold(&self, part: &Part) -> bool {
        part.text.split(' ').any(|word| {
            ["sell", "sold", "vend"]
                .iter()
                .any(|root| word.starts_with(root))
        })
    }

    /// "The LinkedIn channel", "mercado chileno": it only says what the member is.
    fn qualifies(&self, at: usize) -> bool {
        let Some(dimension) = self.parts[at].dimension() else {
            return false;
        };
        let member_of = |place: Option<usize>| match place
            .and_then(|place| self.parts.get(place))
            .map(|part| &part.what)
        {
            Some(What::Members(members)) => members
                .first()
                .map(|member| self.lexicon.members[*member].dimension),
            _ => None,
        };
        let beside = [
            at.checked_sub(1).and_then(|before| member_of(Some(before))),
            member_of(Some(at + 1)),
        ];
        if beside.contains(&Some(dimension)) {
            let asked = at
                .checked_sub(1)
                .is_some_and(|before| self.parts[before].is(Role::Which));
            return !asked;
        }
        // "The Latin American market" is a region.
        let singular =
            !self.parts[at].is_plural() && !self.lexicon.model.dimensions()[dimension].entity;
        let adjective = at.checked_sub(1).is_none_or(|before| {
            !self.parts[before].is(Role::Which)
                && !self.parts[before].role().is_some_and(Role::is_rank)
        });
        singular
            && adjective
            && beside.iter().any(Option::is_some)
            && !self.has_rank()
            && self.parts.iter().any(|part| part.metric().is_some())
    }

    /// What a list, a rank or a condition is about.
    fn is_subject(&self, at: usize, earlier: &[usize], grouped: bool) -> bool {
        let metric = |part: &Part| part.metric().is_some() || part.is(Role::Sold);
        let first_metric = self.parts.iter().position(metric);
        if self.has_rank() && !self.has(Role::Sorted) {
            // One thing ranks; a second would be something else.
            let asked = at.checked_sub(1).is_some_and(|before| {
                self.role(before)
                    .is_some_and(|role| role == Role::Which || role.is_rank())
                    || matches!(self.parts[before].what, What::Number(_))
            });
            let units = self
                .parts
                .iter()
                .any(|part| matches!(part.what, What::Unit(_)));
            return earlier.is_empty()
                && (asked || !units || first_metric.is_none_or(|metric| at < metric))
                && (!grouped || asked || self.parts[at].dimension().is_some());
        }
        if first_metric.is_none() && self.assumed.is_none() {
            return true;
        }
        let asked = self
            .before(at, |part| {
                matches!(part.what, What::Members(_) | What::Number(_)) || part.is(Role::All)
            })
            .is_some_and(|before| matches!(self.role(before), Some(Role::Which)));
        let conditional = !self.thresholds.is_empty();
        let leads = first_metric.is_none_or(|metric| at < metric) && !grouped;
        let all = at.checked_sub(1).is_some_and(|before| {
            self.parts[before].is(Role::All) && !across(&self.parts[before].lead)
        });
        if conditional && earlier.is_empty() && !grouped {
            return true;
        }
        (asked || leads || all)
            && (earlier.is_empty() || at > 0 && self.parts[at - 1].is(Role::And))
    }

    /// "The revenue of campaigns in Mexico": the noun adds nothing to the filter.
    fn is_plain(&self, at: usize) -> bool {
        let Some(dimension) = self.parts[at].dimension() else {
            return false;
        };
        let entity =
            self.lexicon.model.dimensions()[dimension].entity && self.parts[at].is_plural();
        let across = at.checked_sub(1).is_some_and(|before| {
            self.parts[before].is(Role::All) && across(&self.parts[before].lead)
        });
        entity || across
    }
}

fn across(lead: &str) -> bool {
    matches!(lead, "across" | "en" | "in" | "entre" | "over")
}
