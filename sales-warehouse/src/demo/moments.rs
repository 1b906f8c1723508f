//! Moments and days of the generated data.

use time::{Date, OffsetDateTime};

/// Seconds since 1970, UTC.
pub(super) type Seconds = i64;

/// 00:00 UTC.
pub(super) fn midnight(day: Date) -> Seconds {
    day.midnight().assume_utc().unix_timestamp()
}

/// The day of a time, UTC.
pub(super) fn date(at: Seconds) -> Date {
    OffsetDateTime::from_unix_timestamp(at)
        .expect("the generator stays within a few years")
        .date()
}
