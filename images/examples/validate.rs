//! Prints everything that is wrong with the catalogue, and fails if anything is.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use images::{Catalogue, validate};

/// Checks the catalogue's rules.
#[derive(Parser)]
struct Arguments {
    /// Directory that holds `catalogue/` and `rendered/`; without it, the embedded catalogue.
    directory: Option<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let catalogue = match &arguments.directory {
        Some(directory) => Catalogue::from_directory(directory),
        None => Catalogue::bundled(),
    };
    let (count, faults) = match catalogue {
        Ok(catalogue) => (catalogue.len(), validate(&catalogue)),
        Err(error) => (0, error.faults),
    };
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() {
        println!("{count} entries, no fault");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
