//! Measures ours and the Python peers in one run. How, and the last result: `bench/README.md`.

use std::process::ExitCode;

use clap::Parser;
use promptsales_bench::{cli::Arguments, run};

fn main() -> ExitCode {
    run(Arguments::parse())
}
