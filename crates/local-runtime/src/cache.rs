//! Where provisioned things live, and who may write there.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Progress, ProvisionError};

/// Where root's cache is: a place that the unprivileged database server can reach.
pub(crate) const SYSTEM_CACHE: &str = "/var/cache/promptsales";

const POLL: Duration = Duration::from_millis(100);

/// The cache directory; its layout is in the crate's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheDir(PathBuf);

impl CacheDir {
    /// The first of: `explicit`, `PROMPTSALES_CACHE_DIR`, and the system's place for caches
    /// (`/var/cache/promptsales` for root, else `$XDG_CACHE_HOME/promptsales` or
    /// `~/.cache/promptsales`). Nothing is created yet.
    ///
    /// # Errors
    /// [`ProvisionError::NoCacheDir`] when the environment names no place at all.
    pub fn resolve(
        explicit: Option<PathBuf>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProvisionError> {
        Self::resolve_as(rustix::process::geteuid().is_root(), explicit, env)
    }

    fn resolve_as(
        root: bool,
        explicit: Option<PathBuf>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ProvisionError> {
        let variable = |name| {
            env(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        // The base directory specification says to ignore a relative XDG_CACHE_HOME.
        let xdg = || variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let user = || xdg().or_else(|| variable("HOME").map(|home| home.join(".cache")));
        let chosen = explicit
            .or_else(|| variable("PROMPTSALES_CACHE_DIR"))
            .or_else(|| {
                if root {
                    Some(PathBuf::from(SYSTEM_CACHE))
                } else {
                    user().map(|base| base.join("promptsales"))
                }
            });
        let chosen = chosen.ok_or(ProvisionError::NoCacheDir)?;
        let path = std::path::absolute(&chosen)
            .map_err(|source| ProvisionError::at("resolving", &chosen, source))?;
        Ok(Self(path))
    }

    /// A cache at a given absolute path.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where downloaded wheels are kept; a wheel put here by hand is used if its checksum fits.
    pub fn wheels(&self) -> PathBuf {
        self.0.join("wheels")
    }

    /// Downloads and half-unpacked trees; renamed out of here when complete.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// Creates the directory and its folders.
    pub(crate) fn create(&self) -> Result<(), ProvisionError> {
        let fresh = !self.0.exists();
        for folder in [self.0.clone(), self.wheels(), self.scratch()] {
            fs::create_dir_all(&folder)
                .map_err(|source| ProvisionError::at("creating", &folder, source))?;
        }
        if fresh && rustix::process::geteuid().is_root() {
            // Whatever the umask: the database server runs as another user and passes through here.
            fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755))
                .map_err(|source| ProvisionError::at("opening up", &self.0, source))?;
        }
        Ok(())
    }

    /// Waits until this process alone may write here, then clears what a killed one left behind.
    pub(crate) async fn lock(
        &self,
        progress: &dyn Progress,
        longest_wait: Duration,
    ) -> Result<CacheLock, ProvisionError> {
        let path = self.0.join("lock");
        let failed = |source| ProvisionError::at("locking", &path, source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            if !told {
                progress.waiting(&self.0, &holder(&path));
                told = true;
            }
            let waited = started.elapsed();
            if waited > longest_wait {
                let holder = holder(&path);
                return Err(ProvisionError::Locked {
                    path: self.0.clone(),
                    holder,
                    waited,
                });
            }
            tokio::time::sleep(POLL).await;
        }
        let pid = std::process::id().to_string();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .map_err(failed)?;
        file.write_all(pid.as_bytes()).map_err(failed)?;
        self.clear_scratch();
        Ok(CacheLock { _file: file })
    }

    fn clear_scratch(&self) {
        let Ok(entries) = fs::read_dir(self.scratch()) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            if let Err(error) = removed {
                tracing::warn!(path = %path.display(), %error, "a leftover could not be removed");
            }
        }
    }
}

/// Held while writing to the cache; the system releases it however the process ends.
#[derive(Debug)]
pub(crate) struct CacheLock {
    _file: File,
}

/// The pid that a lock file names, for messages only.
pub(crate) fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(32).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(root: bool, explicit: Option<&str>, vars: &[(&str, &str)]) -> Option<String> {
        let env = |name: &str| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        CacheDir::resolve_as(root, explicit.map(PathBuf::from), &env)
            .ok()
            .map(|cache| cache.path().display().to_string())
    }

    #[test]
    fn the_most_explicit_choice_wins() {
        let all = [
            ("PROMPTSALES_CACHE_DIR", "/v"),
            ("XDG_CACHE_HOME", "/x"),
            ("HOME", "/h"),
        ];
        assert_eq!(resolve(false, Some("/e"), &all).as_deref(), Some("/e"));
        assert_eq!(resolve(false, None, &all).as_deref(), Some("/v"));
        assert_eq!(resolve(true, None, &all).as_deref(), Some("/v"));
        assert_eq!(
            resolve(true, None, &all[1..]).as_deref(),
            Some(SYSTEM_CACHE)
        );
        assert_eq!(
            resolve(false, None, &all[1..]).as_deref(),
            Some("/x/promptsales")
        );
        assert_eq!(
            resolve(false, None, &all[2..]).as_deref(),
            Some("/h/.cache/promptsales")
        );
    }

    #[test]
    fn empty_and_relative_variables_count_as_unset() {
        let vars = [
            ("PROMPTSALES_CACHE_DIR", ""),
            ("XDG_CACHE_HOME", "x"),
            ("HOME", "/h"),
        ];
        assert_eq!(
            resolve(false, None, &vars).as_deref(),
            Some("/h/.cache/promptsales")
        );
        assert_eq!(resolve(false, None, &[]), None);
    }
}
