//! What this service last heard of the indexes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use contracts::ModelId;

/// The indexes' generation and model. Cached answers are keyed by it, so one that was made before a
/// write to the indexes is never found after it.
#[derive(Debug, Default)]
pub struct IndexView(Mutex<Seen>);

#[derive(Clone, Debug, Default)]
struct Seen {
    generation: i64,
    model: Option<ModelId>,
}

impl IndexView {
    /// The generation, 0 before anything was heard, and the model.
    pub fn get(&self) -> (i64, Option<ModelId>) {
        let seen = self.seen().clone();
        (seen.generation, seen.model)
    }

    /// From the answer to a search or a write. Answers may overtake one another, so the highest
    /// generation counts.
    pub fn observe(&self, generation: i64, model: Option<&ModelId>) {
        let mut seen = self.seen();
        seen.generation = seen.generation.max(generation);
        if let Some(model) = model
            && seen.model.as_ref() != Some(model)
        {
            seen.model = Some(model.clone());
        }
    }

    /// From the status that the publisher asks for between its own writes: it counts even when the
    /// generation is lower, as it is when the embedder restarted with a clock set back.
    pub fn refresh(&self, generation: i64, model: &ModelId) {
        *self.seen() = Seen {
            generation,
            model: Some(model.clone()),
        };
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
