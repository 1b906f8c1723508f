//! An installed PostgreSQL.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::process::Command;

use super::PostgresError;

/// The oldest major version that the warehouse's SQL runs on.
const OLDEST: u32 = 16;
const BUSY_TRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A PostgreSQL that was found to run on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresInstall {
    root: PathBuf,
    version: String,
    major: u32,
}

impl PostgresInstall {
    /// Looks at the PostgreSQL whose programs are in `root`'s `bin/`, and asks it for its version.
    ///
    /// # Errors
    /// [`PostgresError::NotAnInstall`] when there is none that runs, [`PostgresError::TooOld`]
    /// before version 16.
    pub async fn inspect(root: &Path) -> Result<Self, PostgresError> {
        let not_usable = |reason: String| PostgresError::NotAnInstall {
            path: root.to_path_buf(),
            reason,
        };
        let root = root
            .canonicalize()
            .map_err(|error| not_usable(error.to_string()))?;
        for program in ["initdb", "postgres"] {
            if !root.join("bin").join(program).is_file() {
                return Err(not_usable(format!("there is no bin/{program}")));
            }
        }
        let output = ask_version(&root.join("bin/postgres"))
            .await
            .map_err(|error| not_usable(format!("bin/postgres cannot be run: {error}")))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said
            .split_whitespace()
            .nth(2)
            .filter(|_| output.status.success())
            .map(str::to_owned)
            .ok_or_else(|| {
                let error = String::from_utf8_lossy(&output.stderr);
                not_usable(format!("bin/postgres --version failed: {}", error.trim()))
            })?;
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        let major = digits
            .parse()
            .map_err(|_| not_usable(format!("its version {version:?} is not a number")))?;
        if major < OLDEST {
            return Err(PostgresError::TooOld {
                path: root,
                version,
            });
        }
        Ok(Self {
            root,
            version,
            major,
        })
    }

    /// The directory that holds `bin/`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its version, such as `18.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its major version, such as 18.
    pub fn major(&self) -> u32 {
        self.major
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.root.join("bin").join(name)
    }
}

/// Runs `postgres --version`.
async fn ask_version(program: &Path) -> io::Result<Output> {
    let mut attempts = 0;
    loop {
        let output = Command::new(program)
            .arg("--version")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        match output {
            // The program has just been written, and a process that another thread is starting has
            // it open until it executes something else.
            Err(error)
                if error.kind() == ErrorKind::ExecutableFileBusy && attempts < BUSY_TRIES =>
            {
                attempts += 1;
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            output => return output,
        }
    }
}
