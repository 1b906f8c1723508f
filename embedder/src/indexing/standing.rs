//! How far each index lags, for the metrics.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use contracts::index::Repair;

/// How one index stands, as far as writes and comparisons have told.
#[derive(Clone, Debug)]
pub struct Lag {
    /// Which index.
    pub engine: &'static str,
    /// Documents and deletions that another index holds newer, or that this one missed since they were compared.
    pub behind: u64,
    /// Since it last took a change or told what it holds; since the start, if it never did.
    pub since_success: Duration,
    /// What was mended since the start.
    pub repaired: Repair,
}

/// The standing of one index.
pub(super) struct Standing {
    engine: &'static str,
    noted: Mutex<Noted>,
}

struct Noted {
    behind: u64,
    last_success: Instant,
    repaired: Repair,
}

impl Standing {
    pub fn of(engine: &'static str) -> Self {
        let noted = Noted {
            behind: 0,
            last_success: Instant::now(),
            repaired: Repair::none(engine),
        };
        Self {
            engine,
            noted: Mutex::new(noted),
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It took a change.
    pub fn wrote(&self) {
        self.noted().last_success = Instant::now();
    }

    /// It did not take this many.
    pub fn missed(&self, changes: usize) {
        let mut noted = self.noted();
        noted.behind = noted.behind.saturating_add(changes as u64);
    }

    /// It told what it holds, and lacks this much of what the others hold.
    pub fn compared(&self, behind: usize) {
        let mut noted = self.noted();
        noted.behind = behind as u64;
        noted.last_success = Instant::now();
    }

    /// This was mended.
    pub fn repaired(&self, repair: &Repair) {
        let sum = &mut self.noted().repaired;
        sum.missing = sum.missing.saturating_add(repair.missing);
        sum.stale = sum.stale.saturating_add(repair.stale);
        sum.extra = sum.extra.saturating_add(repair.extra);
    }

    pub fn lag(&self) -> Lag {
        let noted = self.noted();
        Lag {
            engine: self.engine,
            behind: noted.behind,
            since_success: noted.last_success.elapsed(),
            repaired: noted.repaired.clone(),
        }
    }
}
