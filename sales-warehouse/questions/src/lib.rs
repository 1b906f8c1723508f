//! From a question in Spanish or English to a metric query, and from that to one SQL statement.
//!
//! ```text
//! question ─[reading]─► Reading: a MetricQuery, a clarification, or a refusal
//! MetricQuery ─[compiling]─► Statement: one parameterised SELECT
//! ```
//!
//! Both stand on the semantic [`model`], files that say what the numbers mean; nothing here names a metric
//! or a table. Nothing here reads a clock, a file or a database either: the day, the model's text and the
//! members' names ([`members`]) come in as arguments.

pub mod answering;
pub mod compiling;
pub mod eval;
pub mod members;
pub mod model;
pub mod query;
pub mod reading;

pub use compiling::{Statement, compile};
pub use members::Members;
pub use model::Model;
pub use query::MetricQuery;
pub use reading::{Outcome, Reader, Reading};
