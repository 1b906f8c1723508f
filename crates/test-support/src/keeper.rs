//! Server processes that end with this one, however it ends.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

/// A busy machine takes longer than the second that a server needs.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// A signal takes a moment to reach all threads.
const STOPS_WITHIN: Duration = Duration::from_secs(5);
/// What the server says goes here, in its directory.
const LOG: &str = "log";

/// A running server.
#[derive(Debug)]
pub(crate) struct Kept {
    /// A shell that holds the server as its child and kills it once its standard input is closed.
    keeper: Child,
    pid: Pid,
    dir: PathBuf,
}

impl Kept {
    /// Starts a program. When this process ends, the server is killed and `dir`, its private
    /// directory, is removed.
    pub(crate) fn start(program: &OsStr, arguments: &[String], dir: &Path) -> Result<Self, String> {
        // The shell ends when the server does, so that a failed start is seen at once; and the
        // reader of its standard input, which closes when this process is gone, clears up. It kills
        // last, because the shell does not let it live longer than the server.
        const SCRIPT: &str = "exec 3<&0; dir=$1; shift; \
             \"$@\" >\"$dir/log\" 2>&1 </dev/null 3<&- & server=$!; \
             { cat <&3; rm -rf -- \"$dir\"; kill -9 $server; } >/dev/null 2>&1 & \
             echo $server; exec >/dev/null; wait $server; kill $!";
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(dir)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C is for the tests; the server ends after them.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("no shell: {error}"))?;
        let stdout = keeper.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| format!("no process id: {error}"))?;
        let pid = line.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("no process id in '{}'", line.trim()))?;
        Ok(Self {
            keeper,
            pid,
            dir: dir.to_owned(),
        })
    }

    /// Waits until it answers; kills it if it does not.
    pub(crate) async fn answering(
        mut self,
        answers: impl AsyncFn() -> bool,
    ) -> Result<Self, String> {
        let deadline = Instant::now() + STARTS_WITHIN;
        while Instant::now() < deadline && matches!(self.keeper.try_wait(), Ok(None)) {
            if answers().await {
                return Ok(self);
            }
            sleep(Duration::from_millis(5)).await;
        }
        let log = self.dir.join(LOG);
        self.kill();
        let log = fs::read_to_string(log).unwrap_or_default();
        let said = log.lines().last().unwrap_or("nothing").to_owned();
        Err(format!("it does not answer; it said: {said}"))
    }

    /// Kills it without a chance to say goodbye; its directory stays.
    pub(crate) fn kill(mut self) {
        kill_process(self.pid, Signal::KILL).ok();
        // The shell ends with it. Only then may its standard input close: that means our own end.
        let stdin = self.keeper.stdin.take();
        self.keeper.wait().ok();
        drop(stdin);
    }

    /// Sends a signal. A server that is to stop has stopped when this returns, every thread of it:
    /// on a busy machine one may go on and answer for a while.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).ok();
        let until = std::time::Instant::now() + STOPS_WITHIN;
        while signal == Signal::STOP && self.runs() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether some thread of the server is not stopped.
    fn runs(&self) -> bool {
        let tasks = format!("/proc/{}/task", self.pid.as_raw_nonzero());
        let Ok(tasks) = fs::read_dir(tasks) else {
            return false;
        };
        tasks.filter_map(Result::ok).any(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            // "PID (NAME) STATE ...", and a name may hold anything.
            let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            !(state.is_empty() || state.starts_with('T'))
        })
    }
}

/// A loopback port that was free a moment ago, for a server that cannot be given port 0.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

/// Where a program lies in one of the folders of PATH.
pub(crate) fn on_the_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
