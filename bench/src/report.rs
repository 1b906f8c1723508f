//! The result as tables, as JSON, and as the last section of the README.

mod readme;
mod tables;
pub mod targets;

use std::{fs, path::Path};

use anyhow::Context;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub use readme::replace_section;
use targets::Target;

use crate::{cli::Pace, get_content::GetContent, machine::Machine, rounds::Embedding};

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// When it ended, UTC, RFC 3339.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// How much was measured.
    pub pace: Pace,
    /// The embedder and its peers.
    pub embedding: Embedding,
    /// The whole system; absent when it could not be measured.
    pub get_content: Option<GetContent>,
    /// Why it could not.
    pub get_content_failed: Option<String>,
    /// What was aimed at.
    pub targets: Vec<Target>,
}

impl Report {
    /// Holds the figures against the targets.
    pub fn new(
        now: OffsetDateTime,
        machine: Machine,
        pace: Pace,
        embedding: Embedding,
        get_content: anyhow::Result<GetContent>,
    ) -> Self {
        let (get_content, get_content_failed) = match get_content {
            Ok(figures) => (Some(figures), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let seconds = now.replace_nanosecond(0).unwrap_or(now);
        Self {
            date: seconds.format(&Rfc3339).unwrap_or_default(),
            machine,
            pace,
            targets: targets::all(&embedding, get_content.as_ref()),
            embedding,
            get_content,
            get_content_failed,
        }
    }

    /// For a person: Markdown with tables.
    pub fn text(&self) -> String {
        tables::render(self)
    }

    /// Writes the whole report to a file, whose folder is made when it is missing.
    pub fn write_json(&self, path: &Path) -> anyhow::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Replaces what stands between the markers of a Markdown file.
    pub fn write_readme(&self, path: &Path) -> anyhow::Result<()> {
        let name = path.display();
        let old = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let new = replace_section(&old, &self.text()).with_context(|| name.to_string())?;
        fs::write(path, new).with_context(|| format!("cannot write {name}"))
    }
}
