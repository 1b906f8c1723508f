//! Starting the binary, and what it leaves.

use std::{
    fs::{self, File},
    os::fd::AsRawFd,
    path::Path,
    process::Stdio,
    time::Duration,
};

use sales_warehouse::source::System;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::{feed::Feed, warehouse::fixture::Fixture};

/// Longest that anything may take here; nothing waits for it otherwise.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Nobody issues tokens there.
pub const NOBODY: &str = "http://127.0.0.1:1/token";

/// The variables that it is started with, and no others of its own.
#[derive(Clone, Default)]
pub struct Environment(Vec<(&'static str, String)>);

impl Environment {
    pub fn new(warehouse: &str, ads: &str, crm: &str) -> Self {
        Self(vec![
            ("SALES_WAREHOUSE_DATABASE_URL", warehouse.to_owned()),
            ("SALES_WAREHOUSE_PROMPTADS_URL", ads.to_owned()),
            ("SALES_WAREHOUSE_PROMPTCRM_URL", crm.to_owned()),
            ("SALES_WAREHOUSE_TOKEN_URL", NOBODY.to_owned()),
        ])
    }

    pub fn of(fixture: &Fixture) -> Self {
        Self::new(
            &fixture.warehouse_url(),
            &fixture.world.ads_url(),
            &fixture.world.crm_url(),
        )
    }

    pub fn set(&mut self, variable: &'static str, value: &str) {
        self.0.push((variable, value.to_owned()));
    }

    /// With a change feed as the third source, whose secret is in `secret_file`.
    pub fn set_feed(&mut self, feed: &Feed, secret_file: &Path) {
        let (client, secret, audience) = Feed::client();
        fs::write(secret_file, secret).unwrap();
        self.set_source(System::PromptContent, feed.base().as_str());
        self.set("SALES_WAREHOUSE_TOKEN_URL", feed.token_url().as_str());
        self.set("SALES_WAREHOUSE_CONTENT_API_AUDIENCE", audience);
        self.set("SALES_WAREHOUSE_CLIENT_ID", client);
        self.set(
            "SALES_WAREHOUSE_CLIENT_SECRET_FILE",
            secret_file.to_str().unwrap(),
        );
    }

    /// The binary with them.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sales-warehouse"));
        command.env_remove("RUST_LOG");
        for (name, _) in std::env::vars() {
            if name.starts_with("SALES_WAREHOUSE_") {
                command.env_remove(name);
            }
        }
        let set = self.0.iter().map(|(name, value)| (name, value));
        command.args(arguments).envs(set);
        command
    }

    pub fn set_source(&mut self, system: System, url: &str) {
        let variable = match system {
            System::PromptAds => "SALES_WAREHOUSE_PROMPTADS_URL",
            System::PromptCrm => "SALES_WAREHOUSE_PROMPTCRM_URL",
            System::PromptContent => "SALES_WAREHOUSE_CONTENT_API_URL",
        };
        self.set(variable, url);
    }
}

/// What a process has left, or has left so far.
#[derive(Debug)]
pub struct Ran {
    /// `None` while it runs, and when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The first line of the log with this message.
    #[track_caller]
    pub fn log(&self, message: &str) -> Value {
        self.try_log(message)
            .unwrap_or_else(|| panic!("no '{message}': {self:?}"))
    }

    pub fn try_log(&self, message: &str) -> Option<Value> {
        let lines = self.stderr.lines();
        let mut entries = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        entries.find(|entry| entry["message"] == message)
    }
}

/// A process that runs.
pub struct Running {
    child: Child,
    stdout: File,
    stderr: File,
}

impl Running {
    pub fn start(environment: &Environment, arguments: &[&str]) -> Self {
        // Files, not pipes: nobody need read while it runs.
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let child = environment
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// What it has left so far.
    pub fn so_far(&mut self) -> Ran {
        let status = self.child.try_wait().unwrap();
        Ran {
            code: status.and_then(|status| status.code()),
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
        }
    }

    /// Waits for a line of the log.
    pub async fn said(&mut self, message: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let so_far = self.so_far();
            if let Some(entry) = so_far.try_log(message) {
                return entry;
            }
            assert!(so_far.code.is_none(), "it ended: {so_far:?}");
            assert!(tokio::time::Instant::now() < deadline, "{so_far:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.unwrap().success());
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ran {
        let waited = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        waited.unwrap().unwrap();
        self.so_far()
    }
}

/// Runs it to its end.
pub async fn run(environment: &Environment, arguments: &[&str]) -> Ran {
    Running::start(environment, arguments).ended().await
}

fn text(file: &File) -> String {
    // The process writes through the same offset: read from a place of one's own.
    let bytes = fs::read(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
