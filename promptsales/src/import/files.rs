//! Image files inside the folder that is imported, and nothing outside of it.

use std::{
    fs,
    path::{Component, Path},
};

use contracts::{ContentHash, limits::MAX_IMAGE_BYTES};

/// A file and its hash.
pub struct ImageBytes {
    pub bytes: Vec<u8>,
    pub sha256: ContentHash,
}

/// Reads an image that a row names, relative to `root`, which is canonical.
pub fn read(root: &Path, image: &Path) -> Result<ImageBytes, String> {
    let shown = image.display();
    let inside = image
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(format!(
            "image '{shown}' leads out of the folder: expected a path below it, such as photos/beach.jpg"
        ));
    }
    let missing = |error| format!("image '{shown}' cannot be read: {error}");
    // Links are followed to where they end.
    let path = root.join(image).canonicalize().map_err(missing)?;
    if !path.starts_with(root) {
        return Err(format!(
            "image '{shown}' is a link that leads out of the folder: expected the file itself"
        ));
    }
    let facts = fs::metadata(&path).map_err(missing)?;
    // A pipe would be waited for forever.
    if !facts.is_file() {
        return Err(format!("image '{shown}' is not a file"));
    }
    if facts.len() > MAX_IMAGE_BYTES {
        return Err(format!(
            "image '{shown}' has {} bytes: expected at most {MAX_IMAGE_BYTES}",
            facts.len()
        ));
    }
    let bytes = fs::read(&path).map_err(missing)?;
    Ok(ImageBytes {
        sha256: ContentHash::of(&bytes),
        bytes,
    })
}
