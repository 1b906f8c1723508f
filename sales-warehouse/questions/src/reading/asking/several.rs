//! Questions that stand side by side: one query if only their metrics differ, else one to choose.

use super::Asker;
use crate::{
    MetricQuery,
    reading::{
        Choice, ClarifyReason, Outcome, lexicon::Sense, linking::Item, text::Kind, vocabulary::Role,
    },
};

impl Asker<'_> {
    /// Questions that stand side by side: one query if only their metrics differ.
    pub(super) fn several(&self) -> Option<Outcome> {
        let ends = self.ends();
        if ends.is_empty() {
            return None;
        }
        // A question that has ended does not take its filters and time from the next.
        let stopped = ends.iter().any(|end| self.stops(&self.items[end - 1]));
        let mut segments: Vec<&[Item]> = Vec::new();
        let mut start = 0;
        for end in ends.into_iter().chain([self.items.len()]) {
            segments.push(&self.items[start..end]);
            start = end;
        }
        let mut queries = Vec::new();
        let mut labels = Vec::new();
        for segment in segments {
            let measured = segment.iter().any(|item| {
                item.senses.iter().any(|sense| {
                    matches!(
                        sense,
                        Sense::Metric(_) | Sense::Ranked(..) | Sense::Dimension(_)
                    )
                })
            });
            if !measured {
                // What it says is about the others: left out, they would be answered without it.
                if segment.iter().any(|item| self.says_something(item)) {
                    return None;
                }
                continue;
            }
            // One that needs the other to be understood is no question of its own.
            let Ok(query) = self.shape(segment, &[], None) else {
                return None;
            };
            labels.push(self.text(segment));
            queries.push(query);
        }
        if queries.len() < 2 {
            return None;
        }
        if let Some(one) = unite(&queries, stopped) {
            return Some(Outcome::Answer(one));
        }
        let choices = labels
            .into_iter()
            .zip(queries)
            .map(|(label, query)| Choice {
                label,
                query: Some(query),
            })
            .collect();
        Some(self.clarify(ClarifyReason::TwoQuestions, "", choices))
    }

    /// Whether a question is at its end.
    fn stops(&self, item: &Item) -> bool {
        self.tokens[item.tokens.start].is(&["?", ";", ".", "!"])
    }

    /// Whether it is more than a mark or a word that can be left out.
    fn says_something(&self, item: &Item) -> bool {
        let mark = self.tokens[item.tokens.clone()]
            .iter()
            .all(|token| token.kind == Kind::Mark);
        let light = item
            .senses
            .iter()
            .any(|sense| matches!(sense, Sense::Role(role) if role.is_light()));
        !mark && !light
    }

    /// Where a further question begins.
    fn ends(&self) -> Vec<usize> {
        let asks = |item: &Item| {
            [Role::Which, Role::HowMany, Role::HowMuch, Role::List]
                .iter()
                .any(|role| item.has(*role))
        };
        let solid = |item: &&Item| !item.has(Role::Filler);
        let mut ends = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            let stop = self.stops(item);
            let and = item.has(Role::And) || item.has(Role::Or);
            let next = self.items[at + 1..].iter().find(solid);
            let further = next.is_some_and(|next| stop || asks(next));
            let begun = self.items[..at].iter().any(|item| solid(&item));
            if begun && further && (stop || and) {
                ends.push(at + 1);
            }
        }
        ends
    }

    fn text(&self, items: &[Item]) -> String {
        let words: Vec<&str> = items
            .iter()
            .flat_map(|item| &self.tokens[item.tokens.clone()])
            .filter(|token| token.kind != Kind::Mark)
            .map(|token| &*token.text)
            .collect();
        words.join(" ")
    }
}

/// One query for all, where they differ in nothing but metrics and, unless one has ended before the next, in what only
/// the last one says.
fn unite(queries: &[MetricQuery], stopped: bool) -> Option<MetricQuery> {
    let last = queries.last()?;
    let mut metrics: Vec<String> = Vec::new();
    for query in queries {
        let same = MetricQuery {
            metrics: last.metrics.clone(),
            ..query.clone()
        } == *last;
        let bare = MetricQuery {
            metrics: Vec::new(),
            ..query.clone()
        } == MetricQuery::default();
        if query.limit.is_some() || query.metrics.is_empty() || !(same || bare && !stopped) {
            return None;
        }
        metrics.extend(
            query
                .metrics
                .iter()
                .filter(|metric| !metrics.contains(metric))
                .cloned()
                .collect::<Vec<_>>(),
        );
    }
    Some(MetricQuery {
        metrics,
        ..last.clone()
    })
}
