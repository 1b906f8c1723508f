//! What is pending and stays so: it must neither be sent with every tick, nor be waited for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    time::{Duration, Instant},
};

use contracts::ImageId;

use crate::store::Pending;

/// The documents left out, as of the last walk over everything that is pending.
pub(super) struct LeftOut {
    documents: BTreeMap<ImageId, Entry>,
    /// How often they are tried again all the same: the embedder may have been replaced.
    every: Duration,
    next_try: Option<Instant>,
    trying: bool,
    walk: u64,
}

struct Entry {
    revision: i64,
    why: Why,
    /// The last walk that met it.
    walk: u64,
}

/// Why a document is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The embedder blames the document.
    Refused,
    /// The store cannot read it.
    Unreadable,
    /// The indexes hold the highest revision that there is, with another content.
    Outranked,
}

impl LeftOut {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            documents: BTreeMap::new(),
            every,
            next_try: None,
            trying: false,
            walk: 0,
        }
    }

    pub(super) fn begin_walk(&mut self, now: Instant) {
        self.walk += 1;
        self.trying = self.next_try.is_none_or(|next| now >= next);
    }

    /// Forgets what the walk did not meet: it was accepted or written anew. A walk that broke off
    /// is not ended.
    pub(super) fn end_walk(&mut self, now: Instant) {
        let walk = self.walk;
        self.documents.retain(|_, entry| entry.walk == walk);
        if self.trying {
            self.next_try = Some(now + self.every);
        }
    }

    /// What of a page is to be sent.
    pub(super) fn admit(&mut self, page: Vec<Pending>) -> Vec<Pending> {
        let mut admitted = Vec::with_capacity(page.len());
        for change in page {
            if matches!(change, Pending::Unreadable { .. }) {
                self.note(
                    &change,
                    Why::Unreadable,
                    "it is no document of this version",
                );
            } else if !self.trying && self.holds(&change) {
                if let Some(entry) = self.documents.get_mut(change.id()) {
                    entry.walk = self.walk;
                }
            } else {
                admitted.push(change);
            }
        }
        admitted
    }

    /// Leaves a document out until its revision changes or the time has come to try again, and says
    /// so once.
    pub(super) fn note(&mut self, change: &Pending, why: Why, error: impl Display) {
        let (id, revision, walk) = (change.id(), change.revision(), self.walk);
        let entry = Entry {
            revision,
            why,
            walk,
        };
        let former = self.documents.insert(id.clone(), entry);
        if former.is_some_and(|former| former.revision == revision && former.why == why) {
            return;
        }
        tracing::error!(
            %error, %id, revision, why = ?why,
            "a document is left out of publishing; what the indexes hold of it is old until it is \
             written anew"
        );
    }

    /// Is this very change left out?
    pub(super) fn holds(&self, change: &Pending) -> bool {
        let entry = self.documents.get(change.id());
        match change {
            Pending::Unreadable { .. } => true,
            _ => entry.is_some_and(|entry| {
                entry.revision == change.revision() && entry.why != Why::Unreadable
            }),
        }
    }

    /// Whose contents say nothing about what the indexes should hold.
    pub(super) fn ids(&self) -> BTreeSet<ImageId> {
        self.documents.keys().cloned().collect()
    }
}
