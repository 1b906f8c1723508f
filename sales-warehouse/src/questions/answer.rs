//! The answer on the wire.

use contracts::{
    Language,
    sales::{AnswerKind as Kind, Evidence},
};
use sales_questions::{
    MetricQuery, Model, Statement,
    answering::{Answered, Cell, Interpretation, Names, interpret},
    compiling::{Column, CompileError},
    reading,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::Chart;
use crate::freshness::Freshness;

/// A way to go on after a question back.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Choice {
    /// What the user reads.
    pub label: String,
    /// What it would ask; null where that takes another question.
    pub query: Option<MetricQuery>,
}

impl From<reading::Choice> for Choice {
    fn from(choice: reading::Choice) -> Self {
        Self {
            label: choice.label,
            query: choice.query,
        }
    }
}

/// The answer to a question, as [`contracts::SalesAnswer`] is read. What does not apply is null or empty.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Answer {
    /// What it came to.
    pub kind: Kind,
    /// Why it is no answer, as a code.
    pub reason: Option<&'static str>,
    /// How far the question was understood.
    pub evidence: Option<Evidence>,
    /// Of the words in it.
    pub language: Language,
    /// What was understood.
    pub query: Option<MetricQuery>,
    /// What each row has.
    pub columns: Vec<Column>,
    /// In order.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    pub rows: Vec<Vec<Cell>>,
    /// The answer, the question back, or why there is none.
    pub sentence: String,
    /// The statement that gave the rows.
    pub sql: Option<String>,
    /// What a question back offers.
    pub choices: Vec<Choice>,
    /// Where to go on from the answer.
    pub next: Vec<Choice>,
    /// What was understood, in words.
    pub interpretation: Option<Interpretation>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// Whether there are more rows.
    pub truncated: bool,
    /// How old the data is.
    pub freshness: Vec<Freshness>,
    /// A picture, if one was asked for and there is something to draw.
    pub chart: Option<Chart>,
}

impl Answer {
    /// What would be asked of the database, without asking it.
    pub fn plan(
        model: &Model,
        query: MetricQuery,
        language: Language,
        names: &Names,
        statement: Statement,
    ) -> Self {
        let interpretation = interpret(&Answered {
            model,
            query: &query,
            language,
            names,
            columns: &statement.columns,
            rows: &[],
        });
        let text = interpretation.text.clone();
        Self {
            query: Some(query),
            columns: statement.columns,
            sql: Some(statement.sql),
            interpretation: Some(interpretation),
            ..Self::words(Kind::Answer, language, text)
        }
    }

    /// A question that was understood and that the data cannot answer.
    pub fn misfit(language: Language, fault: &CompileError) -> Self {
        let fault = fault.message(language);
        let sentence = match language {
            Language::En => format!("The question was understood, but {fault}."),
            Language::Es => {
                format!("La pregunta se entendió, pero no se puede responder: {fault}.")
            }
        };
        Self {
            reason: Some("misfit"),
            ..Self::words(Kind::Clarify, language, sentence)
        }
    }

    /// Without rows: a question back, or a refusal.
    pub fn words(kind: Kind, language: Language, sentence: String) -> Self {
        Self {
            kind,
            reason: None,
            evidence: None,
            language,
            query: None,
            columns: Vec::new(),
            rows: Vec::new(),
            sentence,
            sql: None,
            choices: Vec::new(),
            next: Vec::new(),
            interpretation: None,
            notes: Vec::new(),
            truncated: false,
            freshness: Vec::new(),
            chart: None,
        }
    }
}
