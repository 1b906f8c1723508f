//! Wire types that services share: what one service sends, another reads, and nothing else.
//!
//! Every type here is a shape on the wire or a name inside one. No I/O, no domain rule beyond what
//! makes a value well formed. Requests deny unknown fields, so that a misspelt one is an error and
//! not a silent default; answers do not, so that a service may add a field.

pub mod campaigns;
pub mod changes;
pub mod content;
pub mod embeddings;
pub mod get_content;
pub mod ids;
pub mod index;
pub mod language;
pub mod lifecycle;
pub mod limits;
pub mod metric_query;
pub mod problem;
pub mod sales;
pub mod scope;
pub mod search;
pub mod token;

pub use content::{ContentDocument, ImageFacts, LocalisedText, Rendition, Rights};
pub use get_content::{ContentHit, GetContentAnswer, GetContentRequest};
pub use ids::{ContentHash, ImageId, ModelId};
pub use language::Language;
pub use metric_query::MetricQuery;
pub use problem::Problem;
pub use sales::SalesAnswer;
pub use scope::{Scope, Scopes};
pub use search::{Filters, Reason, SearchMode};
