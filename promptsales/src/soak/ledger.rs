//! What must be true: the soak's own memory of every document, to hold answers against.
//!
//! A write is true at some moment between its sending and its answer, so that a read which overlaps
//! it may see either state. What a read may see is what was possible at any time while it ran.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use contracts::{ContentDocument, ImageId, Language, content::Status};

/// A document, or none under that id.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Never stored, or deleted.
    Absent,
    /// Stored.
    There(Facts),
}

/// What is held against an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub revision: i64,
    pub status: Status,
    pub titles: BTreeMap<Language, String>,
    /// Of the stored image; unknown until an answer told it.
    pub sha256: Option<String>,
}

impl Facts {
    /// What a document shows.
    pub fn of(document: &ContentDocument) -> Self {
        let titles = document.text.iter();
        Self {
            revision: document.revision,
            status: document.status,
            titles: titles.map(|(l, text)| (*l, text.title.clone())).collect(),
            sha256: Some(document.image.sha256.clone()),
        }
    }

    /// Is this what is shown?
    pub fn fits(&self, shown: &Self) -> bool {
        let picture = |own: &String| shown.sha256.as_ref() == Some(own);
        self.revision == shown.revision
            && self.status == shown.status
            && self.titles == shown.titles
            && self.sha256.as_ref().is_none_or(picture)
    }
}

/// A state from the sending of the write that made it until the answer of the one that ended it.
struct Held {
    state: State,
    sent: Instant,
    ended: Option<Instant>,
}

#[derive(Default)]
struct Entry {
    /// Answered, the newest last.
    settled: Vec<Held>,
    /// Sent and not answered: any of them may have become true.
    proposed: Vec<Held>,
}

/// Every document that there ever was.
#[derive(Default)]
pub struct Ledger(Mutex<BTreeMap<ImageId, Entry>>);

impl Ledger {
    /// What was there before.
    pub fn begin(&self, id: &ImageId, state: State, now: Instant) {
        let settled = Held {
            state,
            sent: now,
            ended: None,
        };
        self.locked().entry(id.clone()).or_default().settled = vec![settled];
    }

    /// One of these may become true from now on.
    pub fn propose(&self, id: &ImageId, states: Vec<State>, sent: Instant) {
        let mut entries = self.locked();
        let entry = entries.entry(id.clone()).or_default();
        entry.proposed = states
            .into_iter()
            .map(|state| Held {
                state,
                sent,
                ended: None,
            })
            .collect();
    }

    /// This is true, and what was before no longer.
    pub fn settle(&self, id: &ImageId, state: State, answered: Instant) {
        let mut entries = self.locked();
        let entry = entries.entry(id.clone()).or_default();
        let sent = entry.proposed.first().map_or(answered, |held| held.sent);
        entry.proposed.clear();
        if let Some(last) = entry.settled.last_mut() {
            last.ended = Some(answered);
        }
        entry.settled.push(Held {
            state,
            sent,
            ended: None,
        });
    }

    /// Nothing came of what was proposed.
    pub fn withdraw(&self, id: &ImageId) {
        if let Some(entry) = self.locked().get_mut(id) {
            entry.proposed.clear();
        }
    }

    /// What a read between these moments may have seen; nothing for an id never heard of.
    pub fn possible(&self, id: &ImageId, from: Instant, to: Instant) -> Vec<State> {
        let entries = self.locked();
        entries
            .get(id)
            .map(|entry| entry.possible(from, to))
            .unwrap_or_default()
    }

    /// The last settled state of a document.
    pub fn current(&self, id: &ImageId) -> State {
        let entries = self.locked();
        let last = entries.get(id).and_then(|entry| entry.settled.last());
        last.map_or(State::Absent, |held| held.state.clone())
    }

    /// The last settled state of every document.
    pub fn all(&self) -> BTreeMap<ImageId, State> {
        let entries = self.locked();
        let state = |entry: &Entry| Some(entry.settled.last()?.state.clone());
        entries
            .iter()
            .filter_map(|(id, entry)| Some((id.clone(), state(entry)?)))
            .collect()
    }

    /// Why a hit of a search that ran between these moments is wrong.
    pub fn wrong_hit(
        &self,
        id: &ImageId,
        language: Language,
        title: &str,
        during: (Instant, Instant),
    ) -> Option<String> {
        let possible = self.possible(id, during.0, during.1);
        let right = |state: &State| match state {
            State::There(facts) => {
                facts.status == Status::Approved
                    && facts.titles.get(&language).is_some_and(|own| own == title)
            }
            State::Absent => false,
        };
        (!possible.iter().any(right))
            .then(|| format!("a search found {id} “{title}”; possible was: {possible:?}"))
    }

