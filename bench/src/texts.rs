//! What is embedded: the same for ours and every peer.

use std::{io::Write, path::PathBuf};

use anyhow::Context;
use contracts::Language;
use serde_json::json;
use tempfile::TempDir;

/// How many texts are compared with the reference: `REFERENCE_TEXTS` of `peers.py`.
pub const REFERENCE_TEXTS: usize = 64;

/// The texts of a run, in memory and as files for the peers.
pub struct Texts {
    /// For bulk: the catalogue's descriptions, Spanish and English in turn, 20 to 45 words each.
    pub bulk: Vec<String>,
    /// For single queries: the judged queries of `embedder/eval`, 1 to 24 words each.
    pub queries: Vec<String>,
    folder: TempDir,
}

impl Texts {
    /// The catalogue's and the judged set's.
    pub fn of_the_project() -> anyhow::Result<Self> {
        let catalogue = images::Catalogue::bundled()?;
        let bulk = catalogue.entries().iter().flat_map(|entry| {
            Language::ALL
                .into_iter()
                .filter_map(|language| Some(entry.text.get(&language)?.description.clone()))
        });
        let queries = embedder::eval::judged_set().into_iter();
        Self::new(bulk.collect(), queries.map(|query| query.text).collect())
    }

    /// Writes both lists as JSON lines to a folder that lives as long as this value.
    pub fn new(bulk: Vec<String>, queries: Vec<String>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder for the texts")?;
        let texts = Self {
            bulk,
            queries,
            folder,
        };
        write_lines(texts.bulk_file(), &texts.bulk)?;
        write_lines(texts.queries_file(), &texts.queries)?;
        Ok(texts)
    }

    /// JSON lines of the bulk texts.
    pub fn bulk_file(&self) -> PathBuf {
        self.folder.path().join("texts.jsonl")
    }

    /// JSON lines of the queries.
    pub fn queries_file(&self) -> PathBuf {
        self.folder.path().join("queries.jsonl")
    }

    /// Those that are compared with the reference.
    pub fn compared(&self) -> &[String] {
        &self.bulk[..self.bulk.len().min(REFERENCE_TEXTS)]
    }

    /// The `number`th of endlessly many distinct queries: the judged ones, then each again with a
    /// number behind it, which adds a token or two.
    pub fn distinct_query(&self, number: usize) -> String {
        let text = &self.queries[number % self.queries.len()];
        match number / self.queries.len() {
            0 => text.clone(),
            lap => format!("{text} {lap}"),
        }
    }
}

fn write_lines(path: PathBuf, texts: &[String]) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        writeln!(
            lines,
            "{}",
            json!({ "id": number.to_string(), "text": text })
        )?;
    }
    std::fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))
}
