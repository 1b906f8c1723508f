//! What can go wrong while provisioning, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Why ONNX Runtime or PostgreSQL could not be provisioned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvisionError {
    /// No folder for the cache can be derived from the environment.
    #[error(
        "no cache directory: neither PROMPTSALES_CACHE_DIR, XDG_CACHE_HOME nor HOME is set. \
         Set PROMPTSALES_CACHE_DIR to a writable directory with 150 MB free"
    )]
    NoCacheDir,
    /// No Python interpreter was found.
    #[error(
        "no Python was found (looked for {looked_for}), and pip is what downloads {wanted}. \
         Install Python 3 with pip (Debian: apt install python3-pip), or set {overrides}"
    )]
    NoPython {
        /// Commands that were tried.
        looked_for: String,
        /// What it was needed for.
        wanted: String,
        /// The environment variables that make it needless.
        overrides: String,
    },
    /// A Python was found, but it has no pip.
    #[error(
        "{python} has no pip ({detail}), and pip is what downloads {wanted}. Install it (Debian: \
         apt install python3-pip; elsewhere: {python} -m ensurepip), or set {overrides}"
    )]
    NoPip {
        /// The interpreter.
        python: String,
        /// What it said.
        detail: String,
        /// What it was needed for.
        wanted: String,
        /// The environment variables that make it needless.
        overrides: String,
    },
    /// pip failed, twice.
    #[error(
        "pip could not download {requirement} (tried {attempts} times). It said:\n{stderr}\n\
         Check the network, proxy and package index settings of pip, or copy {wheel} into \
         {wheels} and start again"
    )]
    DownloadFailed {
        /// What pip was asked for.
        requirement: &'static str,
        /// How often it was tried.
        attempts: u32,
        /// The last lines that pip printed.
        stderr: String,
        /// The wheel's file name.
        wheel: String,
        /// Where wheels are kept.
        wheels: PathBuf,
    },
    /// A downloaded wheel is not the pinned one.
    #[error(
        "{wheel} is not what was pinned: expected {expected_size} bytes with SHA-256 \
         {expected_sha256}, got {found_size} bytes with {found_sha256}. The file was removed; start \
         again to download it anew. If that repeats, the package index serves another file: do not \
         use it"
    )]
    ChecksumMismatch {
        /// The wheel's file name.
        wheel: String,
        /// Pinned size, bytes.
        expected_size: u64,
        /// Pinned SHA-256.
        expected_sha256: String,
        /// Size found, bytes.
        found_size: u64,
        /// SHA-256 found.
        found_sha256: String,
    },
    /// The cache cannot be written.
    #[error(
        "cannot write to the cache at {path}: {source}. Make it a writable directory, or set \
         PROMPTSALES_CACHE_DIR to one"
    )]
    CacheNotWritable {
        /// The path that could not be written.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk, or the user's quota, is full.
    #[error(
        "no space left for {path}. Free 150 MB there, or set PROMPTSALES_CACHE_DIR to a directory \
         on another disk, and start again"
    )]
    DiskFull {
        /// The path that could not be written.
        path: PathBuf,
    },
    /// There is no pinned wheel for this machine.
    #[error(
        "there is no pinned {wanted} for {os} on {arch} (only linux on x86_64 and aarch64). \
         Install it yourself and set {overrides}"
    )]
    UnsupportedPlatform {
        /// Operating system.
        os: String,
        /// Architecture.
        arch: String,
        /// What is missing.
        wanted: String,
        /// The environment variables to set.
        overrides: String,
    },
    /// The wheel fits its checksum but lacks what should be in it.
    #[error(
        "{wheel} does not contain {entry}. The pin of this release is wrong; set {variable} to an \
         installation of your own until it is mended"
    )]
    EntryMissing {
        /// The wheel's file name.
        wheel: String,
        /// The path that was expected inside.
        entry: String,
        /// The environment variable that replaces this artifact.
        variable: &'static str,
    },
    /// The wheel cannot be read as a zip archive.
    #[error("{wheel} cannot be unpacked: {reason}. Remove it from the cache and start again")]
    BrokenWheel {
        /// The wheel's path.
        wheel: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An override names something that cannot be used.
    #[error("{variable} is {path}, which cannot be used: {reason}")]
    OverrideInvalid {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        path: PathBuf,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// What was unpacked does not run on this machine.
    #[error(
        "the unpacked PostgreSQL does not run here: {reason}. It needs glibc 2.28 or newer; on \
         another system install PostgreSQL with pgvector and set {variable} to its directory"
    )]
    Unusable {
        /// What happened.
        reason: String,
        /// The environment variable that replaces this artifact.
        variable: &'static str,
    },
    /// Another process held the cache's lock for too long.
    #[error(
        "another process (pid {holder}) has been provisioning into {path} for over {} seconds. \
         Wait for it or stop it, and start again",
        waited.as_secs()
    )]
    Locked {
        /// The cache.
        path: PathBuf,
        /// Who holds the lock, as far as known.
        holder: String,
        /// How long this process waited.
        waited: Duration,
    },
    /// Any other failure of the file system or of starting a process.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl ProvisionError {
    /// Sorts a failed file operation in the cache into what a person can do about it.
    pub(crate) fn at(action: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.to_path_buf();
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => Self::DiskFull { path },
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::AlreadyExists => Self::CacheNotWritable { path, source },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    fn sorted(errno: Errno) -> ProvisionError {
        ProvisionError::at("writing", Path::new("/c/x"), errno.into())
    }

    #[test]
    fn a_full_disk_is_told_from_an_unwritable_cache() {
        for errno in [Errno::NOSPC, Errno::DQUOT] {
            assert!(
                matches!(sorted(errno), ProvisionError::DiskFull { .. }),
                "{errno}"
            );
        }
        for errno in [Errno::ACCESS, Errno::PERM, Errno::ROFS, Errno::NOTDIR] {
            assert!(
                matches!(sorted(errno), ProvisionError::CacheNotWritable { .. }),
                "{errno}"
            );
        }
        assert!(matches!(sorted(Errno::IO), ProvisionError::Io { .. }));
    }

    #[test]
    fn messages_say_what_to_do() {
        let full = sorted(Errno::NOSPC).to_string();
        assert!(
            full.contains("Free 150 MB") && full.contains("PROMPTSALES_CACHE_DIR"),
            "{full}"
        );
    }
}
