//! From items to an outcome: one query where all is clear, else a question back with ways to go on.

use contracts::Language;
use time::Date;

use super::{
    Choice, Clarification, ClarifyReason, Evidence, Outcome, RefusalReason,
    lexicon::{Lexicon, Sense},
    linking::Item,
    parts::{Part, What, parts},
    refusal, replying,
    shaping::{Ask, shape},
    text::{Kind, Token},
    time::TimeFault,
    vocabulary::Role,
};
use crate::MetricQuery;

/// Choices that a clarification offers at most.
const CHOICES: usize = 5;

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
        shape(
            self.lexicon,
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

    /// Questions that stand side by side: one query if only their metrics differ.
    fn several(&self) -> Option<Outcome> {
        let ends = self.ends();
        if ends.is_empty() {
            return None;
        }
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
        if let Some(one) = unite(&queries) {
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
            let stop = self.tokens[item.tokens.start].is(&["?", ";", ".", "!"]);
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

    fn clarify(&self, reason: ClarifyReason, what: &str, mut choices: Vec<Choice>) -> Outcome {
        choices.truncate(CHOICES);
        let question = replying::clarification(self.language, reason, what);
        Outcome::Clarify(Clarification {
            reason,
            question,
            choices,
        })
    }

    fn asked(&self, ask: Ask, evidence: &Evidence) -> Outcome {
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
                let what = format!("{} / {}", self.label(&metric), self.label(&dimension));
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

    /// Whether unexplained words leave next to nothing that is about sales.
    fn is_foreign(&self, evidence: &Evidence, parts: &[Part], places: &[usize]) -> bool {
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
    fn measure(&self, evidence: &Evidence, parts: &[Part]) -> Outcome {
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

/// One query for all, where they differ in nothing but metrics, and in what only the last one says.
fn unite(queries: &[MetricQuery]) -> Option<MetricQuery> {
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
        if query.limit.is_some() || query.metrics.is_empty() || !(same || bare) {
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
