//! A virtual environment with the peers, in the cache directory and never in the checkout.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use local_runtime::CacheDir;
use sha2::{Digest, Sha256};
use tokio::{process::Command, time::timeout};

use crate::{cli::Arguments, say};

/// How long pip may take; PyTorch alone is gigabytes.
const PATIENCE: Duration = Duration::from_secs(40 * 60);
/// There once everything is installed.
const STAMP: &str = "complete";

/// The interpreter to run the peers with: the one asked for, else that of a virtual environment
/// which is made when it is not there yet. The error says why there is none.
pub async fn python(arguments: &Arguments, cache: &CacheDir) -> anyhow::Result<PathBuf> {
    match &arguments.python {
        Some(python) => Ok(python.clone()),
        None => {
            let name = if arguments.with_torch {
                "requirements-torch.txt"
            } else {
                "requirements.txt"
            };
            provide(&arguments.bench_dir, name, cache.path()).await
        }
    }
}

/// Makes the environment of a requirements file below `cache`, once per content of the files.
pub async fn provide(bench_dir: &Path, name: &str, cache: &Path) -> anyhow::Result<PathBuf> {
    let requirements = bench_dir.join(name);
    let folder = cache.join(format!("bench-venv-{}", digest(bench_dir, name)?));
    let python = folder.join("bin/python");
    if folder.join(STAMP).is_file() {
        return Ok(python);
    }
    if folder.exists() {
        // A run that was killed left it half made.
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
    say(&format!("installing the Python peers ({name}), once"));
    let venv = [OsStr::new("-m"), OsStr::new("venv"), folder.as_os_str()];
    succeed(Path::new("python3"), &venv).await?;
    let install = [
        OsStr::new("-m"),
        OsStr::new("pip"),
        OsStr::new("install"),
        OsStr::new("--quiet"),
        OsStr::new("--disable-pip-version-check"),
        OsStr::new("--requirement"),
        requirements.as_os_str(),
    ];
    succeed(&python, &install).await?;
    fs::write(folder.join(STAMP), "")?;
    Ok(python)
}

/// Names the content of every requirements file up to this one: one may include another.
fn digest(bench_dir: &Path, name: &str) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for file in ["requirements.txt", name] {
        let path = bench_dir.join(file);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        hash.update(&content);
    }
    Ok(hex::encode(hash.finalize())[..12].to_owned())
}

async fn succeed(program: &Path, arguments: &[&OsStr]) -> anyhow::Result<()> {
    let running = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(PATIENCE, running)
        .await
        .with_context(|| format!("{} took longer than 40 minutes", program.display()))?
        .with_context(|| {
            format!(
                "cannot run {}; install Python 3 with venv and pip, or name one with --python",
                program.display()
            )
        })?;
    if !output.status.success() {
        // venv speaks on standard output, pip on standard error.
        let said = [output.stdout, output.stderr].concat();
        let what = Path::new(arguments[1]).display();
        bail!(
            "{what} failed with {}: {}",
            output.status,
            super::last_line(&said)
        );
    }
    Ok(())
}
