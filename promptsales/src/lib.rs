//! The one-binary edition, as a library that `main.rs` and the end-to-end tests run.
//!
//! [`embedded`] starts every service on loopback; [`session`] gives a command a system to talk to,
//! a running one or its own; [`commands`] holds one file per subcommand; [`import`]
//! brings a company's own images in.

pub mod cli;
pub mod commands;
pub mod databases;
pub mod embedded;
pub mod home;
pub mod import;
pub mod output;
pub mod sales;
pub mod session;
pub mod soak;

use std::{io, process::ExitCode};

use cli::Arguments;

/// Runs a parsed command line to its end and says how it went.
pub fn run(arguments: Arguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&error.into()),
    };
    match runtime.block_on(commands::run(arguments)) {
        Ok(code) => code,
        // The reader of our output has seen enough: `find … | head -1`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => output::failed(&error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
