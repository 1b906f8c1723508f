//! Where a cluster lives, and as whom its server runs.

use std::{
    fs::{self, File, OpenOptions, Permissions, TryLockError},
    io::{Seek, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::PostgresError;
use crate::{
    cache,
    user::{self, Account},
};

const POINTER: &str = "postgres-location";
const LOCK: &str = "lock";
const LOG: &str = "postgres.log";
/// A log that has grown beyond this is moved aside at the next start.
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// The directory of one cluster, locked for this process.
#[derive(Debug)]
pub(super) struct Home {
    /// Absolute, without symbolic links.
    dir: PathBuf,
    /// The user to run as; `None` means this process's own.
    account: Option<Account>,
    /// Released by the system when this process ends, however it ends.
    _lock: File,
}

impl Home {
    /// Finds, creates and locks the home that belongs to `data_dir`.
    pub(super) fn open(data_dir: &Path, fallback_root: &Path) -> Result<Self, PostgresError> {
        let root = rustix::process::geteuid().is_root();
        create(data_dir, root)?;
        let data_dir = data_dir
            .canonicalize()
            .map_err(PostgresError::io("resolving", data_dir))?;
        let lock = lock(&data_dir)?;
        let dir = pointed_to(&data_dir)?;
        let mut home = Self {
            dir: dir.unwrap_or_else(|| data_dir.clone()),
            account: None,
            _lock: lock,
        };
        let owner = fs::metadata(home.cluster())
            .ok()
            .map(|metadata| metadata.uid());
        if !root {
            let me = rustix::process::geteuid().as_raw();
            return match owner.filter(|owner| *owner != me) {
                None => Ok(home),
                Some(owner) => Err(PostgresError::WrongOwner {
                    cluster: home.cluster(),
                    owner,
                    me,
                }),
            };
        }
        let account = account_for(owner)?;
        if let Some(blocked) = user::first_unreachable(&home.dir, &account) {
            if owner.is_some() || home.dir != data_dir {
                let user = account.name;
                return Err(PostgresError::Unreachable {
                    path: home.dir,
                    blocked,
                    user,
                });
            }
            home.dir = relocate(&data_dir, fallback_root, &account, &blocked)?;
        }
        home.account = Some(account);
        Ok(home)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.dir.join("cluster")
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Makes the server's user the owner of `path`, and closes it to everyone else.
    pub(super) fn hand_over(&self, path: &Path) -> Result<(), PostgresError> {
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(PostgresError::io("closing", path))?;
        match &self.account {
            Some(account) => chown(path, Some(account.uid), Some(account.gid))
                .map_err(PostgresError::io("giving away", path)),
            None => Ok(()),
        }
    }

    /// The server's log, open for appending, its path, and its length now.
    pub(super) fn log(&self) -> Result<(File, PathBuf, u64), PostgresError> {
        let path = self.dir.join(LOG);
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
            let old = self.dir.join(format!("{LOG}.1"));
            fs::rename(&path, &old).map_err(PostgresError::io("moving aside", &path))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(PostgresError::io("opening", &path))?;
        let length = file
            .metadata()
            .map_err(PostgresError::io("reading", &path))?
            .len();
        Ok((file, path, length))
    }
}

/// A directory made by root can be passed through by the server's user, whatever the umask; one that
/// was there before is left as it is.
fn create(dir: &Path, root: bool) -> Result<(), PostgresError> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir).map_err(PostgresError::io("creating", dir))?;
    if root {
        fs::set_permissions(dir, Permissions::from_mode(0o711))
            .map_err(PostgresError::io("opening up", dir))?;
    }
    Ok(())
}

fn lock(data_dir: &Path) -> Result<File, PostgresError> {
    let path = data_dir.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(PostgresError::io("opening", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = cache::holder(&path);
            return Err(PostgresError::InUse {
                data_dir: data_dir.to_path_buf(),
                pid,
            });
        }
        Err(TryLockError::Error(error)) => return Err(PostgresError::io("locking", &path)(error)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()))
        .map_err(PostgresError::io("writing", &path))?;
    Ok(file)
}

fn pointed_to(data_dir: &Path) -> Result<Option<PathBuf>, PostgresError> {
    let pointer = data_dir.join(POINTER);
    match fs::read_to_string(&pointer) {
        Ok(text) => {
            let target = PathBuf::from(text.trim_end_matches('\n'));
            if target.is_dir() {
                Ok(Some(target))
            } else {
                Err(PostgresError::LostCluster { pointer, target })
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PostgresError::io("reading", &pointer)(error)),
    }
}

/// A cluster that an ordinary user has made is served as that user; a new one as `nobody`.
fn account_for(owner: Option<u32>) -> Result<Account, PostgresError> {
    match owner.filter(|uid| *uid != 0) {
        Some(uid) => user::by_uid(uid).map_err(|_| PostgresError::NoAccount {
            wanted: format!("with id {uid}"),
        }),
        None => user::unprivileged().map_err(|_| PostgresError::NoAccount {
            wanted: "nobody".to_owned(),
        }),
    }
}

/// Moves the home to where `account` can get, and leaves a pointer in `data_dir`.
fn relocate(
    data_dir: &Path,
    fallback_root: &Path,
    account: &Account,
    blocked: &Path,
) -> Result<PathBuf, PostgresError> {
    let digest = hex::encode(Sha256::digest(data_dir.as_os_str().as_encoded_bytes()));
    let parent = fallback_root.join(&digest[..12]);
    let dir = parent.join("postgres");
    for folder in [fallback_root, &parent, &dir] {
        create(folder, true)?;
    }
    if let Some(blocked) = user::first_unreachable(&dir, account) {
        let user = account.name.clone();
        return Err(PostgresError::Unreachable {
            path: dir,
            blocked,
            user,
        });
    }
    let dir = dir
        .canonicalize()
        .map_err(PostgresError::io("resolving", &dir))?;
    write_whole(&data_dir.join(POINTER), dir.as_os_str().as_encoded_bytes())?;
    tracing::info!(
        data_dir = %data_dir.display(),
        blocked = %blocked.display(),
        user = account.name,
        cluster = %dir.display(),
        "the database server's user cannot reach the data directory; its cluster lives elsewhere"
    );
    Ok(dir)
}

/// Writes a small file whole or not at all.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> Result<(), PostgresError> {
    let temporary = path.with_extension("new");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    });
    written.map_err(PostgresError::io("writing", path))
}

/// The last lines of a log from `from` on, in bytes.
pub(super) fn log_tail(path: &Path, from: u64) -> String {
    const LINES: usize = 15;
    let bytes = fs::read(path).unwrap_or_default();
    let new = bytes
        .get(usize::try_from(from).unwrap_or(usize::MAX)..)
        .unwrap_or_default();
    let tail = crate::pip::tail(&String::from_utf8_lossy(new), LINES);
    if tail.is_empty() {
        "(nothing)".to_owned()
    } else {
        tail
    }
}
