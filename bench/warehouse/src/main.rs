//! Measures the warehouse's ETL, a bare COPY and Python's dlt in one run. How, and the last result:
//! `bench/warehouse/README.md`.

mod asking;
mod cli;
mod copy;
mod etl;
mod keyed;
mod peer;
mod report;
mod scene;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Parser;

use cli::{Arguments, Part};
use report::Report;
use scene::Scene;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    if let Some(databases) = etl::asked_for() {
        etl::child(&databases).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let arguments = Arguments::parse();
    if arguments.part == Part::Questions {
        let mut scene = Scene::set(&arguments).await?;
        let figures = asking::measure(&mut scene, arguments.rounds).await?;
        scene.stop().await?;
        writeln!(io::stdout(), "{figures}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = measure(&arguments).await?;
    writeln!(io::stdout(), "{}", report.text())?;
    if let Some(path) = &arguments.out {
        report.write_json(path)?;
    }
    if let Some(path) = &arguments.readme {
        report.write_readme(path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A line on standard error: standard output belongs to the result.
fn say(line: &str) {
    let _unseen = writeln!(io::stderr(), "{line}");
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Report> {
    let mut scene = Scene::set(arguments).await?;
    let mut report = Report::new(&scene, arguments.part);
    match arguments.part {
        Part::Questions => unreachable!("it has figures of its own"),
        Part::Etl => etl_part(arguments, &mut scene, &mut report).await?,
        Part::Merge => {
            scene.empty_warehouse().await?;
            etl::run(&scene.databases()).await?;
            let python = arguments.python.as_deref();
            let python = python.context("the merge has no peer: give --python with dlt")?;
            peer::compare(&mut scene, python, arguments, &mut report).await?;
        }
    }
    say("is the warehouse what a load from scratch would give?");
    report.verified(scene.verify().await?);
    scene.stop().await?;
    Ok(report)
}

async fn etl_part(
    arguments: &Arguments,
    scene: &mut Scene,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bytes = copy::Bytes::read(scene).await?;
    report.bytes(&bytes);
    for round in 1..=arguments.rounds {
        say(&format!(
            "initial load, round {round} of {}",
            arguments.rounds
        ));
        scene.empty_warehouse().await?;
        let copied = bytes.copy(scene).await?;
        let loaded = etl::run(&scene.databases()).await?;
        say(&scene.where_time_went().await?);
        let keyed = keyed::copy(scene).await?;
        report.load(copied, &loaded, keyed);
    }
    for round in 1..=arguments.rounds {
        say(&format!(
            "delta of 1 %, round {round} of {}",
            arguments.rounds
        ));
        let changed = scene.tick(scene.rows / 100, u64::from(round)).await?;
        let delta = etl::run(&scene.databases()).await?;
        say(&scene.where_time_went().await?);
        // What was changed while a read was under way is read once more.
        etl::run(&scene.databases()).await?;
        let empty = etl::run(&scene.databases()).await?;
        report.tick(changed, &delta, &empty);
    }
    Ok(())
}
