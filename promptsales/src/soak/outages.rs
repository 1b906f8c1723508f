//! When which part was down, so that a failed request can be told from a refused one.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// What a request may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The content API.
    ContentApi,
    /// The embedding service.
    Embedder,
    /// The database of contents and of pgvector.
    Postgres,
}

struct Outage {
    of: Need,
    from: Instant,
    to: Option<Instant>,
}

/// Every outage of this run.
#[derive(Default)]
pub struct Outages(Mutex<Vec<Outage>>);

impl Outages {
    /// It goes down now.
    pub fn begin(&self, of: Need) {
        let from = Instant::now();
        self.locked().push(Outage { of, from, to: None });
    }

    /// It serves again.
    pub fn end(&self, of: Need) {
        let to = Instant::now();
        for outage in self.locked().iter_mut().filter(|outage| outage.of == of) {
            outage.to.get_or_insert(to);
        }
    }

    /// Was any of these down at any time between these moments?
    pub fn touched(&self, needs: &[Need], from: Instant, to: Instant) -> bool {
        self.locked().iter().any(|outage| {
            needs.contains(&outage.of)
                && outage.from <= to
                && outage.to.is_none_or(|ended| ended >= from)
        })
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Outage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_overlaps_an_outage_of_what_it_needs_is_excused() {
        let outages = Outages::default();
        let before = Instant::now();
        outages.begin(Need::Embedder);
        let during = Instant::now();
        assert!(outages.touched(&[Need::ContentApi, Need::Embedder], during, during));
        assert!(!outages.touched(&[Need::ContentApi, Need::Postgres], during, during));
        outages.end(Need::Embedder);
        let after = Instant::now();
        assert!(outages.touched(&[Need::Embedder], before, after));
        let later = after + std::time::Duration::from_millis(1);
        assert!(!outages.touched(&[Need::Embedder], later, later));
    }
}
