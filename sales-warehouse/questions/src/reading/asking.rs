//! From items to an outcome: one query where all is clear, else a question back with ways to go on.

mod clarifying;
mod several;
mod unmeasured;

use contracts::Language;
use time::Date;

use super::{
    Choice, Clarification, ClarifyReason, Evidence, Outcome, RefusalReason,
    lexicon::{Lexicon, Sense},
    linking::Item,
    parts::{What, parts},
    refusal, replying,
    shaping::{Ask, shape},
    text::Token,
};
use crate::MetricQuery;

/// Choices that a clarification offers at most.
const CHOICES: usize = 5;

pub(crate) struct Asker<'a> {
    pub lexicon: &'a Lexicon,
    pub tokens: &'a [Token],
    pub items: &'a [Item],
    pub today: Date,
    pub language: Language,
}

impl Asker<'_> {
    pub fn outcome(&self, evidence: &Evidence) -> Outcome {
        if let Some(outcome) = self.several() {
            return outcome;
        }
        match self.shape(self.items, &[], None) {
            Ok(query) => self.answered(query, evidence),
            Err(ask) => self.asked(ask, evidence),
        }
    }

    fn shape(
        &self,
        items: &[Item],
        picks: &[(usize, Sense)],
        assumed: Option<usize>,
    ) -> Result<MetricQuery, Ask> {
        let parts = parts(self.lexicon, self.tokens, items, picks);
        let said = items.first().zip(items.last());
        let said = said.map_or(0..0, |(first, last)| first.tokens.start..last.tokens.end);
        shape(
            self.lexicon,
            &self.tokens[said],
            parts
                .into_iter()
                .filter(|part| part.what != What::Break)
                .collect(),
            self.today,
            assumed,
        )
    }

    fn answered(&self, query: MetricQuery, evidence: &Evidence) -> Outcome {
        if evidence.notes.is_empty() || query == MetricQuery::default() {
            return self.decline(RefusalReason::OutOfScope);
        }
        Outcome::Answer(query)
    }

    fn decline(&self, reason: RefusalReason) -> Outcome {
        Outcome::Decline(refusal(self.language, reason))
    }

    fn clarify(&self, reason: ClarifyReason, what: &str, mut choices: Vec<Choice>) -> Outcome {
        choices.truncate(CHOICES);
        let question = replying::clarification(self.language, reason, what);
        Outcome::Clarify(Clarification {
            reason,
            question,
            choices,
        })
    }
}
