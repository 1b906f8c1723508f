//! What happened, counted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Errors and wrong answers that are told in full; all are counted.
const TOLD: usize = 20;

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Requests that were answered, by what they asked for.
    pub operations: BTreeMap<&'static str, u64>,
    /// Requests that failed while what they need was down.
    pub refused: u64,
    /// Requests that failed although everything that they need was there.
    pub errors: u64,
    /// The first of them.
    pub error_samples: Vec<String>,
    /// Answers that were not true.
    pub wrong_answers: u64,
    /// The first of them.
    pub wrong_samples: Vec<String>,
}

/// Shared by everybody who asks.
#[derive(Default)]
pub struct Tally(Mutex<Figures>);

impl Tally {
    pub fn answered(&self, what: &'static str) {
        *self.locked().operations.entry(what).or_default() += 1;
    }

    pub fn refused(&self) {
        self.locked().refused += 1;
    }

    pub fn error(&self, what: String) {
        let mut figures = self.locked();
        figures.errors += 1;
        if figures.error_samples.len() < TOLD {
            figures.error_samples.push(what);
        }
    }

    pub fn wrong(&self, what: String) {
        let mut figures = self.locked();
        figures.wrong_answers += 1;
        if figures.wrong_samples.len() < TOLD {
            figures.wrong_samples.push(what);
        }
    }

    pub fn read(&self) -> Figures {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
