//! Where rows come from: a folder of images with sidecar files, JSON lines, or CSV.

mod csv;
mod folder;
mod json_lines;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    iter,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use super::row::{Defaults, Row};

/// Longest line of a JSON lines file and largest sidecar file, in bytes: as much as the API takes.
const MAX_TEXT_BYTES: usize = contracts::limits::MAX_JSON_BODY_BYTES;

/// Rows, read as they are asked for.
pub struct Source {
    /// The folder that image paths are relative to; canonical.
    pub root: PathBuf,
    /// About how many rows there are, to show progress by.
    pub total: u64,
    /// The rows, those that cannot be understood included.
    pub rows: Box<dyn Iterator<Item = Entry> + Send>,
}

/// One row, or what is wrong with it.
#[derive(Debug)]
pub struct Entry {
    /// Where it stands: the file, and the line in a table.
    pub place: String,
    /// The row.
    pub row: Result<Row, String>,
}

impl Source {
    /// Opens a folder, or a table by the ending of its name.
    pub fn open(path: &Path, defaults: Defaults) -> anyhow::Result<Self> {
        let cannot_read = || format!("cannot read {}", path.display());
        let path = path.canonicalize().with_context(cannot_read)?;
        if path.is_dir() {
            let rows = or_none(folder::rows(path.clone(), defaults), &path, "no image file");
            let total = folder::count(&path);
            let root = path;
            return Ok(Self { root, total, rows });
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        let kind = ending.map(str::to_ascii_lowercase);
        let reader = || {
            let file = File::open(&path).with_context(cannot_read)?;
            anyhow::Ok(BufReader::new(file))
        };
        let name = name_of(&path);
        let rows = match kind.as_deref() {
            Some("jsonl" | "ndjson") => {
                or_none(json_lines::rows(name, reader()?, defaults), &path, "no row")
            }
            Some("csv") => {
                let rows = csv::rows(name, reader()?, defaults).with_context(cannot_read)?;
                or_none(rows, &path, "no row")
            }
            _ => bail!(
                "{} is neither a folder nor a table: expected a folder, a .jsonl or a .csv file",
                path.display()
            ),
        };
        let total = lines(reader()?).with_context(cannot_read)?;
        let root = path.parent().unwrap_or(&path).to_owned();
        Ok(Self { root, total, rows })
    }
}

/// Nothing at all is hardly what was meant.
fn or_none(
    rows: impl Iterator<Item = Entry> + Send + 'static,
    path: &Path,
    what: &str,
) -> Box<dyn Iterator<Item = Entry> + Send> {
    let place = name_of(path);
    let mut rows = rows.peekable();
    if rows.peek().is_some() {
        return Box::new(rows);
    }
    let row = Err(format!("there is {what} in it"));
    Box::new(iter::once(Entry { place, row }))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn lines(mut reader: impl BufRead) -> std::io::Result<u64> {
    let mut lines = 0;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(lines);
        }
        lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
        let length = chunk.len();
        reader.consume(length);
    }
}
