//! Personal data at rest: envelopes, keys, the hash to join by, and rotation.
//!
//! `crm.customers` keeps names, addresses and the like as envelopes, which nothing but a holder of the
//! keyring opens. An envelope is
//!
//! ```text
//! byte   0        1 ..= 4           5 ..= 16   17 ..
//!        version  key id, big end.  nonce      AES-256-GCM ciphertext and its 16 bytes of tag
//! ```
//!
//! The associated data are the header and the cell (table, column, row), so that an envelope moved to
//! another row or column does not open. Nonces are random, 96 bits: rotate long before 2^32 envelopes of
//! one key (NIST SP 800-38D, 8.3).
//!
//! What must be compared without being read, an email, is compared by [`Keyring::join_hash`]. Its key is
//! not rotated with the others: under another one nothing would join any more.

mod cells;
mod custody;
mod envelope;
mod keyring;
mod rotate;

use std::{fmt, io, path::PathBuf};

pub use cells::{CUSTOMERS, Cell, CustomerColumn};
pub use custody::Custody;
pub use keyring::Keyring;
pub use rotate::{Rotated, keys_in_use, rotate};

/// Which key sealed an envelope. Newer keys have greater ids; steps between them are random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What goes wrong with personal data. Never holds any.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PiiError {
    /// Too short, or of a version that is not known.
    #[error("{cell} holds no envelope of version 1")]
    Malformed {
        /// Where it stands.
        cell: Cell,
    },
    /// The keyring does not hold the key.
    #[error("{cell} is sealed under key {key}, which the keyring does not hold")]
    UnknownKey {
        /// Where it stands.
        cell: Cell,
        /// The key that the envelope names.
        key: KeyId,
    },
    /// It was changed, belongs to another cell, or was sealed under another key of the same id.
    #[error("{cell} does not open: it was tampered with, moved, or sealed under another key")]
    Refused {
        /// Where it stands.
        cell: Cell,
    },
    /// It opens to bytes that are no text.
    #[error("{cell} opens to something that is not UTF-8")]
    NotText {
        /// Where it stands.
        cell: Cell,
    },
    /// The cryptographic library gave up.
    #[error("cannot {0}: the cryptographic library failed")]
    Crypto(&'static str),
    /// The newest key, or one that is not there.
    #[error("key {0} cannot be removed: it is the newest, or not in the keyring")]
    NotRemovable(KeyId),
    /// The ids are used up.
    #[error("no id is left for another key: make a keyring anew, and seal everything under it")]
    NoMoreIds,
    /// The keyring's file is gone, and what was sealed under its keys is not.
    #[error(
        "the keyring {path} is gone, but crm.customers holds values sealed under its keys: restore it from \
         its backup. Only where there is none, delete those customers, and a new keyring is made"
    )]
    Lost {
        /// Where it should be.
        path: PathBuf,
    },
    /// Somebody else seals or rotates.
    #[error(
        "the keyring {path} is in use: a load, a tick or a rotation is at work. Try again when it is done"
    )]
    InUse {
        /// The keyring.
        path: PathBuf,
    },
    /// The keyring's file cannot be read or written.
    #[error("cannot {action} the keyring {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Others may read the keyring's file.
    #[error("the keyring {path} has mode {mode:o}; expected 600: chmod 600, and rotate the keys")]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The keyring's file is not what it should be.
    #[error("the keyring {path} is damaged: {reason}; restore it from its backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `promptcrm` failed.
    #[error("cannot {action} in promptcrm")]
    Database {
        /// What was tried.
        action: &'static str,
        /// The cause.
        source: sqlx::Error,
    },
}
