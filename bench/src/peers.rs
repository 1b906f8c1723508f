//! Python libraries, each in a process of its own that waits while ours is measured.

pub mod venv;

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::{stats::Latency, texts::Texts};

/// How long a peer may take to import its library and load the model from a cold disk.
const START: Duration = Duration::from_secs(300);
/// How much longer than asked for a measurement may take: starting processes, a slow batch.
const SLACK: Duration = Duration::from_secs(180);

/// A peer at a thread count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerPlan {
    /// As in `peer_adapters.py`.
    pub name: &'static str,
    /// Threads, or processes, that it may use; ours gets as many sessions.
    pub threads: usize,
    /// Time single queries too. Not where they would run as in another row.
    pub queries: bool,
    /// Part of a quick run.
    pub quick: bool,
}

const fn plan(name: &'static str, threads: usize, queries: bool, quick: bool) -> PeerPlan {
    PeerPlan {
        name,
        threads,
        queries,
        quick,
    }
}

/// Every row of the comparison.
pub const PLANS: [PeerPlan; 8] = [
    plan("fastembed", 1, true, true),
    plan("fastembed", 2, true, true),
    plan("fastembed-processes", 2, false, false),
    plan("onnxruntime", 1, true, true),
    plan("onnxruntime", 2, true, false),
    plan("onnxruntime-sessions", 2, false, true),
    plan("sentence-transformers", 1, true, false),
    plan("sentence-transformers", 2, true, false),
];

/// The peer that knows the exact vectors.
const REFERENCE: &str = "reference";

/// A running peer.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    complaints: NamedTempFile,
    version: String,
    batches: Vec<u32>,
}

#[derive(Deserialize)]
struct Ready {
    version: String,
    batches: Vec<u32>,
}

#[derive(Deserialize)]
struct Rate {
    texts_per_second: f64,
}

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vec<f64>>,
}

impl Peer {
    /// Starts `peer_rounds.py` and waits until the library is loaded.
    pub async fn start(
        python: &Path,
        bench_dir: &Path,
        name: &str,
        threads: usize,
        texts: &Texts,
    ) -> anyhow::Result<Self> {
        let complaints = NamedTempFile::new()?;
        let mut child = Command::new(python)
            .arg(bench_dir.join("peer_rounds.py"))
            .args(["--peer", name, "--threads", &threads.to_string(), "--texts"])
            .arg(texts.bulk_file())
            .arg("--queries")
            .arg(texts.queries_file())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(complaints.path())?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot run {}", python.display()))?;
        let input = child.stdin.take().context("a peer without input")?;
        let output = child.stdout.take().context("a peer without output")?;
        let mut peer = Self {
            child,
            input,
            output: BufReader::new(output).lines(),
            complaints,
            version: String::new(),
            batches: Vec::new(),
        };
        let ready: Ready = peer.read(START).await?;
        peer.version = ready.version;
        peer.batches = ready.batches;
        Ok(peer)
    }

    /// Vectors of [`Texts::compared`], computed in float64.
    pub async fn reference(
        python: &Path,
        bench_dir: &Path,
        texts: &Texts,
    ) -> anyhow::Result<Vec<Vec<f64>>> {
        let mut peer = Self::start(python, bench_dir, REFERENCE, 1, texts).await?;
        let vectors = peer.vectors(1).await?;
        peer.stop().await?;
        Ok(vectors)
    }

    /// The library's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Batch sizes to measure at: its own default and the common one.
    pub fn batches(&self) -> &[u32] {
        &self.batches
    }

    /// Like [`crate::ours::Ours::query`].
    pub async fn query(&mut self, seconds: f64) -> anyhow::Result<Latency> {
        let command = json!({ "do": "query", "seconds": seconds });
        self.ask(&command, seconds).await
    }

    /// Like [`crate::ours::Ours::bulk`], split into batches of this size.
    pub async fn bulk(&mut self, batch: u32, seconds: f64) -> anyhow::Result<f64> {
        let command = json!({ "do": "bulk", "batch": batch, "seconds": seconds });
        let rate: Rate = self.ask(&command, seconds).await?;
        Ok(rate.texts_per_second)
    }

    /// Vectors of [`Texts::compared`].
    pub async fn vectors(&mut self, batch: u32) -> anyhow::Result<Vec<Vec<f64>>> {
        let command = json!({ "do": "vectors", "batch": batch });
        let answer: Vectors = self.ask(&command, 0.0).await?;
        Ok(answer.vectors)
    }

    /// Lets it end by itself.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.input);
        timeout(SLACK, self.child.wait())
            .await
            .context("the peer did not end")??;
        Ok(())
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        command: &Value,
        seconds: f64,
    ) -> anyhow::Result<T> {
        let line = format!("{command}\n");
        self.input
            .write_all(line.as_bytes())
            .await
            .context("the peer has ended")?;
        self.read(SLACK + Duration::from_secs_f64(seconds)).await
    }

    async fn read<T: DeserializeOwned>(&mut self, limit: Duration) -> anyhow::Result<T> {
        let Ok(line) = timeout(limit, self.output.next_line()).await else {
            bail!("took longer than {} s", limit.as_secs());
        };
        let Some(line) = line? else {
            let status = self.child.wait().await?;
            let said = fs::read(self.complaints.path()).unwrap_or_default();
            bail!("ended with {status}: {}", last_line(&said));
        };
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("answered with something else than JSON: {line:.80}"))?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            bail!("{error}");
        }
        Ok(serde_json::from_value(answer)?)
    }
}

/// The last line that says something.
fn last_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    last.unwrap_or("it said nothing").trim().to_owned()
}
