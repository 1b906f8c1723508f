//! dlt, merging the same changed rows into the same server.

use std::{path::Path, process::Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    cli::Arguments,
    etl,
    report::{DOCUMENTED, Merged, Report},
    say,
    scene::Scene,
};

/// dlt's ways to merge: as its guide has it, and the quickest that it knows, by either strategy.
const WAYS: [&str; 3] = [DOCUMENTED, "quickest-upsert", "quickest-delete-insert"];

#[derive(Deserialize)]
struct Ready {
    version: String,
}

struct Peer {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    async fn start(python: &Path, scene: &Scene, way: &str) -> anyhow::Result<(Self, String)> {
        // dlt insists on a password, which the socket does not ask for.
        let url = |database| {
            let url = scene.postgres.url(database);
            url.replacen("postgres://", "postgresql://", 1)
                .replacen('@', ":none@", 1)
        };
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/dlt_merge.py"))
            .args([url("promptads"), url("dlt"), way.to_owned()])
            .env("RUNTIME__DLTHUB_TELEMETRY", "false")
            .env("RUNTIME__LOG_LEVEL", "ERROR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("dlt cannot be started")?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        let mut peer = Self {
            _child: child,
            input,
            output: BufReader::new(output).lines(),
        };
        let ready: Ready = peer.answer().await?;
        Ok((peer, ready.version))
    }

    async fn ask(&mut self, command: &str) -> anyhow::Result<Merged> {
        self.input.write_all(command.as_bytes()).await?;
        self.input.write_all(b"\n").await?;
        self.answer().await
    }

    async fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        match self.output.next_line().await? {
            Some(line) => Ok(serde_json::from_str(&line)?),
            None => bail!("dlt ended early"),
        }
    }
}

/// Alternates ours with dlt: the same rows of `ads.ad_daily` change, and both merge them by key.
pub async fn compare(
    scene: &mut Scene,
    python: &Path,
    arguments: &Arguments,
    report: &mut Report,
) -> anyhow::Result<()> {
    scene.postgres.ensure_database("dlt").await?;
    let mut peers = Vec::new();
    for way in WAYS {
        say(&format!("dlt loads all daily rows, to {way} into them"));
        let (mut peer, version) = Peer::start(python, scene, way).await?;
        let loaded = peer.ask("load").await?;
        report.peer(&version, way, loaded);
        peers.push((way, peer));
    }
    let rows = match arguments.merge_rows {
        Some(rows) => rows,
        None => scene.daily_rows().await? / 10,
    };
    for round in 1..=arguments.rounds {
        say(&format!(
            "merge of {rows} rows, round {round} of {}",
            arguments.rounds
        ));
        // Ours first in odd rounds: noise and warm caches then favour both alike.
        let ours_first = round % 2 == 1;
        let since = scene.change_daily_rows(rows).await?;
        let mut ours = None;
        if ours_first {
            ours = Some(etl::run(&scene.databases()).await?);
        }
        for (way, peer) in &mut peers {
            let merged = peer.ask(&format!("merge {since}")).await?;
            report.merged(way, merged);
        }
        let ours = match ours {
            Some(ours) => ours,
            None => etl::run(&scene.databases()).await?,
        };
        report.ours_merged(&ours);
        // What was changed while the run before read is read once more here, not in the next round.
        etl::run(&scene.databases()).await?;
    }
    Ok(())
}
