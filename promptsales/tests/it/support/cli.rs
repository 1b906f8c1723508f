//! The command line, run to its end.

use std::{
    fs::File,
    io::{self, Seek, Write},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{TestHome, wait_for};

/// What a command left.
#[derive(Debug)]
pub struct Ran {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// It ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }
}

/// The binary for this home, without settings that the caller's environment may hold.
pub fn command(home: &TestHome) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promptsales"));
    command
        .arg("--data-dir")
        .arg(home.path())
        .env_remove("PROMPTSALES_DATA_DIR")
        .env_remove("RUST_LOG")
        .env("NO_COLOR", "1");
    command
}

/// Runs a command to its end.
pub fn run(home: &TestHome, arguments: &[&str]) -> Ran {
    run_with_input(home, arguments, b"")
}

/// The same with bytes to read.
pub fn run_with_input(home: &TestHome, arguments: &[&str], input: &[u8]) -> Ran {
    // Files, not pipes: nobody need read while it runs, and a child of it cannot keep them open.
    let (mut stdin, stdout, stderr) = (file(), file(), file());
    stdin.write_all(input).unwrap();
    stdin.rewind().unwrap();
    let mut child = command(home)
        .args(arguments)
        .stdin(Stdio::from(stdin))
        .stdout(stdout.try_clone().unwrap())
        .stderr(stderr.try_clone().unwrap())
        .spawn()
        .unwrap();
    let status = wait_for(&format!("{arguments:?} to end"), || {
        child.try_wait().unwrap()
    });
    Ran {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn file() -> File {
    tempfile::tempfile().unwrap()
}

fn text(mut file: File) -> String {
    file.rewind().unwrap();
    io::read_to_string(file).unwrap()
}
