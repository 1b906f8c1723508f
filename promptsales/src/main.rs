//! PromptSales in one binary: every service on embedded defaults, and the command line.

use std::process::ExitCode;

use clap::Parser;
use promptsales::{cli::Arguments, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    arguments.start_logging();
    run(arguments)
}
