//! What happened, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use redis_link::LinkCounts;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often what happened since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct RedisCounts {
            $($(#[$doc])* pub $name: u64,)*
            /// What happened to the calls.
            pub link: LinkCounts,
        }

        impl RedisCounts {
            /// Each with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                let own = [$((stringify!($name), self.$name),)*];
                own.into_iter().chain(self.link.named())
            }
        }

        #[derive(Debug, Default)]
        pub struct Counters {
            $(pub $name: AtomicU64,)*
        }

        impl Counters {
            pub fn read(&self, link: LinkCounts) -> RedisCounts {
                RedisCounts {
                    $($name: self.$name.load(Relaxed),)*
                    link,
                }
            }
        }
    };
}

counts! {
    /// Answers that lay in Redis.
    hits,
    /// Look-ups that found nothing there.
    misses,
    /// Answers that another replica was making, and that came in time.
    awaited,
    /// Waits for another replica that ended without its answer.
    awaited_in_vain,
    /// Answers put into Redis.
    stored,
    /// Answers larger than the bound, which were not put there.
    oversized,
    /// Answers not put there for any other reason.
    not_stored,
    /// Values under our keys that are not ours, damaged or of another version.
    foreign,
}

/// One more.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
