//! How well questions are answered, on those that are kept for it.

mod scratch;

use contracts::Language;
use sales_questions::{
    MetricQuery,
    answering::Cell,
    eval::{Judged, Outcome, Verified, judged, verified},
};
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgPool};
use time::{Date, Time};

pub use scratch::{Scratch, ScratchError};

use super::{Answer, Kind, Options, QuestionError, Questions};

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// One for each split and language.
    pub splits: Vec<Split>,
    /// Every question that was not answered as expected.
    pub wrong: Vec<Wrong>,
}

/// One split in one language. Shares; `None` where there is nothing of the kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Split {
    /// `dev`, `test` or `verified`.
    pub split: String,
    /// Of the questions.
    pub language: Language,
    /// How many.
    pub questions: usize,
    /// Of those with an answer: read as the very query that was expected.
    pub exact_match: Option<f64>,
    /// Of those with an answer: answered with the expected rows.
    pub answer_accuracy: Option<f64>,
    /// Of all: answered with rows that are not the expected ones, or that nobody should have got.
    pub silent_wrong: Option<f64>,
    /// Of those that should be asked back: asked back.
    pub clarify_recall: Option<f64>,
    /// Of those asked back: rightly.
    pub clarify_precision: Option<f64>,
    /// Of those that should be declined: declined.
    pub decline_recall: Option<f64>,
    /// Of those declined: rightly.
    pub decline_precision: Option<f64>,
}

