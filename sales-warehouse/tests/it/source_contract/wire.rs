//! Rows in the binary format of PostgreSQL's `COPY`, as values that a test can compare.
//! <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use sales_warehouse::source::{Rows, Table};
use time::macros::date;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
const NULL: i32 = -1;

/// Each row's values; `None` for null.
pub fn values(copied: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let mut wire = Wire(copied);
    assert_eq!(wire.take(SIGNATURE.len()), SIGNATURE);
    assert_eq!(wire.int(4), 0, "flags");
    let extension = wire.int(4);
    wire.take(extension as usize);
    let mut rows = Vec::new();
    loop {
        let fields = wire.int(2);
        if fields == -1 {
            assert!(wire.0.is_empty(), "something follows the trailer");
            return rows;
        }
        let field = |wire: &mut Wire<'_>| match wire.int(4) {
            NULL => None,
            length => Some(wire.take(length as usize).to_vec()),
        };
        rows.push((0..fields).map(|_| field(&mut wire)).collect());
    }
}

/// The same as text, by the types of the table's columns. A null is `\N`; a type that no test looks at is its
/// bytes. Rows of a statement of their own have no types here.
pub fn texts(table: &Table, copied: &[u8]) -> Vec<Vec<String>> {
    let kinds: Vec<&str> = match table.rows {
        Rows::Plain => table
            .relation
            .columns
            .iter()
            .map(|(_, kind)| *kind)
            .collect(),
        Rows::Joined { .. } => Vec::new(),
    };
    let shown = |(at, value): (usize, &Option<Vec<u8>>)| match value {
        None => "\\N".to_owned(),
        Some(bytes) => text(kinds.get(at).copied().unwrap_or_default(), bytes),
    };
    values(copied)
        .iter()
        .map(|row| row.iter().enumerate().map(shown).collect())
        .collect()
}

fn text(kind: &str, bytes: &[u8]) -> String {
    let mut wire = Wire(bytes);
    match kind {
        "text" => String::from_utf8(bytes.to_vec()).unwrap(),
        "smallint" => (wire.int(2) as i16).to_string(),
        "integer" => wire.int(4).to_string(),
        "bigint" => i64::from_be_bytes(bytes.try_into().unwrap()).to_string(),
        "date" => (date!(2000 - 01 - 01) + time::Duration::days(wire.int(4).into())).to_string(),
        kind if kind.starts_with("numeric") => whole(&mut wire).to_string(),
        _ => format!("{bytes:?}"),
    }
}

/// A numeric's whole part: digits to the base of 10,000, the first worth 10,000 to the power of `weight`.
fn whole(wire: &mut Wire<'_>) -> i64 {
    let [digits, weight, sign, _scale] = [(); 4].map(|()| wire.int(2));
    let sum = (0..digits)
        .map(|at| (weight - at, i64::from(wire.int(2))))
        .filter(|(power, _)| *power >= 0)
        .map(|(power, digit)| digit * 10_000_i64.pow(power as u32))
        .sum::<i64>();
    if sign == 0 { sum } else { -sum }
}

struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    /// Big-endian, of 2 or 4 bytes.
    fn int(&mut self, size: usize) -> i32 {
        match self.take(size) {
            [a, b] => i16::from_be_bytes([*a, *b]).into(),
            [a, b, c, d] => i32::from_be_bytes([*a, *b, *c, *d]),
            other => panic!("{other:?} is no such number"),
        }
    }
}
