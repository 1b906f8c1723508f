//! A folder of images, each with a sidecar file: `beach.jpg` with `beach.toml` or `beach.json`.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;
use walkdir::{DirEntry, WalkDir};

use super::{Entry, MAX_TEXT_BYTES};
use crate::import::row::{Defaults, Fields, Row};

const IMAGES: &[&str] = &["jpeg", "jpg", "png", "webp"];
const SIDECARS: &[&str] = &["json", "toml"];

/// A row for each image, in the order of their names, and one for each sidecar file without an image.
/// Other files are passed over, hidden ones and links to folders too.
pub fn rows(root: PathBuf, defaults: Defaults) -> impl Iterator<Item = Entry> {
    walk(&root).filter_map(move |found| match found {
        Ok(found) => entry(&root, found.path(), &defaults),
        Err(error) => Some(Entry {
            place: root.display().to_string(),
            row: Err(format!("cannot be read: {error}")),
        }),
    })
}

/// How many images there are.
pub fn count(root: &Path) -> u64 {
    let found = walk(root).flatten();
    found
        .filter(|found| is_one_of(found.path(), IMAGES))
        .count() as u64
}

fn walk(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> + use<> {
    let is_hidden = |found: &DirEntry| {
        found.depth() > 0 && found.file_name().as_encoded_bytes().starts_with(b".")
    };
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(move |found| !is_hidden(found))
        .filter(|found| {
            found
                .as_ref()
                .map_or(true, |found| !found.file_type().is_dir())
        })
}

fn entry(root: &Path, path: &Path, defaults: &Defaults) -> Option<Entry> {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let row = if is_one_of(path, IMAGES) {
        described(path, relative, defaults)
    } else if is_one_of(path, SIDECARS) && !has_image(path) {
        Err(format!(
            "there is no image beside it: expected one of the same name, with .{}",
            IMAGES.join(", .")
        ))
    } else {
        return None;
    };
    let place = relative.display().to_string();
    Some(Entry { place, row })
}

fn described(image: &Path, relative: &Path, defaults: &Defaults) -> Result<Row, String> {
    let json = image.with_extension("json");
    let toml = image.with_extension("toml");
    let fields = match (json.exists(), toml.exists()) {
        (true, false) => json_fields(&json),
        (false, true) => toml_fields(&toml),
        (true, true) => Err("both name it: expected one of them".to_owned()),
        (false, false) => Err("neither is there: expected one of them".to_owned()),
    };
    let row = fields.and_then(|fields| Row::of(fields, Some(relative), defaults));
    row.map_err(|reason| {
        let stem = image.file_stem().unwrap_or_default().to_string_lossy();
        format!("{stem}.toml or {stem}.json: {reason}")
    })
}

fn json_fields(path: &Path) -> Result<Fields, String> {
    let text = read(path)?;
    let value = serde_json::from_str(&text).map_err(|error| format!("broken JSON: {error}"))?;
    Fields::of_json(value)
}

fn toml_fields(path: &Path) -> Result<Fields, String> {
    let text = read(path)?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| {
            text[..span.start]
                .bytes()
                .filter(|byte| *byte == b'\n')
                .count()
                + 1
        });
        format!("broken TOML in line {line}: {}", error.message())
    })?;
    Fields::of_json(json(toml::Value::Table(table)))
}

/// TOML has dates, which are written as texts everywhere else.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => values.into_iter().map(json).collect(),
        toml::Value::Table(table) => {
            let fields = table.into_iter().map(|(name, value)| (name, json(value)));
            Value::Object(fields.collect())
        }
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let cannot_read = |error: std::io::Error| format!("cannot be read: {error}");
    if !fs::metadata(path).map_err(cannot_read)?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot_read)?;
    file.take(MAX_TEXT_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot_read)?;
    if bytes.len() > MAX_TEXT_BYTES {
        return Err(format!("is longer than {MAX_TEXT_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8: save it as UTF-8".to_owned())
}

fn has_image(sidecar: &Path) -> bool {
    IMAGES.iter().any(|ending| {
        let either = [(*ending).to_owned(), ending.to_ascii_uppercase()];
        either
            .iter()
            .any(|ending| sidecar.with_extension(ending).exists())
    })
}

fn is_one_of(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.iter().any(|one| ending.eq_ignore_ascii_case(one)))
}
