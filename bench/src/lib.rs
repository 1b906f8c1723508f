//! Measures the embedder beside Python's embedding libraries, and getContent, in one run.
//!
//! [`rounds`] alternates [`ours`] with each of the [`peers`]; [`get_content`] drives a running
//! system over HTTP; [`report`] turns the figures into tables, JSON and the README's last section.

pub mod cli;
pub mod get_content;
pub mod machine;
pub mod ours;
pub mod peers;
pub mod report;
pub mod rounds;
pub mod stats;
pub mod texts;

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use cli::Arguments;
use local_runtime::{CacheDir, Options, provision};
use machine::Machine;
use report::Report;
use service_kit::Clock;
use texts::Texts;

/// Runs the whole benchmark. The exit code is a failure when ours could not be measured, not when a
/// peer was missing or a target was missed.
pub fn run(arguments: Arguments) -> ExitCode {
    let measured = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(measure(&arguments, &Clock::system())));
    match measured {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A line on standard error: standard output belongs to the result.
pub(crate) fn say(line: &str) {
    let _unseen = writeln!(io::stderr(), "{line}");
}

async fn measure(arguments: &Arguments, clock: &Clock) -> anyhow::Result<ExitCode> {
    let variable = |name: &str| env::var(name).ok();
    let cache = CacheDir::resolve(arguments.cache_dir.clone(), &variable)?;
    let bars = local_runtime::progress::on_stderr();
    let provisioned = provision(&cache, &Options::from_env(&variable), bars.as_ref()).await?;

    let machine = Machine::look();
    machine.warn_if_busy();
    let texts = Texts::of_the_project()?;
    let pace = arguments.pace();
    let python = peers::venv::python(arguments, &cache).await;
    let embedding = rounds::run(
        &provisioned.onnxruntime,
        python,
        &arguments.bench_dir,
        &texts,
        &pace,
    )
    .await?;
    let get_content = get_content::run(arguments, &texts, &pace).await;

    let failed = get_content.is_err();
    let report = Report::new(clock.now(), machine, pace, embedding, get_content);
    writeln!(io::stdout(), "{}", report.text())?;
    if let Some(path) = &arguments.out {
        report.write_json(path)?;
    }
    if let Some(path) = &arguments.readme {
        report.write_readme(path)?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
