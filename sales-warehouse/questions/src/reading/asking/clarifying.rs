//! What each thing that is unclear comes to: a question back with its choices, or a refusal.

use super::{Asker, CHOICES};
use crate::{
    MetricQuery,
    reading::{
        Choice, ClarifyReason, Evidence, Outcome, RefusalReason,
        lexicon::Sense,
        linking::Item,
        parts::{Part, What, parts},
        replying,
        shaping::Ask,
        time::TimeFault,
        vocabulary::Role,
    },
};

impl Asker<'_> {
    pub(super) fn asked(&self, ask: Ask, evidence: &Evidence) -> Outcome {
        let parts = parts(self.lexicon, self.tokens, self.items, &[]);
        let parts: Vec<Part> = parts
            .into_iter()
            .filter(|part| part.what != What::Break)
            .collect();
        let text = |at: usize| {
            parts
                .get(at)
                .map_or(String::new(), |part| part.text.clone())
        };
        let start = |at: usize| parts.get(at).map_or(0, |part| part.tokens.start);
        match ask {
            Ask::Person => self.decline(RefusalReason::PersonalData),
            Ask::Picture => self.decline(RefusalReason::Images),
            Ask::Measure => self.measure(evidence, &parts),
            Ask::Unexplained(places) | Ask::Name(_, places)
                if self.is_foreign(evidence, &parts, &places) =>
            {
                self.decline(RefusalReason::OutOfScope)
            }
            Ask::Metrics(at, metrics) => {
                let choices = metrics
                    .iter()
                    .map(|metric| self.pick(start(at), Sense::Metric(*metric)))
                    .collect();
                self.clarify(ClarifyReason::AmbiguousWord, &text(at), choices)
            }
            Ask::Members(at, members) => {
                let one = members.iter().all(|member| {
                    self.lexicon.members[*member].dimension
                        == self.lexicon.members[members[0]].dimension
                });
                let reason = if one {
                    ClarifyReason::SeveralNames
                } else {
                    ClarifyReason::AmbiguousWord
                };
                let choices = members
                    .iter()
                    .take(CHOICES)
                    .map(|member| self.pick(start(at), Sense::Member(*member)))
                    .collect();
                self.clarify(reason, &text(at), choices)
            }
            Ask::Dimensions(at, dimensions) => {
                let choices = dimensions
                    .iter()
                    .map(|dimension| self.pick(start(at), Sense::Dimension(*dimension)))
                    .collect();
                self.clarify(ClarifyReason::AmbiguousWord, &text(at), choices)
            }
            Ask::TimeOrMember(at, members) => {
                let mut choices: Vec<Choice> = members
                    .iter()
                    .map(|member| self.pick(start(at), Sense::Member(*member)))
                    .collect();
                let dated = self.items.iter().cloned().map(|item| {
                    let senses = if item.tokens.start == start(at) {
                        Vec::new()
                    } else {
                        item.senses
                    };
                    Item { senses, ..item }
                });
                let query = self.shape(&dated.collect::<Vec<_>>(), &[], None).ok();
                choices.push(Choice {
                    label: replying::holiday(self.language),
                    query,
                });
                self.clarify(ClarifyReason::AmbiguousWord, &text(at), choices)
            }
            Ask::Unexplained(places) => {
                let words: Vec<String> = places.iter().map(|at| text(*at)).collect();
                let what = words.join(" ");
                let starts: Vec<usize> = places.iter().map(|at| start(*at)).collect();
                let rest: Vec<Item> = self
                    .items
                    .iter()
                    .filter(|item| !starts.contains(&item.tokens.start))
                    .cloned()
                    .collect();
                let without = self
                    .shape(&rest, &[], None)
                    .ok()
                    .filter(|query| !query.metrics.is_empty());
                let choices = without.map(|query| Choice {
                    label: replying::without(self.language, &what),
                    query: Some(query),
                });
                self.clarify(
                    ClarifyReason::UnknownWord,
                    &what,
                    choices.into_iter().collect(),
                )
            }
            Ask::Name(dimension, places) => {
                let words: Vec<String> = places.iter().map(|at| text(*at)).collect();
                let known: Vec<&str> = words.iter().map(String::as_str).collect();
                let near = self.lexicon.near(dimension, &known, CHOICES);
                let choices = near
                    .into_iter()
                    .map(|member| self.pick(start(places[0]), Sense::Member(member)))
                    .collect();
                self.clarify(ClarifyReason::UnknownName, &words.join(" "), choices)
            }
            Ask::CountOrList(at) => {
                let item = self
                    .items
                    .iter()
                    .find(|item| item.tokens.start == start(at));
                let senses = item.map(|item| item.senses.clone()).unwrap_or_default();
                let choices = replying::count_or_list(self.language)
                    .into_iter()
                    .zip([true, false])
                    .map(|(label, count)| {
                        let sense = senses.iter().find(|sense| {
                            matches!(
                                (sense, count),
                                (Sense::Metric(_), true) | (Sense::Dimension(_), false)
                            )
                        });
                        let query = sense.and_then(|sense| {
                            self.shape(self.items, &[(start(at), *sense)], None).ok()
                        });
                        Choice { label, query }
                    });
                self.clarify(ClarifyReason::CountOrList, &text(at), choices.collect())
            }
            Ask::Time(TimeFault::Future) => self.decline(RefusalReason::Forecast),
            Ask::Time(fault) => self.clarify(ClarifyReason::Time(fault), "", Vec::new()),
            Ask::TwoTimes => self.clarify(ClarifyReason::TwoTimes, "", Vec::new()),
            Ask::Contradiction(field) => self.clarify(
                ClarifyReason::Contradiction,
                &self.label(&field),
                Vec::new(),
            ),
            Ask::Unreachable(metric, dimension) => {
                let mut what = format!("{} / {}", self.label(&metric), self.label(&dimension));
                let model = &self.lexicon.model;
                let of_metric = model
                    .dimension(&dimension)
                    .filter(|_| model.metric(&metric).is_some());
                if let Some(why) = of_metric.and_then(|one| one.unreached(self.language)) {
                    what = format!("{what} ({why})");
                }
                self.clarify(ClarifyReason::Unreachable, &what, Vec::new())
            }
            Ask::Average(metric, grain) => {
                let metric = &self.lexicon.model.metrics()[metric];
                let rest: Vec<Item> = self
                    .items
                    .iter()
                    .filter(|item| !item.has(Role::Average))
                    .cloned()
                    .collect();
                let query = self
                    .shape(&rest, &[], None)
                    .ok()
                    .filter(|query| grain.is_none() || query.grain == grain);
                let label = replying::breakdown(self.language);
                self.clarify(
                    ClarifyReason::AverageOverTime,
                    metric.label(self.language),
                    vec![Choice { label, query }],
                )
            }
            Ask::Members0(dimension) => {
                let dimension = &self.lexicon.model.dimensions()[dimension];
                let query = MetricQuery {
                    dimensions: vec![dimension.name.clone()],
                    ..MetricQuery::default()
                };
                let label = dimension.label(self.language).to_owned();
                let choices = vec![Choice {
                    label: label.clone(),
                    query: Some(query),
                }];
                self.clarify(ClarifyReason::NotCounted, &label, choices)
            }
            Ask::Comparison => self.clarify(ClarifyReason::Comparison, "", Vec::new()),
        }
    }

    /// The question with one word settled.
    fn pick(&self, at: usize, sense: Sense) -> Choice {
        let model = &self.lexicon.model;
        let label = match sense {
            Sense::Metric(metric) | Sense::Ranked(metric, _) => {
                model.metrics()[metric].label(self.language).to_owned()
            }
            Sense::Dimension(dimension) => model.dimensions()[dimension]
                .label(self.language)
                .to_owned(),
            Sense::Member(member) => {
                let member = &self.lexicon.members[member];
                let dimension = model.dimensions()[member.dimension].label(self.language);
                format!("{dimension}: {} ({})", member.name, member.code)
            }
            Sense::Role(_) => String::new(),
        };
        Choice {
            label,
            query: self.shape(self.items, &[(at, sense)], None).ok(),
        }
    }

    fn label(&self, name: &str) -> String {
        let model = &self.lexicon.model;
        let metric = model.metric(name).map(|metric| metric.label(self.language));
        metric
            .or_else(|| {
                model
                    .dimension(name)
                    .map(|dimension| dimension.label(self.language))
            })
            .unwrap_or(name)
            .to_owned()
    }
}
