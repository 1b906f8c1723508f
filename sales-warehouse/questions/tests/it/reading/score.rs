//! How many questions of an evaluation file are read as they should be.

use std::{fmt, time::Instant};

use sales_questions::{
    MetricQuery, Outcome, Reader,
    query::{Filter, Op, Value},
};
use serde::Deserialize;
use time::{Date, macros::date};

time::serde::format_description!(iso_day, Date, "[year]-[month]-[day]");

#[derive(Deserialize)]
struct Question {
    id: String,
    text: String,
    #[serde(default, with = "iso_day::option")]
    now: Option<Date>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Expect {
    Answer { query: MetricQuery },
    Clarify,
    Decline,
}

/// Counts, and what went wrong.
#[derive(Debug, Default)]
pub struct Score {
    pub answers: usize,
    pub exact: usize,
    /// Answered, and not with what was asked.
    pub silent: usize,
    pub questions: usize,
    pub clarify: (usize, usize),
    pub decline: (usize, usize),
    /// The slowest, in microseconds.
    pub slowest: u128,
    pub failures: Vec<String>,
}

/// Reads each line of an evaluation file.
pub fn score(reader: &Reader, lines: &str) -> Result<Score, serde_json::Error> {
    let mut score = Score::default();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        let question: Question = serde_json::from_str(line)?;
        let today = question.now.unwrap_or(date!(2026 - 11 - 22));
        let start = Instant::now();
        let reading = reader.read(&question.text, today);
        score.slowest = score.slowest.max(start.elapsed().as_micros());
        score.questions += 1;
        let right = match (&question.expect, &reading.outcome) {
            (Expect::Answer { query }, Outcome::Answer(read)) => {
                let right = normal(query) == normal(read);
                score.silent += usize::from(!right);
                right
            }
            (Expect::Clarify, Outcome::Clarify(_)) | (Expect::Decline, Outcome::Decline(_)) => true,
            (Expect::Clarify | Expect::Decline, Outcome::Answer(_)) => {
                score.silent += 1;
                false
            }
            _ => false,
        };
        match question.expect {
            Expect::Answer { .. } => {
                score.answers += 1;
                score.exact += usize::from(right);
            }
            Expect::Clarify => {
                score.clarify = (score.clarify.0 + usize::from(right), score.clarify.1 + 1)
            }
            Expect::Decline => {
                score.decline = (score.decline.0 + usize::from(right), score.decline.1 + 1)
            }
        }
        if !right {
            let expected = match &question.expect {
                Expect::Answer { query } => short(query),
                other => format!("{other:?}"),
            };
            let read = match &reading.outcome {
                Outcome::Answer(query) => format!("ANSWER {}", short(query)),
                Outcome::Clarify(ask) => format!("clarify {:?}: {}", ask.reason, ask.question),
                Outcome::Decline(refusal) => format!("decline {:?}", refusal.reason),
            };
            score.failures.push(format!(
                "{} {}\n    expected {expected}\n    read     {read}",
                question.id, question.text
            ));
        }
    }
    Ok(score)
}

/// Without what does not matter: the order of conditions and of members.
fn normal(query: &MetricQuery) -> MetricQuery {
    let mut query = query.clone();
    for filter in &mut query.filters {
        if let Value::Members(members) = &mut filter.value {
            members.sort();
        }
    }
    query.filters.sort_by_key(|filter: &Filter| {
        (
            filter.field.clone(),
            format!("{:?} {:?}", filter.op, filter.value),
        )
    });
    query.filters.dedup();
    if query
        .time
        .is_some_and(|time| time.from.is_none() && time.to.is_none())
    {
        query.time = None;
    }
    debug_assert!(
        query
            .filters
            .iter()
            .all(|filter| !matches!((&filter.op, &filter.value), (Op::In, Value::Member(_))))
    );
    query
}

fn short(query: &MetricQuery) -> String {
    let mut json = serde_json::to_value(query).unwrap_or_default();
    if let Some(parts) = json.as_object_mut() {
        parts.retain(|_, part| {
            !part.is_null() && part.as_array().is_none_or(|list| !list.is_empty())
        });
    }
    json.to_string()
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        writeln!(
            f,
            "exact {}/{} ({:.1} %), silent wrong {}/{} ({:.1} %), clarify {}/{}, decline {}/{}, slowest {} us",
            self.exact,
            self.answers,
            percent(self.exact, self.answers),
            self.silent,
            self.questions,
            percent(self.silent, self.questions),
            self.clarify.0,
            self.clarify.1,
            self.decline.0,
            self.decline.1,
            self.slowest,
        )?;
        self.failures
            .iter()
            .try_for_each(|failure| writeln!(f, "  {failure}"))
    }
}
