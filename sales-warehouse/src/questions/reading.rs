//! The seam to `sales-questions`' reading of questions.

use contracts::Language;
use sales_questions::{MetricQuery, Model};
use time::Date;

use super::Known;

/// What a question was read as.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// In which the question is, and the answer will be.
    pub language: Language,
    /// What it comes to.
    pub reading: Reading,
}

/// What a question comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// This query.
    Query(Box<MetricQuery>),
    /// A question back.
    Clarify {
        /// The question.
        sentence: String,
        /// Answers to it.
        choices: Vec<String>,
    },
    /// Nothing that this warehouse could answer.
    Decline {
        /// Why, and what it can answer.
        sentence: String,
    },
}

/// Reads a question asked on a day. `language` is the one that the caller stated, if any.
pub fn read(
    text: &str,
    language: Option<Language>,
    _model: &Model,
    _known: &Known,
    _today: Date,
) -> Read {
    let _unread = text;
    let language = language.unwrap_or(Language::En);
    Read {
        language,
        reading: Reading::Decline {
            sentence: match language {
                Language::En => "Questions in words are not read yet: send a metric query.",
                Language::Es => "Aún no se leen preguntas en palabras: envía una consulta.",
            }
            .to_owned(),
        },
    }
}
