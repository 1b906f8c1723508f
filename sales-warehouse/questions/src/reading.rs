//! From a question to a [`MetricQuery`], a clarification, or a refusal; deterministic, without a language model.
//!
//! ```text
//! text ─[text]─► tokens ─[spelling]─► corrected ─[linking]─► items ─[parts]─► parts ─[shaping]─► MetricQuery
//!                           [lexicon: model, members, vocabulary]  [time] [numbers]
//! ```
//!
//! A question is answered as a whole or not at all: a word that nothing explains, a number that no rule has
//! used, a time that nothing compares ask back. What each part of a query means stands in
//! `sales-warehouse/semantic/README.md`.

mod asking;
mod guarding;
mod lexicon;
mod linking;
mod numbers;
mod parts;
mod replying;
mod shaping;
mod spelling;
mod text;
mod time;
mod vocabulary;

use std::{ops::Range, sync::Arc};

use ::time::Date;
use contracts::Language;

pub use self::time::TimeFault;
use crate::{Members, MetricQuery, Model};
use lexicon::Lexicon;
use linking::{Item, link};
use spelling::Spelling;
use text::{Kind, Token, fold, tokens};
use vocabulary::Role;

/// Questions with more characters are refused unread.
pub const LONGEST: usize = 2_000;

/// Reads questions. Built once from a model and the names of members; reading needs no more.
pub struct Reader {
    lexicon: Lexicon,
    spelling: Spelling,
}

/// What a question was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The language to answer in.
    pub language: Language,
    /// What it comes to.
    pub outcome: Outcome,
    /// How far it was understood.
    pub evidence: Evidence,
}

/// What a question comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A query, by the conventions of the semantic model.
    Answer(MetricQuery),
    /// A question back: more than one query would fit, or none quite.
    Clarify(Clarification),
    /// There is no answer to it here.
    Decline(Refusal),
}

/// A question back.
#[derive(Clone, Debug, PartialEq)]
pub struct Clarification {
    /// What is unclear.
    pub reason: ClarifyReason,
    /// It as a question, in the user's language.
    pub question: String,
    /// Ways to go on; may be empty.
    pub choices: Vec<Choice>,
}

/// A way to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What the user reads.
    pub label: String,
    /// What it would ask; `None` where that takes another question.
    pub query: Option<MetricQuery>,
}

/// What is unclear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClarifyReason {
    /// No metric: "the best campaigns".
    MissingMeasure,
    /// A word with two meanings that differ.
    AmbiguousWord,
    /// A word that nothing explains.
    UnknownWord,
    /// A name that nothing has.
    UnknownName,
    /// A name that several have.
    SeveralNames,
    /// Questions that aren't one query.
    TwoQuestions,
    /// Two times that nothing compares.
    TwoTimes,
    /// Conditions that no row can meet together.
    Contradiction,
    /// A metric that has nothing to do with a dimension.
    Unreachable,
    /// An average of what adds up.
    AverageOverTime,
    /// "Campaigns in Mexico": how many, or which?
    CountOrList,
    /// "How many channels": only metrics are counted.
    NotCounted,
    /// Compared with nothing.
    Comparison,
    /// A time that is none.
    Time(TimeFault),
}

impl ClarifyReason {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::MissingMeasure => "missing_measure",
            Self::AmbiguousWord => "ambiguous_word",
            Self::UnknownWord => "unknown_word",
            Self::UnknownName => "unknown_name",
            Self::SeveralNames => "several_names",
            Self::TwoQuestions => "two_questions",
            Self::TwoTimes => "two_times",
            Self::Contradiction => "contradiction",
            Self::Unreachable => "unreachable",
            Self::AverageOverTime => "average_over_time",
            Self::CountOrList => "count_or_list",
            Self::NotCounted => "not_counted",
            Self::Comparison => "comparison",
            Self::Time(_) => "time",
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// It in the user's language, with what can be asked instead.
    pub message: String,
}

/// Why a question is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// No words in it.
    Empty,
    /// More than [`LONGEST`] characters.
    TooLong,
    /// SQL, a script, an order to a language model.
    Injection,
    /// About people, not groups.
    PersonalData,
    /// About the future.
    Forecast,
    /// Asks what to do, or why.
    Advice,
    /// Would change something.
    Command,
    /// Asks to see images.
    Images,
    /// About something that the model has no metric for.
    NoSuchMetric,
    /// About something else altogether.
    OutOfScope,
}

impl RefusalReason {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Injection => "injection",
            Self::PersonalData => "personal_data",
            Self::Forecast => "forecast",
            Self::Advice => "advice",
            Self::Command => "command",
            Self::Images => "images",
            Self::NoSuchMetric => "no_such_metric",
            Self::OutOfScope => "out_of_scope",
        }
    }
}

/// How far a question was understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// What each understood stretch of the question (in bytes) was taken for.
    pub notes: Vec<Note>,
    /// Of its words, fillers aside, the part that something explains; 0 where there is none.
    pub explained: f64,
    /// Whether it names a metric.
    pub metric: bool,
    /// Whether it names a dimension or a member.
    pub dimension: bool,
}

