//! `ask`: a question about sales in words, or a file of them.

use std::{fs, io::Write, path::Path, process::ExitCode};

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use contracts::{Language, Problem, Scope};
use serde_json::{Value, json};

use crate::{
    cli::AskArguments,
    commands::batch,
    embedded::{API_AUDIENCE, CLI_CLIENT},
    output,
    session::Session,
};

/// Exit code when there is no answer but a question back or a refusal.
const NO_ANSWER: u8 = 1;
/// Rows of a table for a person.
const SHOWN_ROWS: usize = 25;

pub async fn run(session: &Session, options: &AskArguments) -> anyhow::Result<ExitCode> {
    let tokens = session.tokens_for(CLI_CLIENT, &[Scope::SalesRead], API_AUDIENCE)?;
    let ask = async |request: &Value| -> anyhow::Result<Result<Value, Problem>> {
        session.ask(&tokens, request).await
    };
    if let Some(file) = &options.batch {
        return batch::run(file, async |question| {
            let language = question.lang.or(options.lang);
            let now = question.now.as_deref();
            ask(&request(&question.text, options, language, now)).await
        })
        .await;
    }
    let format = options.chart.as_deref().map(chart_format).transpose()?;
    let mut request = request(&options.question.join(" "), options, options.lang, None);
    request["chart"] = json!(format);
    let mut answer = match ask(&request).await? {
        Ok(answer) => answer,
        Err(problem) => return Err(output::refused(&problem)),
    };
    let mut undrawn = false;
    if let Some(file) = &options.chart {
        undrawn = !save_chart(&answer["chart"], file)?;
        // It is in the file.
        answer["chart"] = Value::Null;
    }
    let mut out = output::out();
    if options.json {
        output::json(&mut out, &answer)?;
    } else {
        show(&mut out, &answer)?;
    }
    if undrawn {
        // After the answer, which may say why.
        bail!("there is nothing to draw: a chart needs more than one row with a number");
    }
    Ok(if options.json || answer["kind"] == "answer" {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO_ANSWER)
    })
}

fn request(
    text: &str,
    options: &AskArguments,
    language: Option<Language>,
    now: Option<&str>,
) -> Value {
    json!({
        "text": text,
        "language": language,
        "plan_only": options.plan_only,
        "now": now.or(options.now.as_deref()),
    })
}

fn chart_format(file: &Path) -> anyhow::Result<&'static str> {
    match file.extension().and_then(|one| one.to_str()) {
        Some("svg") => Ok("svg"),
        Some("png") => Ok("png"),
        _ => bail!("a chart's file ends with .svg or .png"),
    }
}

/// Whether there was anything to draw.
fn save_chart(chart: &Value, file: &Path) -> anyhow::Result<bool> {
    let Some(data) = chart["data"].as_str() else {
        return Ok(false);
    };
    let bytes = STANDARD.decode(data).context("an unreadable chart")?;
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}

fn show(out: &mut impl Write, answer: &Value) -> anyhow::Result<()> {
    writeln!(out, "{}", answer["sentence"].as_str().unwrap_or_default())?;
    for choice in answer["choices"].as_array().into_iter().flatten() {
        writeln!(out, "  - {}", choice["label"].as_str().unwrap_or_default())?;
    }
    let columns = answer["columns"].as_array().map_or(&[][..], Vec::as_slice);
    let rows = answer["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let language = match answer["language"].as_str() {
        Some("es") => Language::Es,
        _ => Language::En,
    };
    if rows.len() > 1 {
        let mut table = output::table::<0>([]);
        table.set_header(
            columns
                .iter()
                .map(|one| one["label"].as_str().unwrap_or_default()),
        );
        for row in rows.iter().take(SHOWN_ROWS) {
            let cells = row.as_array().map_or(&[][..], Vec::as_slice);
            let shown = cells.iter().zip(columns);
            table.add_row(shown.map(|(cell, column)| shown_cell(cell, column, language)));
        }
        writeln!(out, "\n{table}")?;
        if rows.len() > SHOWN_ROWS {
            writeln!(out, "  … {} rows in all; --json has them", rows.len())?;
        }
    }
    for note in strings(&answer["notes"]) {
        writeln!(out, "\x1b[2m{note}\x1b[0m")?;
    }
    if let Some(text) = answer["interpretation"]["text"].as_str() {
        writeln!(out, "\x1b[2m{text}\x1b[0m")?;
    }
    Ok(())
}

fn shown_cell(cell: &Value, column: &Value, language: Language) -> String {
    let unit = serde_json::from_value(column["unit"].clone()).ok();
    match (cell.as_f64(), unit) {
        (Some(number), Some(unit)) => sales_questions::answering::number(number, unit, language),
        _ => cell.as_str().unwrap_or("—").to_owned(),
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(Value::as_str)
}
