//! The embedding service as a process of its own.

mod cli;

use clap::Parser;
use service_kit::telemetry::{self, LogFormat};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = cli::Options::parse();
    telemetry::init(LogFormat::Json, "info");
    cli::run(options).await
}
