//! Who may use the keys: one process at a time, and never a new keyring over old envelopes.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use sqlx::PgPool;

use super::{Keyring, PiiError};

/// A keyring's file while nobody else seals with its keys or rotates them.
///
/// A rotation must not drop a key under which somebody still seals, and a keyring in memory knows nothing of
/// keys that were added since. So whoever writes envelopes holds this from before it reads the file until
/// its rows are committed. The lock goes with the process, however that ends.
#[derive(Debug)]
pub struct Custody {
    path: PathBuf,
    _lock: File,
}

impl Custody {
    /// Takes it, or says that it is taken.
    ///
    /// # Errors
    /// [`PiiError::InUse`] at once when another process, or another part of this one, holds it.
    pub fn take(keyring: &Path) -> Result<Self, PiiError> {
        let mut beside = keyring.as_os_str().to_owned();
        beside.push(".lock");
        let failed = |source| PiiError::File {
            action: "lock",
            path: keyring.to_owned(),
            source,
        };
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&beside)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: keyring.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(PiiError::InUse {
                path: keyring.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The keyring of the file. Made if there is none, unless `promptcrm` holds an envelope: that can only
    /// have been sealed under a keyring that was lost.
    ///
    /// # Errors
    /// [`PiiError::Lost`]; what [`Keyring::load`] refuses.
    pub async fn keyring(&self, promptcrm: &PgPool) -> Result<Keyring, PiiError> {
        if let Some(keyring) = Keyring::load(&self.path)? {
            return Ok(keyring);
        }
        let sealed: bool = sqlx::query_scalar(include_str!("custody/sealed.sql"))
            .fetch_one(promptcrm)
            .await
            .map_err(|source| PiiError::Database {
                action: "look for sealed values",
                source,
            })?;
        if sealed {
            return Err(PiiError::Lost {
                path: self.path.clone(),
            });
        }
        Keyring::load_or_create(&self.path)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
