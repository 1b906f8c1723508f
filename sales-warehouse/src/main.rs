//! The sales warehouse as a service of its own.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use service_kit::telemetry::{self, LogFormat};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = cli::Arguments::parse();
    telemetry::init(LogFormat::Json, "info");
    cli::run(arguments).await
}
