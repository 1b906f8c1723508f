//! Audit events: who asked, what ran, how many rows count, allowed or refused.
//!
//! A service opens one [`Audit`] and wraps its routes with [`record_requests`]. What a handler knows
//! of its answer it notes on the request's [`Trail`]; who asks, `auth` notes there. Each event becomes
//! a line of JSON that holds the hash of the line before it ([`chain`]), in a file of its day, so that
//! [`verify()`] finds a line that was changed, dropped or moved.
//!
//! ```text
//! handlers, auth ─► Trail ─► record_requests ─► Audit ─► queue ─► a thread ─► DIR/audit-YYYY-MM-DD.jsonl
//! ```
//!
//! Writing never holds up an answer and never fails one: what cannot be written is counted
//! ([`Audit::lost`]), logged, and told by a line of its own once lines can be written again.

pub mod chain;
mod collected;
mod event;
mod file;
mod options;
mod requests;
mod verify;
mod writer;

pub use collected::{Collected, CollectedChain, verify_collected};
pub use event::{Event, Outcome, Trail};
pub use options::AuditOptions;
pub use requests::{Recording, record_requests};
pub use verify::{Fault, Head, Report, Snapshot, VerifyError, verify};
pub use writer::{Audit, AuditConfig, AuditError, Destination, KEPT_DAYS};
