//! One installation's directory, and who is using it.
//!
//! ```text
//! HOME/
//!   lock            held while a system runs here; names the holder's pid
//!   endpoints.json  where the running system listens; there once it serves
//!   identity/       keys and clients of the local authorization server, for the owner only
//!   postgres/       the database cluster: content, pgvector's index, campaigns, sales, the warehouse
//!   qdrant-edge/    the other index, one directory per model
//!   audit/          who asked what, a file a day, for 90 days
//!   imports.jsonl   what each row said when `import` last brought it in
//! ```

use std::{
    env, fs,
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::databases::Databases;

/// An installation's directory.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

/// Where a running system listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The process that serves.
    pub pid: u32,
    /// The authorization server.
    pub identity: Url,
    /// The embedding service.
    pub embedder: Url,
    /// The content API.
    pub content_api: Url,
    /// The warehouse service.
    pub sales_warehouse: Url,
    /// The MCP gateway, without the path `/mcp`.
    pub mcp_gateway: Url,
    /// The databases of campaigns, customers and sales.
    pub databases: Databases,
}

/// The right to run a system in a home; given back when dropped.
#[derive(Debug)]
pub struct HomeLock(#[allow(dead_code)] File);

impl Home {
    /// The directory asked for, or the usual one: `$XDG_DATA_HOME/promptsales`,
    /// `~/.local/share/promptsales`, or for root `/var/lib/promptsales/home`, where the
    /// unprivileged database server can reach it.
    pub fn resolve(asked: Option<PathBuf>) -> anyhow::Result<Self> {
        let directory = match asked {
            Some(directory) => std::path::absolute(directory)?,
            None => usual_directory()?,
        };
        Ok(Self(directory))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Keys and clients.
    pub fn identity(&self) -> PathBuf {
        self.0.join("identity")
    }

    /// Keys that seal personal data in `promptcrm`.
    pub fn personal_data_keys(&self) -> PathBuf {
        self.identity().join("personal-data.keys")
    }

    /// The database cluster.
    pub fn postgres(&self) -> PathBuf {
        self.0.join("postgres")
    }

    /// The Qdrant Edge index.
    pub fn qdrant_edge(&self) -> PathBuf {
        self.0.join("qdrant-edge")
    }

    /// Audit events.
    pub fn audit(&self) -> PathBuf {
        self.0.join("audit")
    }

    /// What seals them.
    pub fn audit_key(&self) -> PathBuf {
        self.identity().join("audit.key")
    }

    /// What imports remember.
    pub fn imports(&self) -> PathBuf {
        self.0.join("imports.jsonl")
    }

    /// Takes the lock, or says who has it: `Ok(Err(pid))`.
    pub fn try_lock(&self) -> anyhow::Result<Result<HomeLock, String>> {
        fs::create_dir_all(&self.0)
            .with_context(|| format!("cannot create the data directory {}", self.0.display()))?;
        let path = self.0.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("cannot write to the data directory: {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "{}", std::process::id())?;
                Ok(Ok(HomeLock(file)))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                Ok(Err(if holder.is_empty() {
                    "unknown".to_owned()
                } else {
                    holder
                }))
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {}", path.display()))
            }
        }
    }

    /// Where the running system listens; `None` while nothing is served.
    pub fn endpoints(&self) -> anyhow::Result<Option<Endpoints>> {
        let path = self.endpoints_file();
        match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json)
                .map(Some)
                .with_context(|| format!("{} is damaged; delete it", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Tells other processes where this one listens. Written aside and renamed: a reader sees the
    /// whole file or none.
    pub fn publish(&self, endpoints: &Endpoints) -> anyhow::Result<()> {
        let draft = self.0.join("endpoints.json.new");
        fs::write(&draft, serde_json::to_vec_pretty(endpoints)?)?;
        fs::rename(draft, self.endpoints_file())?;
        Ok(())
    }

    /// Takes back [`Self::publish`], also that of a process that was killed.
    pub fn withdraw(&self) -> anyhow::Result<()> {
        match fs::remove_file(self.endpoints_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn endpoints_file(&self) -> PathBuf {
        self.0.join("endpoints.json")
    }
}

fn usual_directory() -> anyhow::Result<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/promptsales/home".into());
    }
    if let Some(data) = set("XDG_DATA_HOME") {
        return Ok(data.join("promptsales"));
    }
    match set("HOME") {
        Some(home) => Ok(home.join(".local/share/promptsales")),
        None => bail!("neither HOME nor XDG_DATA_HOME is set; name a directory with --data-dir"),
    }
}
