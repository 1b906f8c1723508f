//! Where the catalogue's files come from: the binary itself, or a directory.

use std::{borrow::Cow, ffi::OsStr, fs, io, path::Path};

use include_dir::{Dir, include_dir};

use super::{CatalogueError, Fault};
use crate::{ImageFault, limits::Limits};

/// The vector sources stay out of the binary: only `render` needs them.
static CATALOGUE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/catalogue");
static RENDERED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rendered");

const FACTS_FILE: &str = "facts.json";
/// Of the file names that may hold an image. What a file is, its first bytes say.
const IMAGE_EXTENSIONS: [&str; 4] = ["png", "webp", "jpg", "jpeg"];
/// Largest text file of a catalogue, in bytes.
const MAX_TEXT_BYTES: u64 = 4 * 1024 * 1024;

/// One file, by name.
pub(super) struct File {
    pub name: String,
    pub contents: Cow<'static, [u8]>,
}

impl File {
    /// The name without its extension.
    pub fn stem(&self) -> &str {
        self.name
            .rsplit_once('.')
            .map_or(self.name.as_str(), |(stem, _)| stem)
    }
}

/// A catalogue's files, each kind sorted by name.
pub(super) struct Sources {
    pub entries: Vec<File>,
    pub images: Vec<File>,
    pub facts: Option<File>,
    /// Facts of the bundled catalogue were compared with its images when it was built; those in a
    /// directory are believed only where the image's hash agrees.
    pub facts_are_current: bool,
}

pub(super) fn bundled() -> Sources {
    Sources {
        entries: embedded(&CATALOGUE, is_entry),
        images: embedded(&RENDERED, is_image),
        facts: embedded(&CATALOGUE, is_facts).pop(),
        facts_are_current: true,
    }
}

pub(super) fn from_directory(root: &Path) -> Result<Sources, CatalogueError> {
    let mut faults = Vec::new();
    let catalogue = root.join("catalogue");
    let max_image_bytes = Limits::default().max_file_bytes;
    let sources = Sources {
        entries: on_disk(&catalogue, is_entry, MAX_TEXT_BYTES, &mut faults),
        // Beside the entries, so that a missing directory is told twice in a row, and then once.
        facts: on_disk(&catalogue, is_facts, MAX_TEXT_BYTES, &mut faults).pop(),
        images: on_disk(
            &root.join("rendered"),
            is_image,
            max_image_bytes,
            &mut faults,
        ),
        facts_are_current: false,
    };
    if faults.is_empty() {
        Ok(sources)
    } else {
        faults.dedup();
        Err(CatalogueError { faults })
    }
}

fn is_entry(name: &str) -> bool {
    extension(name) == Some("toml")
}

fn is_image(name: &str) -> bool {
    extension(name).is_some_and(|extension| IMAGE_EXTENSIONS.contains(&extension))
}

fn is_facts(name: &str) -> bool {
    name == FACTS_FILE
}

fn extension(name: &str) -> Option<&str> {
    Path::new(name).extension().and_then(OsStr::to_str)
}

fn embedded(directory: &Dir<'static>, wanted: fn(&str) -> bool) -> Vec<File> {
    let mut files: Vec<_> = directory
        .files()
        .filter_map(|file| {
            let name = file.path().to_str().filter(|name| wanted(name))?;
            Some(File {
                name: name.to_owned(),
                contents: Cow::Borrowed(file.contents()),
            })
        })
        .collect();
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn on_disk(
    directory: &Path,
    wanted: fn(&str) -> bool,
    max_bytes: u64,
    faults: &mut Vec<Fault>,
) -> Vec<File> {
    let names = match names_in(directory) {
        Ok(names) => names,
        Err(error) => {
            faults.push(Fault::new(
                directory.display().to_string(),
                format_args!("cannot list this directory of the catalogue: {error}"),
            ));
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    for name in names.into_iter().filter(|name| wanted(name)) {
        match read_bounded(&directory.join(&name), max_bytes) {
            Ok(contents) => files.push(File {
                name,
                contents: Cow::Owned(contents),
            }),
            Err(reason) => faults.push(Fault { file: name, reason }),
        }
    }
    files
}

fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Looks at the length first, so that a huge file is never read.
fn read_bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>, String> {
    let bytes = fs::metadata(path)
        .map_err(|error| format!("cannot be read: {error}"))?
        .len();
    if bytes > max_bytes {
        let limit = max_bytes;
        return Err(ImageFault::FileTooLarge { bytes, limit }.to_string());
    }
    fs::read(path).map_err(|error| format!("cannot be read: {error}"))
}
