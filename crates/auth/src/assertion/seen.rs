//! Assertions that were taken: each counts once.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use time::{Duration, OffsetDateTime};

/// Most that are remembered of one generation: 800 requests a second for two minutes.
const MAX_SEEN: usize = 100_000;

/// Remembers ids in two generations, so that forgetting costs nothing: what is in neither is older
/// than one generation's time.
pub(super) struct Seen {
    /// What is older than this holds no more.
    lifetime: Duration,
    most: usize,
    generations: Mutex<Generations>,
}

struct Generations {
    began: OffsetDateTime,
    young: HashSet<String>,
    old: HashSet<String>,
}

/// Why an id is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// It was before.
    Before,
    /// There is no room to remember it.
    NoRoom,
}

impl Seen {
    pub(super) fn new(lifetime: Duration) -> Self {
        Self::with_room_for(MAX_SEEN, lifetime)
    }

    fn with_room_for(most: usize, lifetime: Duration) -> Self {
        Self {
            lifetime,
            most,
            generations: Mutex::new(Generations {
                began: OffsetDateTime::UNIX_EPOCH,
                young: HashSet::new(),
                old: HashSet::new(),
            }),
        }
    }

    pub(super) fn take(&self, id: String, now: OffsetDateTime) -> Result<(), NotTaken> {
        let mut all = self
            .generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let age = now - all.began;
        if age >= self.lifetime {
            all.old = std::mem::take(&mut all.young);
            all.began = now;
        } else if age < Duration::ZERO {
            // The clock was set back: nothing is forgotten sooner for it.
            all.began = now;
        }
        if all.young.contains(&id) || all.old.contains(&id) {
            return Err(NotTaken::Before);
        }
        if all.young.len() >= self.most {
            return Err(NotTaken::NoRoom);
        }
        all.young.insert(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_once_for_as_long_as_it_could_hold() {
        let seen = Seen::with_room_for(2, Duration::seconds(60));
        let at = |seconds: i64| OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_000 + seconds);
        let take = |id: &str, seconds| seen.take(id.to_owned(), at(seconds));
        assert_eq!(take("a", 0), Ok(()));
        for seconds in [0, 59, 60, 119, -500] {
            assert_eq!(take("a", seconds), Err(NotTaken::Before), "{seconds}");
        }
        // Where there is no room, nothing is taken: forgetting one would let it count twice.
        assert_eq!(take("b", 61), Ok(()));
        assert_eq!(take("c", 61), Ok(()));
        assert_eq!(take("d", 61), Err(NotTaken::NoRoom));
        assert_eq!(take("d", 300), Ok(()));
    }
}