/// A question that was not answered as expected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wrong {
    /// Of which split.
    pub split: String,
    /// Which.
    pub id: String,
    /// The question.
    pub text: String,
    /// What went wrong.
    pub what: String,
    /// What it was read as.
    pub query: Option<MetricQuery>,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The sets cannot be read.
    #[error("the kept questions cannot be read")]
    Sets(#[from] serde_json::Error),
    /// An expected query has no rows to compare with.
    #[error("the expected query of {0} fails")]
    Expected(String, #[source] QuestionError),
    /// Nor has a hand-written statement.
    #[error("the SQL of {0} fails")]
    Sql(String, #[source] sqlx::Error),
    /// The database failed.
    #[error(transparent)]
    Question(#[from] QuestionError),
}

/// How one question fared.
struct Fared {
    expected: Outcome,
    given: Outcome,
    exact: bool,
    right_rows: bool,
}

/// Asks all of them.
pub async fn evaluate(questions: &Questions) -> Result<Report, EvalError> {
    let mut report = Report {
        splits: Vec::new(),
        wrong: Vec::new(),
    };
    for (split, all) in judged()? {
        let mut fared = Vec::new();
        let Some(language) = all.first().map(|one| one.language) else {
            continue;
        };
        for one in &all {
            fared.push(ask(questions, split, one, &mut report.wrong).await?);
        }
        report.splits.push(summary(split, language, &fared));
    }
    let all = verified()?;
    for language in Language::ALL {
        let mut fared = Vec::new();
        for one in all.iter().filter(|one| one.language == language) {
            fared.push(check(questions, one, &mut report.wrong).await?);
        }
        report.splits.push(summary("verified", language, &fared));
    }
    Ok(report)
}

/// The development questions that have an answer, in both languages, with the day on which each is asked.
pub fn answerable() -> Result<Vec<(String, Date)>, EvalError> {
    let splits = judged()?.into_iter().filter(|(split, _)| *split == "dev");
    let all = splits.flat_map(|(_, all)| all);
    Ok(all
        .filter(|one| one.expect.kind == Outcome::Answer)
        .map(|one| (one.text, one.today))
        .collect())
}

fn at(day: Date) -> Options {
    Options {
        now: Some(day.with_time(Time::MIDNIGHT).assume_utc()),
        ..Options::default()
    }
}

/// Asks as a user would: the language is guessed.
async fn put(
    questions: &Questions,
    text: &str,
    day: Date,
) -> Result<Option<Answer>, QuestionError> {
    match questions.ask(text, None, at(day)).await {
        Ok(answer) => Ok(Some(answer)),
        // Read as a query that cannot be: the user is told so, which is no silent error.
        Err(QuestionError::Query(_) | QuestionError::TooLong) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn ask(
    questions: &Questions,
    split: &str,
    one: &Judged,
    wrong: &mut Vec<Wrong>,
) -> Result<Fared, EvalError> {
    let given = put(questions, &one.text, one.today).await?;
    let mut fared = Fared {
        expected: one.expect.kind,
        given: outcome(given.as_ref()),
        exact: false,
        right_rows: false,
    };
    let query = given.as_ref().and_then(|answer| answer.query.clone());
    if let (Some(answer), Some(expected)) = (&given, &one.expect.query)
        && answer.kind == Kind::Answer
    {
        fared.exact = query
            .as_ref()
            .is_some_and(|query| query.normal() == expected.normal());
        let asked = questions.query(expected.clone(), one.language, at(one.today));
        let asked = asked.await;
        let asked = asked.map_err(|error| EvalError::Expected(one.id.clone(), error))?;
        fared.right_rows = fared.exact || same_rows(answer, &asked, expected);
    }
    note(split, &one.id, &one.text, &fared, query, wrong);
    Ok(fared)
}

async fn check(
    questions: &Questions,
    one: &Verified,
    wrong: &mut Vec<Wrong>,
) -> Result<Fared, EvalError> {
    let given = put(questions, &one.text, one.today).await?;
    let mut fared = Fared {
        expected: Outcome::Answer,
        given: outcome(given.as_ref()),
        exact: false,
        right_rows: false,
    };
    let query = given.as_ref().and_then(|answer| answer.query.clone());
    if let Some(answer) = given.filter(|answer| answer.kind == Kind::Answer) {
        fared.exact = query
            .as_ref()
            .is_some_and(|query| query.normal() == one.query.normal());
        let rows = by_hand(questions.warehouse.reader(), &one.sql).await;
        let rows = rows.map_err(|error| EvalError::Sql(one.id.clone(), error))?;
        fared.right_rows = as_by_hand(&answer, &rows);
    }
    note("verified", &one.id, &one.text, &fared, query, wrong);
    Ok(fared)
}

fn outcome(answer: Option<&Answer>) -> Outcome {
    match answer.map(|answer| answer.kind) {
        Some(Kind::Answer) => Outcome::Answer,
        Some(Kind::Clarify) => Outcome::Clarify,
        Some(Kind::Decline) | None => Outcome::Decline,
    }
}

fn note(
    split: &str,
    id: &str,
    text: &str,
    fared: &Fared,
    query: Option<MetricQuery>,
    wrong: &mut Vec<Wrong>,
) {
    let what = match (fared.expected, fared.given) {
        (Outcome::Answer, Outcome::Answer) if fared.right_rows => return,
        (Outcome::Answer, Outcome::Answer) => "other rows".to_owned(),
        (expected, given) if expected == given => return,
        (expected, given) => format!("{given:?} instead of {expected:?}").to_lowercase(),
    };
    wrong.push(Wrong {
        split: split.to_owned(),
        id: id.to_owned(),
        text: text.to_owned(),
        what,
        query,
    });
}

fn summary(split: &str, language: Language, all: &[Fared]) -> Split {
    let share = |of: &dyn Fn(&Fared) -> bool, that: &dyn Fn(&Fared) -> bool| {
        let count = all.iter().filter(|one| of(one)).count();
        let good = all.iter().filter(|one| of(one) && that(one)).count();
        (count > 0).then(|| good as f64 / count as f64)
    };
    let expected = |outcome| move |one: &Fared| one.expected == outcome;
    let given = |outcome| move |one: &Fared| one.given == outcome;
    let answers = expected(Outcome::Answer);
    Split {
        split: split.to_owned(),
        language,
        questions: all.len(),
        exact_match: share(&answers, &|one| one.exact),
        answer_accuracy: share(&answers, &|one| one.right_rows),
        silent_wrong: share(&|_| true, &|one| {
            one.given == Outcome::Answer && !one.right_rows
        }),
        clarify_recall: share(&expected(Outcome::Clarify), &given(Outcome::Clarify)),
        clarify_precision: share(&given(Outcome::Clarify), &expected(Outcome::Clarify)),
        decline_recall: share(&expected(Outcome::Decline), &given(Outcome::Decline)),
        decline_precision: share(&given(Outcome::Decline), &expected(Outcome::Decline)),
    }
}

/// Whether an answer has the rows of another: the same columns, and the same order where one was asked for.
fn same_rows(given: &Answer, expected: &Answer, query: &MetricQuery) -> bool {
    let names = |answer: &Answer| -> Vec<String> {
        answer.columns.iter().map(|one| one.name.clone()).collect()
    };
    let shown = |answer: &Answer| -> Vec<Vec<serde_json::Value>> {
        let mut order: Vec<usize> = (0..answer.columns.len()).collect();
        let names = names(answer);
        order.sort_by(|a, b| names[*a].cmp(&names[*b]));
        // What a member is called depends on the language that was guessed.
        let order: Vec<usize> = order
            .into_iter()
            .filter(|place| !names[*place].ends_with("_name"))
            .collect();
        let rows = answer.rows.iter();
        let mut rows: Vec<Vec<serde_json::Value>> = rows
            .map(|row| {
                order
                    .iter()
                    .map(|place| serde_json::json!(row[*place]))
                    .collect()
            })
            .collect();
        if query.order.is_empty() && query.grain.is_none() {
            rows.sort_by_key(|row| serde_json::json!(row).to_string());
        }
        rows
    };
    let (mut ours, mut theirs) = (names(given), names(expected));
    ours.sort();
    theirs.sort();
    let (left, right) = (shown(given), shown(expected));
    ours == theirs && left.len() == right.len() && left.iter().zip(&right).all(|(a, b)| alike(a, b))
}

type Row = serde_json::Map<String, serde_json::Value>;

/// The rows of a statement of ours that somebody wrote by hand, by column.
async fn by_hand(pool: &PgPool, sql: &str) -> Result<Vec<Row>, sqlx::Error> {
    let text = format!("SELECT to_jsonb(q)::text FROM ({sql}) AS q");
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(text))
        .fetch_all(pool)
        .await?;
    let rows = rows.iter().map(|row| serde_json::from_str(row));
    rows.collect::<Result<_, _>>()
        .map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Whether an answer has these rows, in their order. Columns beyond theirs, such as names, do not count.
fn as_by_hand(answer: &Answer, rows: &[Row]) -> bool {
    let place = |name: &String| answer.columns.iter().position(|one| one.name == *name);
    answer.rows.len() == rows.len()
        && answer.rows.iter().zip(rows).all(|(ours, theirs)| {
            theirs.iter().all(|(name, value)| {
                let cell = place(name).and_then(|place| ours.get(place));
                cell.is_some_and(|cell: &Cell| {
                    alike(&[serde_json::json!(cell)], std::slice::from_ref(value))
                })
            })
        })
}

/// Equal, but for the last digits of numbers.
fn alike(ours: &[serde_json::Value], theirs: &[serde_json::Value]) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e-6);
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .all(|(ours, theirs)| match (ours.as_f64(), theirs.as_f64()) {
                (Some(a), Some(b)) => close(a, b),
                _ => ours == theirs,
            })
}
