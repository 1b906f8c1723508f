//! What happened to calls, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often what happened to calls since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Calls without an answer by the deadline.
    pub timeouts: u64,
    /// Calls that failed.
    pub failures: u64,
    /// Calls that Redis answered with a refusal.
    pub refused: u64,
    /// Calls not made, because Redis is away.
    pub skipped: u64,
    /// Times that Redis was given up until it answers again.
    pub gone: u64,
}

impl LinkCounts {
    /// Each with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("timeouts", self.timeouts),
            ("failures", self.failures),
            ("refused", self.refused),
            ("skipped", self.skipped),
            ("gone", self.gone),
        ]
        .into_iter()
    }
}

#[derive(Debug, Default)]
pub struct Counters {
    pub timeouts: AtomicU64,
    pub failures: AtomicU64,
    pub refused: AtomicU64,
    pub skipped: AtomicU64,
    pub gone: AtomicU64,
}

impl Counters {
    pub fn read(&self) -> LinkCounts {
        LinkCounts {
            timeouts: self.timeouts.load(Relaxed),
            failures: self.failures.load(Relaxed),
            refused: self.refused.load(Relaxed),
            skipped: self.skipped.load(Relaxed),
            gone: self.gone.load(Relaxed),
        }
    }
}

/// One more.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
