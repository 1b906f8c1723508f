//! What can go wrong outside a token request.

use std::{io, net::SocketAddr, path::PathBuf};

use service_kit::listen::BindError;

/// Why the authorization server could not be set up or could not mint a token.
#[derive(Debug, thiserror::Error)]
pub enum LocalIdpError {
    /// The configuration contradicts itself or asks for what this server does not do.
    #[error("the local authorization server's {setting} is wrong: {problem}")]
    Config {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it and what was expected.
        problem: String,
    },
    /// Somebody asked it to listen to a network.
    #[error(
        "the local authorization server does not listen on {0}: only loopback addresses such as \
         127.0.0.1 are allowed. On a network, configure a real OAuth 2.0 issuer instead"
    )]
    NotLoopback(SocketAddr),
    /// The loopback address could not be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A file of the key directory could not be read or written.
    #[error("cannot {action} {}: {source}. Check that the key directory belongs to this user", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A secret file or its directory is open to other users.
    #[error(
        "{} has mode {mode:03o}, so other users may have read or changed it: expected {expected}. \
         Delete it to have new secrets made, or correct its mode if nobody else was here", path.display()
    )]
    TooOpen {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What was expected.
        expected: &'static str,
    },
    /// A file of the key directory does not hold what this server writes.
    #[error("{} is damaged: {problem}. Delete it to have a new one made", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The cryptographic library failed, which it does only when the machine has no randomness.
    #[error("cannot {0}: the machine's source of randomness or its cryptographic library failed")]
    Crypto(&'static str),
}

impl LocalIdpError {
    pub(crate) fn config(setting: &'static str, problem: impl Into<String>) -> Self {
        Self::Config {
            setting,
            problem: problem.into(),
        }
    }
}
