//! A run of the ETL in a process of its own, whose memory is then the service's and nothing else's.

use std::{env, fs, process::Stdio, time::Instant};

use anyhow::{Context, bail, ensure};
use sales_warehouse::{
    Warehouse,
    etl::{self, RunStatus},
};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::scene::Databases;

/// Says to this program that it is to run the ETL, and where.
const DATABASES: &str = "WAREHOUSE_BENCH_DATABASES";

/// What one run took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Run {
    pub seconds: f64,
    /// Rows that the sources sent.
    pub rows_read: i64,
    /// Most memory that the process had, bytes.
    pub peak_bytes: u64,
}

/// Runs the ETL in a child.
pub async fn run(databases: &Databases) -> anyhow::Result<Run> {
    let output = Command::new(env::current_exe()?)
        .env(DATABASES, serde_json::to_string(databases)?)
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "the ETL failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("the ETL's answer cannot be read")
}

/// Whether this process is such a child, and where its databases are.
pub fn asked_for() -> Option<String> {
    env::var(DATABASES).ok()
}

/// The child's work.
pub async fn child(databases: &str) -> anyhow::Result<()> {
    let databases: Databases = serde_json::from_str(databases)?;
    let warehouse = Warehouse::connect(&databases.warehouse.as_str().into()).await?;
    let begun = Instant::now();
    let report = etl::run_once(&warehouse, &databases.sources()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    if report.status != RunStatus::Succeeded {
        bail!("{report:?}");
    }
    let run = Run {
        seconds,
        rows_read: report.sources.iter().map(|source| source.rows_read).sum(),
        peak_bytes: peak_bytes()?,
    };
    serde_json::to_writer(std::io::stdout(), &run)?;
    Ok(())
}

/// This process's resident memory at its largest, as Linux counts it.
fn peak_bytes() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes: u64 = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("the system does not tell peak memory")?
        .parse()?;
    Ok(kibibytes * 1024)
}
