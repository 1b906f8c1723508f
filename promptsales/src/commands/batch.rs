//! A file of questions, one JSON line each, answered with one JSON line each.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use contracts::{Language, Problem};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::output;

/// Questions that are under way at once: enough to keep the embedder's batches full.
const CONCURRENCY: usize = 4;

/// One line of the file. What a command has no use for, it ignores.
#[derive(Deserialize)]
pub struct Question {
    /// Returned with the answer.
    id: Value,
    /// What is asked.
    pub text: String,
    /// The language of the answer, instead of the command's.
    #[serde(default)]
    pub lang: Option<Language>,
    /// The clock of this question, instead of the command's.
    #[serde(default)]
    pub now: Option<String>,
}

/// Answers every line in order. A question that the service refuses gets a line with `problem`, and the exit
/// code says that there was one; the others are answered all the same.
///
/// `-` is standard input.
pub async fn run<T: Serialize>(
    file: &Path,
    ask: impl AsyncFn(&Question) -> anyhow::Result<Result<T, Problem>>,
) -> anyhow::Result<ExitCode> {
    let ask = &ask;
    let mut answers = stream::iter(read(file)?)
        .map(|question| async move {
            let answer = ask(&question).await?;
            anyhow::Ok((question.id, answer))
        })
        .buffered(CONCURRENCY);
    let mut out = output::out();
    let mut refused = false;
    while let Some(answered) = answers.next().await {
        let (id, answer) = answered?;
        let line = match answer {
            Ok(answer) => {
                let mut line = serde_json::to_value(answer)?;
                line["id"] = id;
                line
            }
            Err(problem) => {
                refused = true;
                json!({ "id": id, "problem": problem })
            }
        };
        writeln!(out, "{line}")?;
    }
    Ok(if refused {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn read(file: &Path) -> anyhow::Result<Vec<Question>> {
    let (name, reader): (_, Box<dyn BufRead>) = if file == Path::new("-") {
        let input = BufReader::new(io::stdin());
        ("standard input".into(), Box::new(input))
    } else {
        let name = file.to_string_lossy();
        let opened = File::open(file).with_context(|| format!("cannot read {name}"))?;
        (name, Box::new(BufReader::new(opened)))
    };
    let mut questions = Vec::new();
    for (number, line) in (1..).zip(reader.lines()) {
        let line = line.with_context(|| format!("cannot read {name} line {number}"))?;
        if line.trim().is_empty() {
            continue;
        }
        questions.push(serde_json::from_str(&line).with_context(|| {
            format!("{name} line {number}: expected {{\"id\": …, \"text\": \"…\", \"lang\": \"es\"|\"en\"?}}")
        })?);
    }
    Ok(questions)
}
