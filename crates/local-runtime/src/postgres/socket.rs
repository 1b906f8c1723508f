//! The private directory of the server's socket.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    PostgresError,
    home::{Home, write_whole},
};
use crate::user;

/// Names the socket, not a port: nothing listens on TCP.
pub(super) const PORT: u16 = 5432;
const SOCKET: &str = "/.s.PGSQL.5432";
/// A Unix socket's whole path must be shorter than this, in bytes.
const LIMIT: usize = 107;
const LOCATION: &str = "socket-location";
const SHORT_BASE: &str = "/tmp";

/// A directory of mode 0700 that belongs to the server's user.
#[derive(Debug)]
pub(super) struct SocketDir {
    path: PathBuf,
    /// Is it outside the home, and so to be removed?
    outside: bool,
}

impl SocketDir {
    /// `run/` in the home, or, when that path is too long for a socket, a fresh directory with a
    /// short name in `runtime_dir` or `/tmp`, recorded in the home.
    pub(super) fn create(home: &Home, runtime_dir: Option<&Path>) -> Result<Self, PostgresError> {
        let location = home.dir().join(LOCATION);
        forget_old(&location);
        let inside = home.dir().join("run");
        if fits(&inside) {
            if !inside.is_dir() {
                fs::create_dir(&inside).map_err(PostgresError::io("creating", &inside))?;
            }
            home.hand_over(&inside)?;
            return Ok(Self {
                path: inside,
                outside: false,
            });
        }
        let base = runtime_dir
            .filter(|base| usable(base, home))
            .unwrap_or(Path::new(SHORT_BASE));
        // A random name: in a directory that everyone can write to, a known one could be taken.
        let path = tempfile::Builder::new()
            .prefix("promptsales-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(base)
            .map_err(PostgresError::io("creating a folder in", base))?
            .keep();
        let socket = Self {
            path,
            outside: true,
        };
        home.hand_over(&socket.path)?;
        write_whole(&location, socket.path.as_os_str().as_encoded_bytes())?;
        Ok(socket)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// As the server's setting takes it: a list, whose items are quoted.
    pub(super) fn setting(&self) -> String {
        format!("\"{}\"", self.path.to_string_lossy().replace('"', "\"\""))
    }
}

impl Drop for SocketDir {
    fn drop(&mut self) {
        if self.outside {
            // A server that is still stopping no longer needs it.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

fn fits(dir: &Path) -> bool {
    dir.as_os_str().len() + SOCKET.len() < LIMIT
}

fn usable(base: &Path, home: &Home) -> bool {
    base.is_dir()
        && fits(&base.join("promptsales-123456"))
        && home
            .account()
            .is_none_or(|account| user::first_unreachable(base, account).is_none())
}

/// Removes the directory that a killed process left behind, if it is what it should be.
fn forget_old(location: &Path) {
    let Ok(text) = fs::read_to_string(location) else {
        return;
    };
    let old = PathBuf::from(text.trim_end_matches('\n'));
    let named_by_us = old
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"promptsales-"));
    let private = fs::symlink_metadata(&old)
        .is_ok_and(|metadata| metadata.is_dir() && metadata.mode() & 0o077 == 0);
    if named_by_us && private {
        drop(fs::remove_dir_all(&old));
    }
    drop(fs::remove_file(location));
}
