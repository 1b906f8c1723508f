//! The content API as a service of its own.

mod cli;

use std::process::ExitCode;

use service_kit::{
    settings,
    telemetry::{LogFormat, Telemetry},
};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = match settings::load::<cli::Options>() {
        Ok(options) => options,
        Err(code) => return Ok(code),
    };
    let telemetry = Telemetry {
        service: "content-api",
        version: env!("CARGO_PKG_VERSION"),
        format: LogFormat::Json,
        filter: "info",
        traces: options.traces.clone(),
    };
    telemetry
        .around(cli::run(options))
        .await?
        .map(|()| ExitCode::SUCCESS)
}
