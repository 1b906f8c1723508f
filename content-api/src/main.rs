//! The content API as a service of its own.

mod cli;

use std::process::ExitCode;

use service_kit::{
    settings,
    telemetry::{self, LogFormat},
};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = match settings::load::<cli::Options>() {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    telemetry::init(LogFormat::Json, "info");
    cli::run(options).await?;
    Ok(ExitCode::SUCCESS)
}
