//! The sales warehouse as a service of its own.

mod cli;

use std::process::ExitCode;

use service_kit::{
    settings,
    telemetry::{LogFormat, Telemetry},
};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = match settings::load::<cli::Arguments>() {
        Ok(arguments) => arguments,
        Err(code) => return Ok(code),
    };
    let telemetry = Telemetry {
        service: "sales-warehouse",
        version: env!("CARGO_PKG_VERSION"),
        format: LogFormat::Json,
        filter: "info",
        traces: arguments.traces.clone(),
    };
    telemetry.around(cli::run(arguments)).await?
}
