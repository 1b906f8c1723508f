//! What each row said when it was last brought in: `HOME/imports.jsonl`.
//!
//! Appended to after the system has taken a row, a line at a time, so that a kill loses the last rows'
//! lines at most; those rows are compared with the system again, which costs time and changes nothing.
//! About 300 bytes of memory a document.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::Context;
use contracts::{ContentHash, ImageId};
use serde::{Deserialize, Serialize};

/// What is known of the row of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Of the file as it lay on the disk.
    pub image: ContentHash,
    /// Of what was said about it.
    pub said: ContentHash,
    /// An import has approved it since it said so.
    pub approved: bool,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: ImageId,
    #[serde(flatten)]
    known: Known,
}

/// The rows brought in so far, of every import into this home.
#[derive(Debug)]
pub struct Ledger {
    known: HashMap<ImageId, Known>,
    file: File,
}

impl Ledger {
    /// Reads what there is. A line that a kill cut off counts for nothing.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("cannot use {}", path.display());
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .with_context(named)?;
        let mut known = HashMap::new();
        for line in BufReader::new(&file).split(b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(&line.with_context(named)?) {
                known.insert(line.id, line.known);
            }
        }
        // The next line begins on its own, whatever the last one ends in.
        if file.seek(SeekFrom::End(0)).with_context(named)? > 0 {
            file.write_all(b"\n").with_context(named)?;
        }
        Ok(Self { known, file })
    }

    /// What the document's row said.
    pub fn get(&self, id: &ImageId) -> Option<&Known> {
        self.known.get(id)
    }

    /// Remembers that a row is in.
    pub fn note(&mut self, id: &ImageId, known: Known) -> anyhow::Result<()> {
        if self.known.get(id) == Some(&known) {
            return Ok(());
        }
        let line = Line {
            id: id.clone(),
            known,
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        // In one write: two imports into one home do not mix their lines.
        self.file
            .write_all(&text)
            .context("cannot remember what was imported")?;
        self.known.insert(line.id, line.known);
        Ok(())
    }
}
