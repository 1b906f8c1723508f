//! A JSON object on each line.

use std::io::{self, BufRead, Read};

use super::{Entry, MAX_TEXT_BYTES};
use crate::import::row::{Defaults, Fields, Row};

/// What Windows likes to begin a text with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The rows; empty lines are none.
pub fn rows(
    name: String,
    mut reader: impl BufRead,
    defaults: Defaults,
) -> impl Iterator<Item = Entry> {
    let mut number = 0_u64;
    let mut broken = false;
    std::iter::from_fn(move || {
        while !broken {
            number += 1;
            let place = format!("{name} line {number}");
            let row = match line(&mut reader) {
                Ok(None) => return None,
                Ok(Some(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Some(line)) if line.len() > MAX_TEXT_BYTES => Err(format!(
                    "the line is longer than {MAX_TEXT_BYTES} bytes, the most that a row may have"
                )),
                Ok(Some(line)) => row(&line, &defaults),
                Err(error) => {
                    broken = true;
                    Err(format!("cannot be read from here on: {error}"))
                }
            };
            return Some(Entry { place, row });
        }
        None
    })
}

/// The next line; of one that is too long, its beginning.
fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let most = MAX_TEXT_BYTES as u64 + 1;
    if reader.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() > MAX_TEXT_BYTES && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
    } else if line.ends_with(b"\n") {
        line.pop();
    }
    Ok(Some(line))
}

fn row(line: &[u8], defaults: &Defaults) -> Result<Row, String> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let text = str::from_utf8(line).map_err(|_| "the text is not UTF-8: save it as UTF-8")?;
    let value = serde_json::from_str(text).map_err(|error| format!("broken JSON: {error}"))?;
    Row::of(Fields::of_json(value)?, None, defaults)
}
