//! `route`: which system a question is for; `eval route`: how often that is right.

use std::{io::Write, process::ExitCode};

use anyhow::bail;
use contracts::{Problem, limits::MAX_QUERY_CHARS};
use mcp_gateway::{
    Gateway,
    routing::{Decision, eval::evaluate},
};
use serde_json::{Value, json};

use crate::{cli::RouteArguments, commands::batch, output, session::Session};

pub async fn run(session: &Session, options: &RouteArguments) -> anyhow::Result<ExitCode> {
    let gateway = session.gateway()?;
    if let Some(file) = &options.batch {
        return batch::run(file, async |question| {
            let decision = decide(&gateway, &question.text, question.lang).await;
            Ok(decision.map(|decision| shown(&decision)))
        })
        .await;
    }
    let text = options.question.join(" ");
    let decision = match decide(&gateway, &text, None).await {
        Ok(decision) => decision,
        Err(problem) => return Err(output::refused(&problem)),
    };
    let mut out = output::out();
    if options.json {
        output::json(&mut out, &shown(&decision))?;
    } else {
        let (other, score) = decision.runner_up;
        writeln!(
            out,
            "{} ({:.2}; next {other} {score:.2})",
            decision.route, decision.score
        )?;
        for service in &decision.missing {
            writeln!(out, "\x1b[2mwithout what {service} says\x1b[0m")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn decide(
    gateway: &Gateway,
    text: &str,
    language: Option<contracts::Language>,
) -> Result<Decision, Problem> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > MAX_QUERY_CHARS {
        let detail = format!(
            "A question has from 1 to {MAX_QUERY_CHARS} characters; this one has {length}."
        );
        return Err(Problem::new(
            400,
            "invalid-question",
            "Invalid question",
            detail,
        ));
    }
    Ok(gateway.route(text, language).await)
}

fn shown(decision: &Decision) -> Value {
    let mut shown = json!({
        "route": decision.route,
        "score": decision.score,
        "runner_up": decision.runner_up.0,
        "runner_up_score": decision.runner_up.1,
    });
    if !decision.missing.is_empty() {
        let missing: Vec<&str> = decision
            .missing
            .iter()
            .map(|service| service.name())
            .collect();
        shown["missing"] = json!(missing);
    }
    shown
}

pub async fn eval(session: &Session, as_json: bool) -> anyhow::Result<ExitCode> {
    let report = match evaluate(&session.gateway()?).await {
        Ok(report) => report,
        Err(error) => bail!(error),
    };
    let mut out = output::out();
    if as_json {
        output::json(&mut out, &report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(["split", "utterances", "accuracy", "out-of-scope recall"]);
    for row in &report.splits {
        table.add_row([
            row.split.to_owned(),
            row.utterances.to_string(),
            format!("{:.1} %", 100.0 * row.accuracy),
            format!("{:.1} %", 100.0 * row.out_of_scope_recall),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(ExitCode::SUCCESS)
}