/// What a stretch of a question was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Bytes of the question.
    pub span: Range<usize>,
    /// What the words are.
    pub kind: NoteKind,
    /// The metric, dimension or member by name; the corrected word of a typo.
    pub name: String,
}

/// What words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they say it themselves")]
pub enum NoteKind {
    Metric,
    Dimension,
    Member,
    Time,
    Number,
    Word,
    Typo,
    Unknown,
}

impl Reader {
    /// A reader of the model's words and the members' names.
    pub fn new(model: Arc<Model>, members: Members) -> Self {
        let lexicon = Lexicon::new(model, &members);
        let spelling = Spelling::new(&lexicon);
        Self { lexicon, spelling }
    }

    /// Reads a question. `today` is the day that "today" means.
    pub fn read(&self, question: &str, today: Date) -> Reading {
        // Counting stops at the bound: a book costs no more than a page.
        if question.chars().take(LONGEST + 1).count() > LONGEST {
            return self.refuse(Language::En, RefusalReason::TooLong, Evidence::default());
        }
        let mut tokens = tokens(question);
        let language = self.lexicon.language(question, &tokens);
        if tokens.iter().all(|token| token.kind == Kind::Mark) {
            return self.refuse(language, RefusalReason::Empty, Evidence::default());
        }
        if guarding::is_injection(&fold(question), &tokens) {
            return self.refuse(language, RefusalReason::Injection, Evidence::default());
        }
        let early = time::expressions(&tokens, today);
        let timed = |at: usize| {
            (0..=at)
                .rev()
                .take(12)
                .any(|start| early[start].is_some_and(|span| span.end > at))
        };
        let known = |at: usize, token: &Token| {
            self.lexicon.knows(token)
                || timed(at)
                || numbers::is_number(&token.text)
                || shaping::is_verb(&token.text)
        };
        let typos = self.spelling.correct(&mut tokens, known);
        let times = if typos.is_empty() {
            early
        } else {
            time::expressions(&tokens, today)
        };
        let items = link(&self.lexicon, &tokens, &times);
        let evidence = self.evidence(&tokens, &items, &typos);
        if guarding::is_command(&tokens, &items) {
            return self.refuse(language, RefusalReason::Command, evidence);
        }
        if let Some(reason) = guarding::refused(question, &tokens, &items) {
            return self.refuse(language, reason, evidence);
        }
        let outcome = asking::Asker {
            lexicon: &self.lexicon,
            tokens: &tokens,
            items: &items,
            today,
            language,
        }
        .outcome(&evidence);
        Reading {
            language,
            outcome,
            evidence,
        }
    }

    fn refuse(&self, language: Language, reason: RefusalReason, evidence: Evidence) -> Reading {
        Reading {
            language,
            outcome: Outcome::Decline(refusal(language, reason)),
            evidence,
        }
    }

    fn evidence(&self, tokens: &[Token], items: &[Item], typos: &[(usize, String)]) -> Evidence {
        let mut evidence = Evidence::default();
        let (mut content, mut explained) = (0_u32, 0_u32);
        for (at, _) in typos {
            let (span, name) = (tokens[*at].span.clone(), tokens[*at].text.clone());
            evidence.notes.push(Note {
                span,
                kind: NoteKind::Typo,
                name,
            });
        }
        for item in items {
            let span = tokens[item.tokens.start].span.start..tokens[item.tokens.end - 1].span.end;
            let (kind, name) = self.note(item);
            evidence.metric |= kind == NoteKind::Metric;
            evidence.dimension |= matches!(kind, NoteKind::Dimension | NoteKind::Member);
            let mark = tokens[item.tokens.start].kind == Kind::Mark;
            if !item.has(Role::Filler) && !mark {
                content += 1;
                explained += u32::from(kind != NoteKind::Unknown);
                evidence.notes.push(Note { span, kind, name });
            }
        }
        if content > 0 {
            evidence.explained = f64::from(explained) / f64::from(content);
        }
        evidence
    }

    fn note(&self, item: &Item) -> (NoteKind, String) {
        use lexicon::Sense;
        if item.time.is_some() {
            return (NoteKind::Time, String::new());
        }
        if item.quantity.is_some() {
            return (NoteKind::Number, String::new());
        }
        let model = &self.lexicon.model;
        match item.senses.first() {
            Some(Sense::Metric(metric) | Sense::Ranked(metric, _)) => {
                (NoteKind::Metric, model.metrics()[*metric].name.clone())
            }
            Some(Sense::Dimension(dimension)) => (
                NoteKind::Dimension,
                model.dimensions()[*dimension].name.clone(),
            ),
            Some(Sense::Member(member)) => {
                (NoteKind::Member, self.lexicon.members[*member].code.clone())
            }
            Some(Sense::Role(_)) => (NoteKind::Word, String::new()),
            None => (NoteKind::Unknown, String::new()),
        }
    }
}

fn refusal(language: Language, reason: RefusalReason) -> Refusal {
    Refusal {
        reason,
        message: replying::refusal(language, reason),
    }
}
