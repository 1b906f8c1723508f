//! A circuit breaker: an engine that keeps failing is left alone for a while.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures in a row that open the circuit.
const TOLERATED: u32 = 3;
/// How long it stays open before one request may try again.
const OPEN_FOR: Duration = Duration::from_secs(5);

/// Closed, then open after three failures in a row, then half open: one probe, whose outcome
/// closes it or opens it again.
#[derive(Default)]
pub struct Breaker(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    retry_at: Option<Instant>,
}

impl Breaker {
    /// May a request go through? After the wait, only the first caller gets a yes.
    pub fn admits(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.retry_at {
            None => true,
            Some(at) if now >= at => {
                // Until this probe reports, the others wait another turn.
                state.retry_at = Some(now + OPEN_FOR);
                true
            }
            Some(_) => false,
        }
    }

    /// Has it opened, and not been closed by an answer since?
    pub fn is_open(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.retry_at.is_some()
    }

    /// The engine answered.
    pub fn succeeded(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// The engine failed.
    pub fn failed(&self, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= TOLERATED {
            state.retry_at = Some(now + OPEN_FOR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_after_three_failures_and_lets_one_probe_through() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for _ in 0..TOLERATED {
            assert!(breaker.admits(start));
            breaker.failed(start);
        }
        assert!(!breaker.admits(start));
        let later = start + OPEN_FOR;
        assert!(breaker.admits(later), "one probe");
        assert!(!breaker.admits(later), "and no second");
        breaker.succeeded();
        assert!(breaker.admits(later));
    }
}
