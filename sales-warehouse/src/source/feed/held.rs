//! What was read, each thing once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;

use super::{
    copy::{HEADER, Row, TRAILER},
    things::{Key, Thing, ThingRow},
};
use crate::source::{RowStream, SourceError, System, Table, Totals};

/// Most bytes of rows that are held: those of some hundred thousand images.
const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;
/// Rows go in chunks of about this many bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The last state of each thing that was read.
#[derive(Debug, Default)]
pub struct Held {
    things: BTreeMap<Key, State>,
    last: i64,
    bytes: usize,
    faults: BTreeSet<String>,
    notices: BTreeSet<String>,
}

#[derive(Debug)]
struct State {
    position: i64,
    /// `None` for what was deleted.
    row: Option<ThingRow>,
}

impl State {
    fn bytes(&self) -> usize {
        self.row.as_ref().map_or(0, |row| row.bytes.len())
    }
}

impl Held {
    /// Takes a change in; an earlier state of the same thing goes.
    ///
    /// # Errors
    /// A change that is none, or is out of order; more than is held.
    pub fn take(&mut self, change: &Value) -> Result<(), SourceError> {
        let position = Thing::position(change)?;
        if position <= self.last {
            let last = self.last;
            let detail = format!("position {position} follows position {last}");
            return Err(super::client::malformed(detail));
        }
        self.last = position;
        let read = Thing::read(change, &mut self.faults, &mut self.notices);
        let Some(thing) = read else { return Ok(()) };
        let state = State {
            position,
            row: thing.row,
        };
        self.bytes += state.bytes();
        if let Some(before) = self.things.insert(thing.key, state) {
            self.bytes -= before.bytes();
        }
        if self.bytes > MAX_HELD_BYTES {
            return Err(SourceError::TooMuch {
                system: System::PromptContent,
                mebibytes: MAX_HELD_BYTES / 1024 / 1024,
            });
        }
        Ok(())
    }

    /// Whether every thing had the expected shape.
    pub fn check(&self) -> Result<(), SourceError> {
        if self.faults.is_empty() {
            return Ok(());
        }
        Err(SourceError::Drifted {
            system: System::PromptContent,
            faults: self.faults.iter().cloned().collect(),
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last == 0
    }

    /// The highest position.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    pub(super) fn notices(&self) -> Vec<String> {
        self.notices.iter().cloned().collect()
    }

    pub(super) fn rows(&self, table: &'static Table, since: i64) -> RowStream<'_> {
        let rows = self.of(table).filter(move |state| state.position >= since);
        stream_of(rows.filter_map(|state| Some(&*state.row.as_ref()?.bytes)))
    }

    pub(super) fn tombstones(&self, since: i64) -> RowStream<'_> {
        let gone = self
            .things
            .iter()
            .filter(move |(_, state)| state.row.is_none() && state.position >= since);
        stream_of(gone.map(|(key, _)| {
            Row::of(3)
                .text(System::PromptContent.name())
                .text(key.relation())
                .json(&key.json())
                .into_bytes()
        }))
    }

    pub(super) fn totals(&self, table: &Table) -> Totals {
        let rows = self.of(table).filter_map(|state| state.row.as_ref());
        let (count, sum) = rows.fold((0, 0), |(count, sum), row| (count + 1, sum + row.measure));
        Totals {
            rows: count,
            sum: sum.to_string(),
        }
    }

    fn of(&self, table: &Table) -> impl Iterator<Item = &State> {
        let name = table.relation.name;
        let all = self.things.iter();
        all.filter(move |(key, _)| key.relation() == name)
            .map(|(_, state)| state)
    }
}

/// Rows with what stands around them, in chunks.
fn stream_of<'a>(mut rows: impl Iterator<Item = impl AsRef<[u8]>> + Send + 'a) -> RowStream<'a> {
    let mut state = Some(HEADER.to_vec());
    let chunks = std::iter::from_fn(move || {
        let mut chunk = state.take()?;
        for row in rows.by_ref() {
            chunk.extend_from_slice(row.as_ref());
            if chunk.len() >= CHUNK_BYTES {
                state = Some(Vec::new());
                return Some(Ok(Bytes::from(chunk)));
            }
        }
        chunk.extend_from_slice(TRAILER);
        Some(Ok(Bytes::from(chunk)))
    });
    stream::iter(chunks).boxed()
}
