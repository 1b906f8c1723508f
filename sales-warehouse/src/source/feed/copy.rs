//! Values in the binary format of PostgreSQL's `COPY`.
//! <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use time::{Date, OffsetDateTime, macros::date};

/// What every stream begins with: signature, flags, no extension.
pub const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What every stream ends with.
pub const TRAILER: &[u8] = &(-1_i16).to_be_bytes();

const EPOCH: Date = date!(2000 - 01 - 01);
const TEXT_OID: i32 = 25;

/// One row as it is written.
#[derive(Debug)]
pub struct Row(Vec<u8>);

impl Row {
    /// With this many fields, which follow.
    pub fn of(fields: i16) -> Self {
        Self(fields.to_be_bytes().to_vec())
    }

    pub fn text(self, text: &str) -> Self {
        self.field(storable(text).as_bytes())
    }

    pub fn maybe_text(mut self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => {
                self.0.extend((-1_i32).to_be_bytes());
                self
            }
        }
    }

    pub fn texts(self, texts: &[impl AsRef<str>]) -> Self {
        let count = length(texts.len());
        let mut array = Vec::new();
        // Dimensions, no nulls, the element's type.
        for word in [i32::from(count > 0), 0, TEXT_OID] {
            array.extend(word.to_be_bytes());
        }
        if count > 0 {
            // How many, the first of them being number 1.
            array.extend(count.to_be_bytes());
            array.extend(1_i32.to_be_bytes());
        }
        for text in texts {
            let text = storable(text.as_ref());
            array.extend(length(text.len()).to_be_bytes());
            array.extend(text.as_bytes());
        }
        self.field(&array)
    }

    pub fn bigint(self, value: i64) -> Self {
        self.field(&value.to_be_bytes())
    }

    pub fn date(self, day: Date) -> Self {
        // A `Date` lies within 9,999 years.
        let days = i32::try_from((day - EPOCH).whole_days()).unwrap_or(i32::MAX);
        self.field(&days.to_be_bytes())
    }

    pub fn moment(self, moment: OffsetDateTime) -> Self {
        let since = moment - EPOCH.midnight().assume_utc();
        let micros = i64::try_from(since.whole_microseconds()).unwrap_or(i64::MAX);
        self.field(&micros.to_be_bytes())
    }

    /// A `jsonb`: its version, and text.
    pub fn json(self, value: &serde_json::Value) -> Self {
        let mut bytes = vec![1];
        bytes.extend(value.to_string().as_bytes());
        self.field(&bytes)
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn field(mut self, bytes: &[u8]) -> Self {
        self.0.extend(length(bytes.len()).to_be_bytes());
        self.0.extend(bytes);
        self
    }
}

/// PostgreSQL has no text with a NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A page is bounded far below what does not fit.
fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
