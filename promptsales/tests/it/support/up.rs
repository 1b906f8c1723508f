//! A running `up`.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, ExitStatus, Stdio},
};

use promptsales::home::{Endpoints, Home};
use rustix::process::{Pid, Signal, kill_process};

use super::{TestHome, command, wait_for};

/// The last line that `up` prints before it does nothing but serve.
const SERVING: &str = "Ctrl-C stops everything, PostgreSQL included.";

/// A process of `up` and its home. Dropping it stops it, and fails the test when that leaves anything
/// running.
#[derive(Debug)]
pub struct Up {
    child: Child,
    home: Option<TestHome>,
}

impl Up {
    /// Starts `up` without the example searches, and waits until it serves.
    pub fn start(home: TestHome) -> Self {
        Self::start_with(home, &["up", "--no-examples"])
    }

    /// Starts a command that serves, and waits until it does.
    pub fn start_with(home: TestHome, arguments: &[&str]) -> Self {
        let mut up = Self::spawn(home, arguments);
        wait_for("up to serve", || {
            if let Some(status) = up.child.try_wait().unwrap() {
                panic!("up ended with {status}: {}", up.stderr());
            }
            up.stdout().contains(SERVING).then_some(())
        });
        up
    }

    /// Starts a command that serves, and does not wait.
    pub fn spawn(home: TestHome, arguments: &[&str]) -> Self {
        let child = command(&home)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create(home.beside(".out")).unwrap())
            .stderr(File::create(home.beside(".err")).unwrap())
            .spawn()
            .unwrap();
        let home = Some(home);
        Self { child, home }
    }

    pub fn home(&self) -> &TestHome {
        self.home.as_ref().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it has printed so far.
    pub fn stdout(&self) -> String {
        read(self.home().beside(".out"))
    }

    /// All that it has said on standard error so far.
    pub fn stderr(&self) -> String {
        read(self.home().beside(".err"))
    }

    /// Where it listens.
    pub fn endpoints(&self) -> Endpoints {
        let home = Home::resolve(Some(self.home().path().to_owned())).unwrap();
        home.endpoints().unwrap().unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("up to end", || self.child.try_wait().unwrap())
    }

    /// The home of a process that has ended.
    pub fn into_home(mut self) -> TestHome {
        assert!(self.child.try_wait().unwrap().is_some(), "up still runs");
        self.home.take().unwrap()
    }

    /// Ends it with a signal; when it is gone, so is everything that it started.
    pub fn stop(mut self, signal: Signal) -> (ExitStatus, TestHome) {
        self.signal(signal);
        let status = self.wait();
        let left = self.home().processes();
        assert!(left.is_empty(), "left behind: {left:?}");
        (status, self.into_home())
    }

    /// Ends it as a power cut would, and waits until the database server has noticed.
    pub fn kill(mut self) -> TestHome {
        self.signal(Signal::KILL);
        assert_eq!(self.wait().code(), None);
        let home = self.into_home();
        home.wait_until_deserted();
        home
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let Some(home) = self.home.take() else { return };
        if self.child.try_wait().unwrap().is_none() {
            self.signal(Signal::INT);
            self.wait();
        }
        let left = home.processes();
        assert!(
            left.is_empty() || std::thread::panicking(),
            "left behind: {left:?}"
        );
    }
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap()
}
