//! Questions without a metric: whether they are about sales at all, and which metrics would do.

use super::Asker;
use crate::reading::{
    Choice, ClarifyReason, Evidence, Outcome, RefusalReason,
    parts::{Part, What},
    vocabulary::Role,
};

/// What to offer where no measure was named, as far as the question can be asked of it.
const OFFERED: [&str; 9] = [
    "revenue",
    "roas",
    "leads",
    "clicks",
    "spend",
    "sales",
    "budget",
    "interactions",
    "reactions",
];

/// Items beyond which no choices are worked out.
const LONG: usize = 80;

impl Asker<'_> {
    /// Whether unexplained words leave next to nothing that is about sales.
    pub(super) fn is_foreign(&self, evidence: &Evidence, parts: &[Part], places: &[usize]) -> bool {
        let unknown = places
            .iter()
            .filter(|at| {
                parts
                    .get(**at)
                    .is_some_and(|part| part.what == What::Unknown)
            })
            .count();
        if unknown == 0 {
            return false;
        }
        let solid = parts
            .iter()
            .filter(|part| {
                part.metric().is_some()
                    || matches!(part.what, What::Either { .. } | What::Unclear(_))
            })
            .count();
        solid == 0 && !self.names_entity(parts) && (!evidence.dimension || unknown > 1)
            || unknown > 3 * (solid + 1)
    }

    fn names_entity(&self, parts: &[Part]) -> bool {
        parts
            .iter()
            .any(|part| matches!(part.what, What::Either { .. }))
    }

    /// Nothing says which metric: some that would do.
    pub(super) fn measure(&self, evidence: &Evidence, parts: &[Part]) -> Outcome {
        let unknown = parts
            .iter()
            .filter(|part| part.what == What::Unknown)
            .count();
        let about = evidence.dimension || evidence.metric;
        let vague = parts.iter().any(|part| {
            part.role().is_some_and(|role| {
                matches!(
                    role,
                    Role::Performance
                        | Role::HowMany
                        | Role::HowMuch
                        | Role::Sold
                        | Role::Growth
                        | Role::Fall
                        | Role::Trend
                ) || role.is_rank()
            }) || matches!(part.what, What::Time(_))
        });
        if (unknown > 0 && (!about || unknown > 1)) || !(about || vague) {
            return self.decline(RefusalReason::OutOfScope);
        }
        // A choice costs a reading: a text of hundreds of words is no question to choose from.
        let offered = if self.items.len() > LONG {
            &[][..]
        } else {
            &OFFERED[..]
        };
        let offered = offered
            .iter()
            .filter_map(|word| self.lexicon.metric_called(word));
        let choices = offered
            .filter_map(|metric| {
                let query = self.shape(self.items, &[], Some(metric)).ok()?;
                let label = self.lexicon.model.metrics()[metric]
                    .label(self.language)
                    .to_owned();
                Some(Choice {
                    label,
                    query: Some(query),
                })
            })
            .collect();
        self.clarify(ClarifyReason::MissingMeasure, "", choices)
    }
}
