//! A Redis that may be away.
//!
//! [`Settings`] say which one: a single server, Sentinels or a cluster, with TLS and an ACL user. A [`Link`]
//! is the way to it: every call has a deadline, and a Redis that fails is left alone until it answers
//! again, so that what can be done without Redis never waits for it. [`SharedCounters`] are what
//! replicas count rates by.
//!
//! The crate speaks through [`redis`], which it hands on, so that callers build commands of the same
//! release.

mod counts;
mod fault;
mod link;
mod location;
mod rate_limit;
mod server;
mod settings;

pub use counts::LinkCounts;
pub use fault::Fault;
pub use link::{Link, Purpose};
pub use rate_limit::{CounterCounts, SharedCounters, SharedRateLimiter};
pub use redis;
pub use server::Answers;
pub use settings::{Config, Settings};
