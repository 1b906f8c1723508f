//! `eval ask`: how questions about sales are answered, on a warehouse of its own with the sample data.

use std::{io::Write, process::ExitCode};

use anyhow::Context;
use sales_warehouse::questions::eval::{Report, Scratch, evaluate};
use secrecy::SecretString;

use crate::{output, session::Session};

pub async fn run(session: &Session, as_json: bool) -> anyhow::Result<ExitCode> {
    let server = SecretString::from(session.endpoints().databases.warehouse.as_str());
    let scratch = Scratch::load(&server)
        .await
        .context("the sample could not be loaded into databases of its own")?;
    let report = evaluate(&scratch.questions).await;
    scratch.remove().await?;
    let report = report?;
    let mut out = output::out();
    if as_json {
        output::json(&mut out, &report)?;
    } else {
        show(&mut out, &report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(out: &mut impl Write, report: &Report) -> anyhow::Result<()> {
    let mut table = output::table([
        "split",
        "language",
        "questions",
        "exact",
        "answers",
        "silently wrong",
        "clarify",
        "decline",
    ]);
    let percent =
        |value: Option<f64>| value.map_or_else(|| "—".into(), |v| format!("{:.1} %", 100.0 * v));
    for row in &report.splits {
        table.add_row([
            row.split.clone(),
            row.language.code().to_owned(),
            row.questions.to_string(),
            percent(row.exact_match),
            percent(row.answer_accuracy),
            percent(row.silent_wrong),
            percent(row.clarify_recall),
            percent(row.decline_recall),
        ]);
    }
    writeln!(out, "{table}")?;
    for wrong in &report.wrong {
        writeln!(
            out,
            "\x1b[2m{} {}: {}\x1b[0m",
            wrong.split, wrong.id, wrong.what
        )?;
    }
    Ok(())
}
