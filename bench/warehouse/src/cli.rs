//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// What is measured. Each part fills sources of its own, so that they can be run apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// First loads, deltas, empty runs.
    Etl,
    /// The same merge by ours and by dlt.
    Merge,
    /// Answers to the development questions.
    Questions,
}

impl Part {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etl => "etl",
            Self::Merge => "merge",
            Self::Questions => "questions",
        }
    }
}

/// Measure the warehouse's ETL beside a bare COPY and dlt.
#[derive(Clone, Debug, Parser)]
#[command(version, about, max_term_width = 100, args_override_self = true)]
pub struct Arguments {
    /// What to measure.
    #[arg(long, value_enum)]
    pub part: Part,

    /// A twentieth of the full set, and two rounds.
    #[arg(long)]
    pub quick: bool,

    /// What the full set is divided by.
    #[arg(long, value_name = "N", default_value_t = 1, default_value_if("quick", "true", "20"),
        value_parser = clap::value_parser!(u32).range(1..=200))]
    pub divide: u32,

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
