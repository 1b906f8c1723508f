//! A child process that does not outlive this one.

mod death;

use std::{
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};
use tokio::sync::{oneshot, watch};

use crate::user::Account;

/// A running child. Dropping it sends `at_end` and does not wait.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    alive: Arc<Mutex<bool>>,
    exit: watch::Receiver<Option<ExitStatus>>,
    at_end: Signal,
}

/// A command with nothing of this process's environment in it, running as `account`, that writes all
/// it says to `log`. A process group of its own keeps a Ctrl-C at the terminal from reaching it: it is
/// stopped in order, after its clients.
pub(super) fn command(program: &Path, account: Option<&Account>, log: File) -> io::Result<Command> {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        // The server's user may not be able to read the directory that we happen to be in.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    Ok(command)
}

impl Child {
    /// Starts `command`. `at_end` is sent when this process dies, or drops the child.
    ///
    /// The kernel sends it when the *thread* that started the child ends, so the child gets a thread
    /// of its own, which then waits for it.
    pub(super) async fn spawn(mut command: Command, at_end: Signal) -> io::Result<Self> {
        death::die_with_parent(&mut command, at_end);
        let (started, start) = oneshot::channel();
        let (ended, exit) = watch::channel(None);
        let thread_alive = Arc::new(Mutex::new(true));
        thread::Builder::new()
            .name("postgres-parent".to_owned())
            .spawn(move || {
                let mut child = match command.spawn() {
                    Ok(child) => child,
                    Err(error) => return drop(started.send(Err(error))),
                };
                let pid = Pid::from_child(&child);
                // If the caller has given up meanwhile, this is dropped here, and the child ends.
                drop(started.send(Ok(Self {
                    pid,
                    alive: thread_alive.clone(),
                    exit,
                    at_end,
                })));
                // Look first, reap later: until `alive` is false the pid cannot be another's.
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
                *thread_alive.lock().unwrap_or_else(PoisonError::into_inner) = false;
                ended.send_replace(child.wait().ok());
            })?;
        start
            .await
            .map_err(|_| io::Error::other("the child's thread ended"))?
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal, unless the child has ended.
    pub(super) fn signal(&self, signal: Signal) {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if *alive && let Err(error) = kill_process(self.pid, signal) {
            tracing::warn!(%error, pid = self.pid(), "a signal could not be sent");
        }
    }

    /// Waits for the end, however it comes. Can be called again.
    pub(super) async fn ended(&self) -> String {
        let mut exit = self.exit.clone();
        // An error means that the thread is gone, and the child with it.
        drop(exit.wait_for(Option::is_some).await);
        let status = *exit.borrow();
        status.map_or_else(|| "it ended".to_owned(), |status| status.to_string())
    }

    /// Waits for the end for so long.
    pub(super) async fn ended_within(&self, deadline: Duration) -> Option<String> {
        tokio::time::timeout(deadline, self.ended()).await.ok()
    }

    /// Did it end well? `None` while it runs.
    pub(super) fn succeeded(&self) -> Option<bool> {
        self.exit.borrow().as_ref().map(ExitStatus::success)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(self.at_end);
    }
}
