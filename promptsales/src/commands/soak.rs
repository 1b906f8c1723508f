//! `soak`: hours of use and faults on a system of its own, and all stores compared in the end.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    process::ExitCode,
    time::Duration,
};

use anyhow::bail;
use service_kit::listen::shutdown_signal;

use crate::{
    cli::{Global, SoakArguments},
    home::Home,
    output::{self, Progress},
    soak::{self, Report, Settings, part::Part},
};

/// Ends with failure when stores differ, an answer was wrong, or a request failed for no reason.
pub async fn run(global: &Global, options: &SoakArguments) -> anyhow::Result<ExitCode> {
    // Kept when something was found, for a look into it.
    let (home, temporary) = match &global.data_dir {
        Some(directory) => (Home::resolve(Some(directory.clone()))?, None),
        None => {
            let made = tempfile::Builder::new()
                .prefix("promptsales-soak-")
                .tempdir()?;
            // As root, the database server's user passes through.
            fs::set_permissions(made.path(), Permissions::from_mode(0o711))?;
            (Home::resolve(Some(made.path().join("home")))?, Some(made))
        }
    };
    let settings = Settings {
        home,
        cache_dir: global.cache_dir.clone(),
        load: Duration::from_secs(options.seconds),
        seed: options.seed,
        tamper: options.tamper,
        log: global.log.clone(),
    };
    let path = settings.home.path().to_owned();
    let progress = Progress::shown();
    let ran = tokio::select! {
        ran = Box::pin(soak::run(settings, &progress)) => ran,
        _ = shutdown_signal() => return Ok(ExitCode::from(130)),
    };
    let well = ran.as_ref().is_ok_and(Report::is_well);
    if let Some(temporary) = temporary
        && !well
    {
        let _kept = temporary.keep();
        progress.note(&format!("kept: {}", path.display()));
    }
    let report = ran?;
    let mut out = output::out();
    if options.json {
        output::json(&mut out, &report)?;
    } else {
        show(&mut out, &report)?;
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One service, for `soak` to kill.
pub async fn part(global: &Global, part: Part) -> anyhow::Result<ExitCode> {
    let Some(directory) = global.data_dir.clone() else {
        bail!("only `promptsales soak` starts parts");
    };
    soak::part::run(&Home::resolve(Some(directory))?, part).await?;
    Ok(ExitCode::SUCCESS)
}

fn show(out: &mut impl Write, report: &Report) -> anyhow::Result<()> {
    let mut table = output::table(["", ""]);
    for (name, figure) in [
        ("operations", report.operations),
        ("restarts", report.restarts),
        ("errors", report.errors),
        ("refused while something was down", report.refused),
        ("wrong answers", report.wrong_answers),
        ("differences", report.differences.len() as u64),
    ] {
        table.add_row([name, &figure.to_string()]);
    }
    let by_name = report.detail.faults.iter();
    for (name, count) in by_name.chain(&report.detail.operations) {
        table.add_row([&format!("  {name}"), &count.to_string()]);
    }
    for (name, count) in &report.detail.documents {
        table.add_row([&format!("  documents in {name}"), &count.to_string()]);
    }
    writeln!(out, "{table}")?;
    let told = report.differences.iter().map(|told| ("difference", told));
    let wrong = report.detail.wrong_samples.iter();
    let errors = report.detail.error_samples.iter();
    let skipped = report.detail.skipped.iter();
    for (kind, told) in told
        .chain(wrong.map(|told| ("wrong answer", told)))
        .chain(errors.map(|told| ("error", told)))
        .chain(skipped.map(|told| ("skipped", told)))
    {
        writeln!(out, "{kind}: {told}")?;
    }
    writeln!(out, "seed: {}", report.seed)?;
    Ok(())
}
