//! Processes that are killed on purpose, and that end with this one, however it ends.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// What a part says on standard output when it serves.
pub const SERVING: &str = "serving";
/// A start reads the model and levels the indexes; a busy machine takes its time.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
/// After standard input was closed. Open requests are given ten seconds.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// A process with a group of its own. It ends when its standard input does, which this process holds.
pub struct Process {
    child: Child,
    group: Pid,
    /// Kept open: a part that may not write ends.
    stdout: Option<ChildStdout>,
    log: PathBuf,
}

impl Process {
    /// Starts a command; what it says on standard error is added to `log`.
    pub fn spawn(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let said = File::options().create(true).append(true).open(log)?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("a part does not start")?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = group.context("a part ended at once")?;
        let stdout = child.stdout.take();
        Ok(Self {
            child,
            group,
            stdout,
            log: log.to_owned(),
        })
    }

    /// Waits until it says that it serves.
    pub async fn serving(&mut self, name: &str) -> anyhow::Result<()> {
        let stdout = self.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        let read = timeout(STARTS_WITHIN, lines.read_line(&mut line)).await;
        self.stdout = Some(lines.into_inner());
        match read {
            Ok(Ok(_)) if line.trim() == SERVING => Ok(()),
            Ok(_) => bail!("{name} did not start; {} says why", self.log.display()),
            Err(_) => bail!("{name} did not start within {STARTS_WITHIN:?}"),
        }
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.signal(Signal::KILL);
        self.child.wait().await?;
        Ok(())
    }

    /// Asks it to end in order.
    pub async fn stop(mut self, name: &str) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        match timeout(STOPS_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(_) => bail!(
                "{name} did not stop in order; {} says why",
                self.log.display()
            ),
            Err(_) => bail!("{name} did not stop within {STOPS_WITHIN:?}"),
        }
    }

    /// To the whole group.
    pub fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.group, signal) {
            tracing::warn!(%error, "a signal could not be sent");
        }
    }
}

/// Wraps a server that does not look at its standard input into a shell that does.
pub fn kept(program: &Path, arguments: &[&str]) -> Command {
    const SCRIPT: &str = "exec 3<&0; \"$@\" </dev/null 3<&- & server=$!; \
        { cat <&3 >/dev/null; kill -9 $server; } & wait $server; kill $!";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "keeper"]);
    command.arg(program).args(arguments);
    command
}
