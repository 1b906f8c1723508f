//! A metric query: what a question comes down to. It travels, so it stands in `contracts`.

pub use contracts::metric_query::*;

time::serde::format_description!(pub(crate) iso_day, Date, "[year]-[month]-[day]");
