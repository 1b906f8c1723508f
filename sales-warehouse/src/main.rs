//! The sales warehouse as a service of its own.

mod cli;

use std::process::ExitCode;

use service_kit::{
    settings,
    telemetry::{self, LogFormat},
};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = match settings::load::<cli::Arguments>() {
        Ok(arguments) => arguments,
        Err(code) => return Ok(code),
    };
    telemetry::init(LogFormat::Json, "info");
    cli::run(arguments).await
}
