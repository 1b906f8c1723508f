//! Rows as COPY's text format has them, and the way into the database.

use std::io::Write as _;

use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::moments::Seconds;

/// A table, with the statement that loads it. Change markers come from their defaults.
#[derive(Debug)]
pub(super) struct Table {
    pub name: &'static str,
    pub copy: &'static str,
}

/// Money in hundredths of a unit of its currency.
pub(super) type Cents = i64;

/// Rows of one table that wait to be sent.
#[derive(Debug)]
pub(super) struct Rows {
    pub table: &'static Table,
    pub count: u64,
    text: Vec<u8>,
}

impl Rows {
    pub fn of(table: &'static Table) -> Self {
        Self {
            table,
            count: 0,
            text: Vec::new(),
        }
    }

    /// Begins a row, which ends with the statement that fills it.
    pub fn row(&mut self) -> Row<'_> {
        self.count += 1;
        Row {
            text: &mut self.text,
            first: true,
        }
    }

    pub async fn send(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let mut copy = connection.copy_in_raw(self.table.copy).await?;
        copy.send(self.text.as_slice()).await?;
        copy.finish().await.map(drop)
    }
}

/// A row that is being written, field after field.
pub(super) struct Row<'a> {
    text: &'a mut Vec<u8>,
    first: bool,
}

impl Row<'_> {
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.separate();
        for byte in value.bytes() {
            match byte {
                b'\\' => self.text.extend(b"\\\\"),
                b'\t' => self.text.extend(b"\\t"),
                b'\n' => self.text.extend(b"\\n"),
                b'\r' => self.text.extend(b"\\r"),
                other => self.text.push(other),
            }
        }
        self
    }

    pub fn int(&mut self, value: i64) -> &mut Self {
        self.show(format_args!("{value}"))
    }

    pub fn money(&mut self, value: Cents) -> &mut Self {
        let sign = if value < 0 { "-" } else { "" };
        let value = value.unsigned_abs();
        self.show(format_args!("{sign}{}.{:02}", value / 100, value % 100))
    }

    pub fn decimal(&mut self, value: f64) -> &mut Self {
        self.show(format_args!("{value:.8}"))
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.show(format_args!("{value}"))
    }

    pub fn date(&mut self, value: Date) -> &mut Self {
        let (year, month, day) = value.to_calendar_date();
        self.show(format_args!("{year:04}-{:02}-{day:02}", u8::from(month)))
    }

    pub fn time(&mut self, value: Seconds) -> &mut Self {
        let value = OffsetDateTime::from_unix_timestamp(value)
            .expect("the generator stays within a few years");
        let (hour, minute, second) = value.to_hms();
        self.date(value.date());
        write!(self.text, " {hour:02}:{minute:02}:{second:02}+00").expect("memory takes all");
        self
    }

    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.separate();
        let start = self.text.len() + 3;
        self.text.extend(b"\\\\x");
        self.text.resize(start + 2 * value.len(), 0);
        hex::encode_to_slice(value, &mut self.text[start..]).expect("two digits a byte");
        self
    }

    pub fn maybe<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T) -> &mut Self,
    ) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => {
                self.separate();
                self.text.extend(b"\\N");
                self
            }
        }
    }

    fn show(&mut self, value: std::fmt::Arguments<'_>) -> &mut Self {
        self.separate();
        self.text.write_fmt(value).expect("memory takes all");
        self
    }

    fn separate(&mut self) {
        if !self.first {
            self.text.push(b'\t');
        }
        self.first = false;
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, Table};

    static TABLE: Table = Table {
        name: "t",
        copy: "",
    };

    #[test]
    fn fields_are_written_and_escaped_as_copy_reads_them() {
        let mut rows = Rows::of(&TABLE);
        rows.row()
            .int(-7)
            .text("a\tb\\c\n")
            .money(-105)
            .maybe(None::<&str>, |row, text| row.text(text));
        rows.row()
            .bytes(&[0, 255])
            .time(86_399)
            .bool(true)
            .money(7)
            .decimal(0.5);
        assert_eq!(rows.count, 2);
        assert_eq!(
            String::from_utf8(rows.text).unwrap(),
            "-7\ta\\tb\\\\c\\n\t-1.05\t\\N\n\\\\x00ff\t1970-01-01 23:59:59+00\ttrue\t0.07\t0.50000000\n"
        );
    }
}
