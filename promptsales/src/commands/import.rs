//! `import`: a company's own images, from a folder or a table.

use std::{io::Write, process::ExitCode, sync::Mutex, time::Instant};

use contracts::Scope;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::{
    cli::ImportArguments,
    embedded::{API_AUDIENCE, CLI_CLIENT},
    import::{self, ContentClient, Defaults, Ledger, Outcome, Refusal, Report, Rules, Source},
    output::{self, Progress},
    session::Session,
};

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    seconds: f64,
}

/// Opens what is to be imported. Before a system is started for it: a wrong path should be said at once.
pub fn source(options: &ImportArguments) -> anyhow::Result<Source> {
    let defaults = Defaults {
        lang: options.lang,
        holder: options.holder.clone(),
        licence: options.licence.clone(),
    };
    Source::open(&options.source, defaults)
}

pub async fn run(
    session: &Session,
    options: &ImportArguments,
    source: Source,
) -> anyhow::Result<ExitCode> {
    let client = client(session, options.approve)?;
    let ledger = Mutex::new(Ledger::open(&session.home().imports())?);
    let bar = bar(source.total);
    let began = Instant::now();
    let step = |outcome: &Outcome| {
        bar.inc(1);
        if let (Outcome::Refused(refusal), false) = (outcome, options.json) {
            bar.suspend(|| say(refusal));
        }
    };
    let rules = Rules {
        approve: options.approve,
        restore: options.restore_deleted,
    };
    let report = import::run(&client, source, rules, &ledger, step).await;
    bar.finish_and_clear();
    let report = report?;
    session.settle(&Progress::at_terminal()).await?;
    let seconds = began.elapsed().as_secs_f64();
    let mut out = output::out();
    if options.json {
        let report = &report;
        output::json(&mut out, &Answer { report, seconds })?;
    } else {
        report.show(&mut out, seconds)?;
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Approving is a right of its own: without it, what changes an approved document makes a draft of it.
fn client(session: &Session, approve: bool) -> anyhow::Result<ContentClient> {
    let mut scopes = vec![Scope::ContentRead, Scope::ContentWrite];
    scopes.extend(approve.then_some(Scope::ContentApprove));
    let tokens = session.tokens_for(CLI_CLIENT, &scopes, API_AUDIENCE)?;
    let base = session.endpoints().content_api.clone();
    Ok(ContentClient::new(base, session.http().clone(), tokens))
}

/// At a terminal only.
fn bar(total: u64) -> ProgressBar {
    let template = "  {bar:30} {pos} of {len} · {per_sec} · {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// As it comes: a long import need not be waited for. The count at the end stands when nobody reads.
fn say(refusal: &Refusal) {
    let _unread = writeln!(output::out(), "{}: {}", refusal.place, refusal.reason);
}
