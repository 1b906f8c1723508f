//! The command line.

use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

/// Measure PromptSales beside its Python peers.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "promptsales-bench",
    version,
    about,
    max_term_width = 100,
    args_override_self = true
)]
pub struct Arguments {
    /// Fewer peers and shorter rounds: under four minutes, for a first look.
    #[arg(long)]
    pub quick: bool,

    /// Length of one measurement, in seconds; 3, or 1 with --quick.
    #[arg(long, value_name = "S", value_parser = positive_seconds)]
    pub seconds: Option<f64>,

    /// Rounds for each peer; 5, or 3 with --quick.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: Option<u32>,

    /// A Python that has the peers, instead of a virtual environment in the cache directory.
    #[arg(long, env = "PROMPTSALES_BENCH_PYTHON", value_name = "FILE")]
    pub python: Option<PathBuf>,

    /// Install sentence-transformers and PyTorch too: about 6 GB.
    #[arg(long)]
    pub with_torch: bool,

    /// The program to drive getContent with; the one beside this program when left out.
    #[arg(long, value_name = "FILE")]
    pub promptsales: Option<PathBuf>,

    /// Measure the system that already runs in this home, instead of starting one.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Where ONNX Runtime, PostgreSQL and the peers are kept.
    #[arg(long, env = "PROMPTSALES_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// The folder with peer_rounds.py and requirements.txt.
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_MANIFEST_DIR"), hide_default_value = true)]
    pub bench_dir: PathBuf,

    /// Write the figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,

    /// Replace the last result in this Markdown file.
    #[arg(long, value_name = "FILE")]
    pub readme: Option<PathBuf>,
}

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pace {
    /// A first look only.
    pub quick: bool,
    /// Length of one measurement.
    pub seconds: f64,
    /// Alternations for each peer.
    pub rounds: u32,
}

impl Arguments {
    /// The defaults, with what was asked for instead.
    pub fn pace(&self) -> Pace {
        let (seconds, rounds) = if self.quick { (1.0, 3) } else { (3.0, 5) };
        Pace {
            quick: self.quick,
            seconds: self.seconds.unwrap_or(seconds),
            rounds: self.rounds.unwrap_or(rounds),
        }
    }
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 600.0 => Ok(seconds),
        _ => Err("expected a number of seconds above 0, at most 600".to_owned()),
    }
}
