//! `etl`, `tick` and `verify`: moving changes to the warehouse, making some, and proving that they came.

use std::{io::Write, process::ExitCode};

use sales_warehouse::{demo, etl::RunReport, etl::RunStatus, verify};
use service_kit::Clock;

use crate::{
    cli::TickArguments,
    output::{self, Progress},
    sales::Sales,
};

/// One run now, instead of in four minutes at most.
pub async fn run(sales: &Sales, as_json: bool) -> anyhow::Result<ExitCode> {
    let report = sales.run_etl(waiting).await?;
    let mut out = output::out();
    if as_json {
        output::json(&mut out, &report)?;
        return Ok(code(&report));
    }
    show(&mut out, &report)
}

/// Says why nothing seems to happen.
pub fn waiting() {
    Progress::shown().note("another run is at work; waiting for it");
}

/// Realistic changes in the operational databases.
pub async fn tick(sales: &Sales, options: &TickArguments) -> anyhow::Result<ExitCode> {
    let now = Clock::system().now();
    // By default another seed each time: the same changes again would find their rows taken.
    let seed = options.seed.unwrap_or(now.unix_timestamp_nanos() as u64);
    let changes = options.source_changes;
    let (custody, keyring) = sales.keyring().await?;
    let ticked = demo::tick(&sales.sources, &keyring, changes, seed, now).await?;
    drop(custody);
    let mut out = output::out();
    let mut table = output::table(["change", "rows"]);
    for (name, rows) in &ticked.changes {
        table.add_row([name.replace('_', " "), rows.to_string()]);
    }
    writeln!(
        out,
        "{table}\n{} rows changed; the warehouse takes them in with its next run, or now: promptsales etl",
        ticked.rows()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Is the warehouse what a load from scratch would give?
pub async fn verify(sales: &Sales, as_json: bool) -> anyhow::Result<ExitCode> {
    let found = verify::verify(&sales.warehouse, &sales.configs).await?;
    let mut out = output::out();
    if as_json {
        output::json(&mut out, &found)?;
    } else {
        let mut table = output::table(["table", "rows", "checksum", "expected", ""]);
        for one in &found.tables {
            let mark = if one.checksum == one.expected {
                ""
            } else {
                "differs"
            };
            let rows = one.rows.to_string();
            table.add_row([one.name.as_str(), &rows, &one.checksum, &one.expected, mark]);
        }
        let verdict = if found.equal { "equal" } else { "NOT equal" };
        writeln!(out, "{table}\n{verdict}")?;
    }
    Ok(if found.equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A run for a person.
pub fn show(out: &mut impl Write, report: &RunReport) -> anyhow::Result<ExitCode> {
    let mut table = output::table([
        "source",
        "read",
        "new",
        "changed",
        "deleted",
        "quarantined",
        "agrees",
        "ms",
    ]);
    for source in &report.sources {
        let agrees = match source.reconciled {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "no change",
        };
        table.add_row([
            source.source.to_owned(),
            source.rows_read.to_string(),
            source.inserted.to_string(),
            source.updated.to_string(),
            source.deleted.to_string(),
            source.quarantined.to_string(),
            agrees.to_owned(),
            source.duration_ms.to_string(),
        ]);
    }
    writeln!(out, "{table}")?;
    for source in &report.sources {
        if let Some(error) = &source.error {
            writeln!(out, "{}: {error}", source.source)?;
        }
        for notice in &source.notices {
            writeln!(out, "{}: {notice}", source.source)?;
        }
    }
    let message = report.message.as_deref().unwrap_or_default();
    writeln!(
        out,
        "run {}: {:?} in {} ms {message}",
        report.run_id, report.status, report.duration_ms
    )?;
    Ok(code(report))
}

fn code(report: &RunReport) -> ExitCode {
    if report.status == RunStatus::Failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
