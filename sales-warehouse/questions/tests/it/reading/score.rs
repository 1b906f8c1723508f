//! How many questions of an evaluation file are read as they should be.

use std::{fmt, time::Instant};

use sales_questions::{
    MetricQuery, Outcome, Reader,
    eval::{Judged, Outcome as Expected},
};

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
        let question: Judged = line.parse()?;
        let start = Instant::now();
        let reading = reader.read(&question.text, question.today);
        score.slowest = score.slowest.max(start.elapsed().as_micros());
        score.questions += 1;
        let expected = question.expect.query.as_ref();
        let right = match (question.expect.kind, &reading.outcome) {
            (Expected::Answer, Outcome::Answer(read)) => {
                let right = expected.is_some_and(|query| query.normal() == read.normal());
                score.silent += usize::from(!right);
                right
            }
            (Expected::Clarify, Outcome::Clarify(_)) | (Expected::Decline, Outcome::Decline(_)) => {
                true
            }
            (Expected::Clarify | Expected::Decline, Outcome::Answer(_)) => {
                score.silent += 1;
                false
            }
            _ => false,
        };
        match question.expect.kind {
            Expected::Answer => {
                score.answers += 1;
                score.exact += usize::from(right);
            }
            Expected::Clarify => {
                score.clarify = (score.clarify.0 + usize::from(right), score.clarify.1 + 1)
            }
            Expected::Decline => {
                score.decline = (score.decline.0 + usize::from(right), score.decline.1 + 1)
            }
        }
        if !right {
            let expected = expected.map_or_else(|| format!("{:?}", question.expect.kind), short);
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
