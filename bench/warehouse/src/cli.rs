//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Measure the warehouse's ETL beside a bare COPY and dlt.
#[derive(Clone, Debug, Parser)]
#[command(version, about, max_term_width = 100, args_override_self = true)]
pub struct Arguments {
    /// A twentieth of the full set, and two rounds.
    #[arg(long)]
    pub quick: bool,

    /// Measure how long answers to questions take, and nothing else.
    #[arg(long)]
    pub questions: bool,

    /// Rounds of each measurement.
    #[arg(long, value_name = "N", default_value_t = 3, default_value_if("quick", "true", "2"),
        value_parser = clap::value_parser!(u32).range(1..=50))]
    pub rounds: u32,

    /// Rows that are changed for the merge; a tenth of the daily rows when left out.
    #[arg(long, value_name = "N")]
    pub merge_rows: Option<i64>,

    /// A Python that has dlt (requirements.txt).
    #[arg(long, value_name = "FILE")]
    pub python: Option<PathBuf>,

    /// Where PostgreSQL is kept.
    #[arg(long, env = "PROMPTSALES_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Write the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Replace the last result in this Markdown file.
    #[arg(long, value_name = "FILE")]
    pub readme: Option<PathBuf>,
}
