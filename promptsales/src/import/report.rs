//! What became of the rows.

use std::{collections::BTreeMap, io::Write};

use contracts::Language;
use serde::Serialize;

use super::{Outcome, Placed, placing::Change};
use crate::output;

/// A row that was not brought in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The file, and the line in a table.
    pub place: String,
    /// What was wrong and what was expected, in one line.
    pub reason: String,
}

impl Refusal {
    /// Text from elsewhere may hold anything; a report has one line for each.
    pub fn new(place: String, reason: String) -> Self {
        let plain = |text: String| text.replace(char::is_control, " ");
        Self {
            place: plain(place),
            reason: plain(reason),
        }
    }
}

/// The whole import. Every row counts once among the first five.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// New documents.
    pub created: u64,
    /// Documents of which something changed.
    pub updated: u64,
    /// Rows that say what they said before.
    pub unchanged: u64,
    /// Rows of documents that were deleted in the system since they were imported: they are left alone.
    pub deleted: u64,
    /// Rows that were not brought in.
    pub refused: u64,
    /// Documents that this run approved.
    pub approved: u64,
    /// Documents of these rows that are drafts, and so not found yet.
    pub drafts: u64,
    /// New documents whose picture is nearly that of another document.
    pub lookalikes: u64,
    /// Documents of these rows without text in a language.
    pub missing_languages: BTreeMap<Language, u64>,
    /// Why it ended before the last row; another run goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What was refused, and why.
    pub refusals: Vec<Refusal>,
}

impl Report {
    /// Counts a row in.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Placed(placed) => self.place(placed),
            Outcome::Refused(refusal) => {
                self.refused += 1;
                self.refusals.push(refusal);
            }
            Outcome::Stopped(why) => self.stopped = Some(why),
        }
    }

    fn place(&mut self, placed: Placed) {
        match placed.change {
            Change::Created => self.created += 1,
            Change::Updated => self.updated += 1,
            Change::Unchanged => self.unchanged += 1,
            Change::Deleted => self.deleted += 1,
        }
        self.approved += u64::from(placed.approved);
        self.drafts += u64::from(placed.is_draft);
        self.lookalikes += u64::from(placed.has_lookalikes);
        for language in placed.missing_languages {
            *self.missing_languages.entry(language).or_default() += 1;
        }
    }

    /// Everything is in.
    pub fn is_clean(&self) -> bool {
        self.refused == 0 && self.stopped.is_none()
    }

    /// For a person; the refusals were shown as they came.
    pub fn show(&self, out: &mut impl Write, seconds: f64) -> std::io::Result<()> {
        let mut table = output::table(["rows", ""]);
        for (name, rows) in [
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("deleted in the system, left alone", self.deleted),
            ("refused", self.refused),
        ] {
            table.add_row([name.to_owned(), rows.to_string()]);
        }
        let rows = self.created + self.updated + self.unchanged + self.deleted + self.refused;
        let rate = rows as f64 / seconds.max(0.001);
        writeln!(
            out,
            "{table}\n{rows} rows in {seconds:.1} s, {rate:.0} a second"
        )?;
        for (language, documents) in &self.missing_languages {
            writeln!(out, "{documents} have no text in {language}")?;
        }
        if self.lookalikes > 0 {
            writeln!(
                out,
                "{} of the new ones look like another document; `duplicates` of the API names it",
                self.lookalikes
            )?;
        }
        if self.deleted > 0 {
            writeln!(out, "--restore-deleted brings the deleted ones back")?;
        }
        if self.drafts > 0 {
            writeln!(
                out,
                "{} are drafts, which no search finds; --approve approves what it brings in",
                self.drafts
            )?;
        }
        if let Some(why) = &self.stopped {
            writeln!(
                out,
                "stopped before the end: {why}; the same command goes on"
            )?;
        }
        Ok(())
    }
}
