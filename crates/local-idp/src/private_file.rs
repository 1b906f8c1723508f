//! Files that hold secrets: mode 0600 in a directory of mode 0700, written whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;

use crate::LocalIdpError;

/// Makes the directory with mode 0700, or checks that nobody else may write to the one that exists.
pub(crate) fn prepare_dir(dir: &Path) -> Result<(), LocalIdpError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|source| failed("make", dir, source))?;
    refuse_mode(
        dir,
        0o022,
        "a directory that only its owner may write to (chmod 700)",
    )
}

/// Reads a secret file; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, LocalIdpError> {
    match fs::read(path) {
        Ok(bytes) => {
            refuse_mode(
                path,
                0o077,
                "a file that only its owner may read (chmod 600)",
            )?;
            Ok(Some(bytes))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path, source)),
    }
}

/// Writes a secret file that does not exist yet. `false`: another process was first.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<bool, LocalIdpError> {
    let draft = write_draft(path, bytes)?;
    // A hard link, unlike a rename, never replaces what is there.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(|source| failed("remove", &draft, source))?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(failed("write", path, source)),
    }
}

/// Replaces a secret file in one step: a reader sees the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LocalIdpError> {
    let draft = write_draft(path, bytes)?;
    fs::rename(&draft, path).map_err(|source| failed("write", path, source))
}

fn write_draft(path: &Path, bytes: &[u8]) -> Result<PathBuf, LocalIdpError> {
    let mut unique = [0_u8; 8];
    rand::fill(&mut unique).map_err(|_| LocalIdpError::Crypto("name a temporary file"))?;
    let draft = path.with_extension(format!("{}.draft", hex::encode(unique)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file: File| file.write_all(bytes).and_then(|()| file.sync_all()));
    match written {
        Ok(()) => Ok(draft),
        Err(source) => {
            // Best effort: what is left of a failed draft is a secret that nobody uses.
            drop(fs::remove_file(&draft));
            Err(failed("write", &draft, source))
        }
    }
}

fn refuse_mode(path: &Path, refused: u32, expected: &'static str) -> Result<(), LocalIdpError> {
    let metadata = fs::metadata(path).map_err(|source| failed("inspect", path, source))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & refused == 0 {
        return Ok(());
    }
    Err(LocalIdpError::TooOpen {
        path: path.to_owned(),
        mode,
        expected,
    })
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> LocalIdpError {
    LocalIdpError::File {
        action,
        path: path.to_owned(),
        source,
    }
}
