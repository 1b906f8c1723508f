//! How to provision.

use std::{path::PathBuf, time::Duration};

use crate::{Artifacts, Platform, cache::SYSTEM_CACHE};

/// Names a shared library that replaces the provisioned ONNX Runtime.
pub const ONNXRUNTIME_VARIABLE: &str = "PROMPTSALES_ONNXRUNTIME";
/// Names a directory with `bin/` that replaces the provisioned PostgreSQL.
pub const POSTGRES_VARIABLE: &str = "PROMPTSALES_POSTGRES";

/// How to provision; [`Options::default`] is right for everyone but tests.
#[derive(Clone, Debug)]
pub struct Options {
    /// The Python to use; by default `python3`, then `python`, from the PATH.
    pub python: Option<PathBuf>,
    /// Use this ONNX Runtime library and download none.
    pub onnxruntime: Option<PathBuf>,
    /// Use the PostgreSQL in this directory and download none.
    pub postgres: Option<PathBuf>,
    /// The machine to provision for.
    pub platform: Platform,
    /// What to provision; by default what is pinned for `platform`.
    pub artifacts: Option<Artifacts>,
    /// Where PostgreSQL is unpacked when this is root and the unprivileged user that the server
    /// runs as cannot reach the cache.
    pub shared_dir: PathBuf,
    /// How long pip may go without receiving a byte.
    pub stall: Duration,
    /// How long to wait for another process that is provisioning into the same cache.
    pub longest_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            python: None,
            onnxruntime: None,
            postgres: None,
            platform: Platform::current(),
            artifacts: None,
            shared_dir: PathBuf::from(SYSTEM_CACHE),
            stall: Duration::from_secs(180),
            longest_wait: Duration::from_secs(30 * 60),
        }
    }
}

impl Options {
    /// The defaults, with the overrides that the environment names.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let path = |name| {
            env(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            onnxruntime: path(ONNXRUNTIME_VARIABLE),
            postgres: path(POSTGRES_VARIABLE),
            ..Self::default()
        }
    }
}
