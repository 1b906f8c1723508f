//! `find`: images for a description, or for a file of them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use contracts::{GetContentRequest, Language, Problem};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{cli::FindArguments, output, session::Session};

/// Questions of a batch that are under way at once: enough to keep the embedder's batches full.
const BATCH_CONCURRENCY: usize = 4;

/// Exit code when nothing fits, as `grep` has it.
const NOTHING_FITS: u8 = 1;

pub async fn run(session: &Session, options: &FindArguments) -> anyhow::Result<ExitCode> {
    if let Some(file) = &options.batch {
        return batch(session, options, file).await;
    }
    let request = request(&options.description.join(" "), options, options.lang);
    let answer = match session.get_content(&request).await? {
        Ok(answer) => answer,
        Err(problem) => return Err(output::refused(&problem)),
    };
    let mut out = output::out();
    if options.json {
        output::json(&mut out, &answer)?;
    } else {
        output::answer(&mut out, &answer)?;
    }
    // A program reads `no_match`; only a shell script needs the exit code.
    let code = if answer.no_match && !options.json {
        NOTHING_FITS
    } else {
        0
    };
    Ok(ExitCode::from(code))
}

fn request(text: &str, options: &FindArguments, language: Option<Language>) -> GetContentRequest {
    GetContentRequest {
        description: text.to_owned(),
        limit: Some(options.limit),
        language,
        filters: Default::default(),
        min_score: None,
    }
}

/// One line of a batch file.
#[derive(Deserialize)]
struct Question {
    id: Value,
    text: String,
    #[serde(default)]
    lang: Option<Language>,
}

/// Answers every line in order. A question that the API refuses gets a line with `problem`, and the
/// exit code says that there was one; the others are answered all the same.
async fn batch(
    session: &Session,
    options: &FindArguments,
    file: &Path,
) -> anyhow::Result<ExitCode> {
    let questions = read(file)?;
    let mut answers = stream::iter(questions)
        .map(|question| async move {
            let asked = request(&question.text, options, question.lang.or(options.lang));
            let answer = session.get_content(&asked).await?;
            anyhow::Ok((question.id, answer))
        })
        .buffered(BATCH_CONCURRENCY);
    let mut out = output::out();
    let mut refused = false;
    while let Some(answered) = answers.next().await {
        let (id, answer) = answered?;
        let line = match answer {
            Ok(answer) => with_id(id, &answer)?,
            Err(problem) => {
                refused = true;
                refusal(&id, &problem)
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
        (
            "standard input".into(),
            Box::new(BufReader::new(io::stdin())),
        )
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
        let question = serde_json::from_str(&line).with_context(|| {
            format!(
                "{name} line {number}: expected {{\"id\": …, \"text\": \"…\", \"lang\": \"es\"|\"en\"?}}"
            )
        })?;
        questions.push(question);
    }
    Ok(questions)
}

fn with_id(id: Value, answer: &impl serde::Serialize) -> anyhow::Result<Value> {
    let mut line = serde_json::to_value(answer)?;
    line["id"] = id;
    Ok(line)
}

fn refusal(id: &Value, problem: &Problem) -> Value {
    json!({ "id": id, "problem": problem })
}