    /// Why a look at one document between these moments is wrong.
    pub fn wrong_look(
        &self,
        id: &ImageId,
        shown: Option<&Facts>,
        during: (Instant, Instant),
    ) -> Option<String> {
        let possible = self.possible(id, during.0, during.1);
        let right = |state: &State| match (state, shown) {
            (State::There(facts), Some(shown)) => facts.fits(shown),
            (State::Absent, None) => true,
            _ => false,
        };
        (!possible.iter().any(right))
            .then(|| format!("{id} was shown as {shown:?}; possible was: {possible:?}"))
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<ImageId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn possible(&self, from: Instant, to: Instant) -> Vec<State> {
        let mut states: Vec<State> = Vec::new();
        // Before the first write of it was answered there may be nothing.
        if self.settled.first().is_none_or(|first| first.sent > from) {
            states.push(State::Absent);
        }
        let held = self.settled.iter().chain(&self.proposed);
        states.extend(
            held.filter(|held| held.sent <= to && held.ended.is_none_or(|ended| ended >= from))
                .map(|held| held.state.clone()),
        );
        states
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn facts(revision: i64, status: Status, title: &str) -> State {
        State::There(Facts {
            revision,
            status,
            titles: BTreeMap::from([(Language::En, title.to_owned())]),
            sha256: None,
        })
    }

    /// Second 10 of a test's clock is the beginning.
    fn at(start: Instant, second: u64) -> Instant {
        start + Duration::from_secs(second)
    }

    fn hit(ledger: &Ledger, id: &ImageId, title: &str, during: (Instant, Instant)) -> bool {
        let wrong = ledger.wrong_hit(id, Language::En, title, during);
        wrong.is_none()
    }

    #[test]
    fn a_retired_or_deleted_document_is_a_wrong_hit_from_the_answer_on() {
        let (ledger, start) = (Ledger::default(), Instant::now());
        let id: ImageId = "a".parse().unwrap();
        ledger.begin(&id, facts(1, Status::Approved, "A"), start);
        for (second, state) in [(10, facts(2, Status::Retired, "A")), (30, State::Absent)] {
            ledger.propose(&id, vec![state.clone()], at(start, second));
            // Not answered: both are possible.
            assert_eq!(
                hit(
                    &ledger,
                    &id,
                    "A",
                    (at(start, second + 1), at(start, second + 2))
                ),
                second == 10
            );
            ledger.settle(&id, state, at(start, second + 5));
        }
        assert!(hit(&ledger, &id, "A", (at(start, 14), at(start, 16))));
        assert!(!hit(&ledger, &id, "A", (at(start, 16), at(start, 17))));
        assert!(!hit(&ledger, &id, "A", (at(start, 40), at(start, 41))));
        let look = (at(start, 40), at(start, 41));
        assert_eq!(ledger.wrong_look(&id, None, look), None);
        assert_eq!(ledger.current(&id), State::Absent);
    }

    #[test]
    fn a_stale_title_is_a_wrong_hit_and_an_unknown_document_too() {
        let (ledger, start) = (Ledger::default(), Instant::now());
        let id: ImageId = "a".parse().unwrap();
        ledger.begin(&id, facts(1, Status::Approved, "Old"), start);
        let newer = facts(2, Status::Approved, "New");
        ledger.propose(&id, vec![newer.clone()], at(start, 10));
        ledger.settle(&id, newer, at(start, 11));
        let during = (at(start, 20), at(start, 21));
        assert!(hit(&ledger, &id, "New", during));
        assert!(!hit(&ledger, &id, "Old", during));
        assert!(!hit(&ledger, &"b".parse().unwrap(), "New", during));
    }

    #[test]
    fn a_lost_write_is_a_wrong_look() {
        let (ledger, start) = (Ledger::default(), Instant::now());
        let id: ImageId = "a".parse().unwrap();
        let stored = facts(1, Status::Draft, "A");
        ledger.propose(&id, vec![stored.clone()], at(start, 1));
        assert_eq!(
            ledger.wrong_look(&id, None, (start, at(start, 2))),
            None,
            "not yet stored"
        );
        ledger.settle(&id, stored.clone(), at(start, 3));
        let later = (at(start, 4), at(start, 5));
        assert!(ledger.wrong_look(&id, None, later).is_some());
        let State::There(shown) = stored else { return };
        assert_eq!(ledger.wrong_look(&id, Some(&shown), later), None);
        let newer = Facts {
            revision: 2,
            ..shown
        };
        assert!(ledger.wrong_look(&id, Some(&newer), later).is_some());
    }

    #[test]
    fn of_two_proposals_the_loser_was_never_true() {
        let (ledger, start) = (Ledger::default(), Instant::now());
        let id: ImageId = "a".parse().unwrap();
        ledger.begin(&id, facts(1, Status::Approved, "A"), start);
        let (b, c) = (
            facts(2, Status::Approved, "B"),
            facts(2, Status::Approved, "C"),
        );
        ledger.propose(&id, vec![b.clone(), c], at(start, 10));
        let during = (at(start, 11), at(start, 12));
        assert!(hit(&ledger, &id, "B", during) && hit(&ledger, &id, "C", during));
        ledger.settle(&id, b, at(start, 13));
        assert!(hit(&ledger, &id, "B", during) && !hit(&ledger, &id, "C", during));
    }
}
