//! A table of comma-separated values, RFC 4180, with a heading; semicolons and tabs are understood too.

use std::{
    io::{self, BufRead, Read},
    iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::Entry;
use crate::import::row::{Defaults, FIELDS, Fields, Row, unknown_field};

/// Most bytes read in search of a row's end: a quotation mark that is left open would take in all the
/// rest.
const MAX_ROW_BYTES: u64 = 1 << 20;

/// The rows. Faults of the heading come first.
pub fn rows(
    name: String,
    mut file: impl BufRead + Send + 'static,
    defaults: Defaults,
) -> io::Result<impl Iterator<Item = Entry>> {
    let beginning = file.fill_buf()?;
    let separator = separator(beginning);
    let late_line_ends = u64::from(ends_in_two(beginning));
    let allowance = Arc::new(AtomicU64::new(MAX_ROW_BYTES));
    let bounded = Bounded {
        file,
        allowance: Arc::clone(&allowance),
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(bounded);
    let mut next = move || -> Option<(u64, Result<ByteRecord, String>)> {
        let line = reader.position().line();
        let mut record = ByteRecord::new();
        allowance.store(MAX_ROW_BYTES, Ordering::Relaxed);
        match reader.read_byte_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let start = record.position().filter(|start| start.byte() > 0);
                Some((
                    start.map_or(1, |start| start.line() + late_line_ends),
                    Ok(record),
                ))
            }
            Err(error) => Some((line, Err(format!("cannot be read from here on: {error}")))),
        }
    };
    let (heading, faults) = match next() {
        None => (Vec::new(), Vec::new()),
        Some((_, Ok(record))) => heading(&name, &record),
        Some((line, Err(reason))) => (Vec::new(), vec![refused(&name, line, reason)]),
    };
    let mut broken = heading.is_empty();
    let rows = iter::from_fn(move || {
        while !broken {
            let (line, record) = next()?;
            let row = match record {
                Ok(record) if record.iter().all(<[u8]>::is_empty) => continue,
                Ok(record) => row(&heading, &record, &defaults),
                Err(reason) => {
                    broken = true;
                    Err(reason)
                }
            };
            let place = format!("{name} line {line}");
            return Some(Entry { place, row });
        }
        None
    });
    Ok(faults.into_iter().chain(rows))
}

/// The columns; `None` where nothing is to be read. What is wrong with one is said once, and the rows
/// are read without it.
fn heading(name: &str, record: &ByteRecord) -> (Vec<Option<String>>, Vec<Entry>) {
    let mut columns: Vec<Option<String>> = Vec::new();
    let mut faults = Vec::new();
    for cell in record {
        let column = String::from_utf8_lossy(cell).to_lowercase();
        let fault = if !FIELDS.contains(&column.as_str()) {
            Some(unknown_field(&column))
        } else if columns.iter().flatten().any(|known| *known == column) {
            Some(format!("there are two columns '{column}': expected one"))
        } else {
            None
        };
        columns.push(fault.is_none().then_some(column));
        let fault = fault.filter(|_| !cell.is_empty());
        faults.extend(fault.map(|fault| {
            let reason = format!("{fault}; the column is left out");
            refused(name, 1, reason)
        }));
    }
    (columns, faults)
}

fn row(
    heading: &[Option<String>],
    record: &ByteRecord,
    defaults: &Defaults,
) -> Result<Row, String> {
    if record.len() != heading.len() {
        return Err(format!(
            "the row has {} columns and the heading {}: is a separator or a quotation mark missing?",
            record.len(),
            heading.len()
        ));
    }
    let mut fields = Fields::default();
    for (column, cell) in heading.iter().zip(record) {
        let Some(column) = column else { continue };
        let text = str::from_utf8(cell)
            .map_err(|_| format!("{column} is not UTF-8: save the table as UTF-8"))?;
        fields.add_text(column, text)?;
    }
    Row::of(fields, None, defaults)
}

fn refused(name: &str, line: u64, reason: String) -> Entry {
    Entry {
        place: format!("{name} line {line}"),
        row: Err(reason),
    }
}

/// What separates the columns of the heading. Spreadsheets in Spanish write semicolons.
fn separator(beginning: &[u8]) -> u8 {
    let heading = beginning.split(|byte| *byte == b'\n').next();
    let heading = heading.unwrap_or_default();
    let count = |separator: &u8| heading.iter().filter(|byte| *byte == separator).count();
    // Of equal counts the last one wins: the comma.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b',')
}

/// Whether lines end as on Windows. Between the two characters the reader takes the row for ended and
/// the line not.
fn ends_in_two(beginning: &[u8]) -> bool {
    let mut lines = beginning.split(|byte| *byte == b'\n');
    lines.next().is_some_and(|heading| heading.ends_with(b"\r"))
}

/// Gives out no more than the allowance, which is renewed for each row.
struct Bounded<R> {
    file: R,
    allowance: Arc<AtomicU64>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(format!(
                "a row has more than {MAX_ROW_BYTES} bytes; is a quotation mark left open?"
            )));
        }
        let most = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.file.read(&mut buffer[..most])?;
        self.allowance.store(left - read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
