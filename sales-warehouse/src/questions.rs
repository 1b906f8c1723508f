//! Questions in words, and metric queries, answered from the warehouse.
//!
//! What a question means is decided in `sales-questions`, which knows no database. Here its one SELECT runs:
//! as `warehouse_reader`, read-only, within a deadline, with a bound on rows. The members' names, which the
//! reading of questions needs, are read again after each run of the ETL.

mod answer;
pub mod eval;
mod execute;
mod known;
mod picture;

use std::sync::Arc;

use contracts::{Language, sales::Evidence};
use sales_questions::{
    MetricQuery, Model,
    answering::{Answered, chart, interpret, next, notes, sentence, without_rates},
    compile,
    compiling::CompileError,
    reading::Outcome,
};
use service_kit::Clock;
use time::{Date, OffsetDateTime, UtcOffset};
use tokio::sync::RwLock;

pub use answer::{Answer, Choice};
pub use contracts::sales::{AnswerKind as Kind, ChartFormat};
pub use execute::{Rows, run};
pub use known::Known;
pub use picture::Chart;

use crate::{Warehouse, freshness::freshness};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// It asks for what there is not. The message is for whoever asked.
    #[error(transparent)]
    Query(#[from] CompileError),
    /// The database took too long.
    #[error("the question takes too long to answer: ask for less time or fewer dimensions")]
    TooLong,
    /// The database failed.
    #[error("the warehouse's database failed")]
    Database(#[source] sqlx::Error),
    /// A picture could not be made.
    #[error("the chart cannot be drawn: {0}")]
    Chart(String),
    /// The model reads columns that the warehouse does not have.
    #[error("the semantic model reads what the warehouse does not have: {}", .0.join(", "))]
    Model(Vec<String>),
}

impl From<sqlx::Error> for QuestionError {
    fn from(error: sqlx::Error) -> Self {
        const CANCELED: &str = "57014";
        let code = error.as_database_error().and_then(|one| one.code());
        if code.as_deref() == Some(CANCELED) {
            Self::TooLong
        } else {
            Self::Database(error)
        }
    }
}

/// Answers questions. Cheap to clone.
#[derive(Clone)]
pub struct Questions {
    warehouse: Warehouse,
    model: &'static Model,
    clock: Clock,
    known: Arc<RwLock<Option<Arc<Known>>>>,
}

/// What to do with a query besides answering it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Stop before the database is asked for rows.
    pub plan_only: bool,
    /// What "now" is; the clock's when `None`.
    pub now: Option<OffsetDateTime>,
    /// Draw the rows, where there is something to draw.
    pub chart: Option<ChartFormat>,
}

impl Questions {
    /// With the built-in model.
    pub fn new(warehouse: Warehouse, clock: Clock) -> Self {
        Self {
            warehouse,
            model: Model::builtin(),
            clock,
            known: Arc::default(),
        }
    }

    /// What the numbers mean.
    pub fn model(&self) -> &'static Model {
        self.model
    }

    /// Fails with every column that the model reads and the warehouse does not have.
    pub async fn check(&self) -> Result<(), QuestionError> {
        let missing = known::missing_columns(&self.warehouse, self.model).await?;
        if missing.is_empty() {
            Ok(())
        } else {
            Err(QuestionError::Model(missing))
        }
    }

    /// The day on which a question is asked.
    pub fn today(&self, options: Options) -> Date {
        options
            .now
            .unwrap_or_else(|| self.clock.now())
            .to_offset(UtcOffset::UTC)
            .date()
    }

    /// The members as they are in the database, read again when the ETL has run since.
    pub async fn known(&self) -> Result<Arc<Known>, QuestionError> {
        let run = known::last_run(&self.warehouse).await?;
        if let Some(known) = self.known.read().await.as_ref()
            && known.run == run
        {
            return Ok(Arc::clone(known));
        }
        let today = self.clock.now().date();
        let mut place = self.known.write().await;
        // Somebody else may have read them meanwhile.
        if let Some(known) = place.as_ref()
            && known.run == run
        {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(Known::read(&self.warehouse, self.model, run, today).await?);
        *place = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Answers a question in words. `language` is the one that the caller states; else it is guessed.
    pub async fn ask(
        &self,
        text: &str,
        language: Option<Language>,
        options: Options,
    ) -> Result<Answer, QuestionError> {
        let known = self.known().await?;
        let read = known.reader.read(text, self.today(options));
        let language = language.unwrap_or(read.language);
        let mut answer = match read.outcome {
            Outcome::Answer(query) => match self.answer(query, language, options, &known).await {
                Err(QuestionError::Query(fault)) => Answer::misfit(language, &fault),
                answered => answered?,
            },
            Outcome::Clarify(asked) => Answer {
                choices: asked.choices.into_iter().map(Choice::from).collect(),
                reason: Some(asked.reason.code()),
                ..Answer::words(Kind::Clarify, language, asked.question)
            },
            Outcome::Decline(refusal) => Answer {
                reason: Some(refusal.reason.code()),
                ..Answer::words(Kind::Decline, language, refusal.message)
            },
        };
        answer.evidence = Some(Evidence {
            explained: read.evidence.explained,
            metric: read.evidence.metric,
            dimension: read.evidence.dimension,
        });
        Ok(answer)
    }

    /// Answers a metric query.
    pub async fn query(
        &self,
        query: MetricQuery,
        language: Language,
        options: Options,
    ) -> Result<Answer, QuestionError> {
        let known = self.known().await?;
        self.answer(query, language, options, &known).await
    }

    async fn answer(
        &self,
        query: MetricQuery,
        language: Language,
        options: Options,
        known: &Known,
    ) -> Result<Answer, QuestionError> {
        let statement = compile(self.model, &query, language, self.today(options))?;
        if options.plan_only {
            return Ok(Answer::plan(
                self.model,
                query,
                language,
                &known.names,
                statement,
            ));
        }
        let rows = run(&self.warehouse, &statement).await?;
        let fresh = freshness(&self.warehouse, self.clock.now())
            .await
            .map_err(QuestionError::Database)?;
        let answered = Answered {
            model: self.model,
            query: &query,
            language,
            names: &known.names,
            columns: &statement.columns,
            rows: &rows.rows,
        };
        let drawn = options.chart.zip(chart(&answered));
        let chart = drawn.map(|(format, svg)| picture::picture(&svg, format));
        let chart = chart.transpose().map_err(QuestionError::Chart)?;
        let text = sentence(&answered);
        let interpretation = interpret(&answered);
        let mut notes = notes(&answered, rows.truncated);
        notes.extend(without_rates(&answered, &known.rate_gaps));
        let next = next(&answered).map(|query| Choice {
            label: interpret(&Answered {
                query: &query,
                rows: &[],
                ..answered
            })
            .text,
            query: Some(query),
        });
        Ok(Answer {
            query: Some(query),
            columns: statement.columns,
            rows: rows.rows,
            sql: Some(statement.sql),
            next: next.into_iter().collect(),
            interpretation: Some(interpretation),
            notes,
            truncated: rows.truncated,
            freshness: fresh,
            chart,
            ..Answer::words(Kind::Answer, language, text)
        })
    }
}
