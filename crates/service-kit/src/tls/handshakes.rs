//! Handshakes: how many at a time, for how long, and what fails of them.
//!
//! No address has a share of its own: behind a balancer all clients have one. But when there is no more room, it is
//! the address with the most handshakes under way that makes some, with its oldest. Whoever opens connections and says
//! nothing crowds out themselves.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    io::{self, ErrorKind},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tokio::task::{AbortHandle, Id};

/// Longest that a handshake may take: two round trips, and as long for a signature on a busy machine.
const WITHIN: Duration = Duration::from_secs(3);
/// Handshakes under way at a time.
const AT_A_TIME: usize = 512;
/// Every [`Failure::reason`].
const REASONS: [&str; 5] = [
    "timeout",
    "crowded_out",
    "client_left",
    "client_refused",
    "not_tls_1_3",
];
/// The log tells of failures this often at most.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// What a listener allows.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeBounds {
    /// Longest that one may take.
    pub within: Duration,
    /// How many may be under way at a time.
    pub at_a_time: usize,
}

impl Default for HandshakeBounds {
    fn default() -> Self {
        Self {
            within: WITHIN,
            at_a_time: AT_A_TIME,
        }
    }
}

/// Why there is no TLS with a client.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was too slow, or silent.
    Timeout,
    /// It made room for others.
    CrowdedOut,
    /// The client went away, as probes of ports do.
    ClientLeft,
    /// The client will not have our certificate.
    ClientRefused(io::Error),
    /// An older version, plain HTTP, or nothing known.
    NotTls13(io::Error),
}

impl Failure {
    pub(super) fn of(error: io::Error) -> Self {
        if error.kind() != ErrorKind::InvalidData {
            return Self::ClientLeft;
        }
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::AlertReceived(_)) => Self::ClientRefused(error),
            _ => Self::NotTls13(error),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::CrowdedOut => "crowded_out",
            Self::ClientLeft => "client_left",
            Self::ClientRefused(_) => "client_refused",
            Self::NotTls13(_) => "not_tls_1_3",
        }
    }
}

/// Counts what fails, by why, and warns of it once a minute at most. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct HandshakeFailures {
    counts: Family<[(&'static str, &'static str); 1], Counter>,
    warnings: Arc<Mutex<Warnings>>,
}

impl HandshakeFailures {
    /// Makes the counts part of what a service measures. All are told from the beginning, for the first failure of a
    /// kind is an increase too.
    pub fn register(&self, registry: &mut Registry) {
        for reason in REASONS {
            drop(self.counts.get_or_create(&[("reason", reason)]));
        }
        registry.register(
            "promptsales_tls_handshakes_failed",
            "Connections without TLS in the end, by why",
            self.counts.clone(),
        );
    }

    pub(super) fn note(&self, failure: &Failure) {
        let reason = failure.reason();
        self.counts.get_or_create(&[("reason", reason)]).inc();
        let error = match failure {
            // Nobody has to do anything.
            Failure::ClientLeft => return,
            Failure::ClientRefused(error) | Failure::NotTls13(error) => Some(error),
            Failure::Timeout | Failure::CrowdedOut => None,
        };
        let due = {
            let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            warnings.one_more(Instant::now())
        };
        if let Some(failed) = due {
            let error = error.map(tracing::field::display);
            tracing::warn!(failed, reason, error, "TLS handshakes fail");
        }
    }
}

/// Failures since the last warning.
#[derive(Debug, Default)]
struct Warnings {
    last: Option<Instant>,
    failed: u64,
}

impl Warnings {
    /// How many there were, if it is time to say so.
    fn one_more(&mut self, now: Instant) -> Option<u64> {
        self.failed += 1;
        let due = self.last.is_none_or(|last| now - last >= WARN_EVERY);
        due.then(|| {
            self.last = Some(now);
            std::mem::take(&mut self.failed)
        })
    }
}

/// Handshakes under way, by where they come from.
#[derive(Default)]
pub(super) struct UnderWay {
    begun: u64,
    origins: HashMap<Id, IpAddr>,
    /// The oldest first.
    queues: HashMap<IpAddr, VecDeque<(u64, AbortHandle)>>,
}

impl UnderWay {
    pub(super) fn len(&self) -> usize {
        self.origins.len()
    }

    pub(super) fn begin(&mut self, address: IpAddr, handle: AbortHandle) {
        let origin = origin(address);
        self.begun += 1;
        self.origins.insert(handle.id(), origin);
        let queue = self.queues.entry(origin).or_default();
        queue.push_back((self.begun, handle));
    }

    pub(super) fn end(&mut self, id: Id) {
        if let Some(origin) = self.origins.remove(&id)
            && let Some(queue) = self.queues.get_mut(&origin)
        {
            queue.retain(|(_, handle)| handle.id() != id);
            if queue.is_empty() {
                self.queues.remove(&origin);
            }
        }
    }

    /// Ends the oldest of the origin that has the most, and says whether there was one.
    pub(super) fn crowd_out(&mut self) -> bool {
        let oldest = |queue: &VecDeque<(u64, AbortHandle)>| queue.front().map(|(begun, _)| *begun);
        let queues = self.queues.values();
        let longest = queues.max_by_key(|queue| (queue.len(), Reverse(oldest(queue))));
        let Some((_, handle)) = longest.and_then(VecDeque::front).cloned() else {
            return false;
        };
        handle.abort();
        self.end(handle.id());
        true
    }
}

/// Who counts as one: an address, or in IPv6 the network of 64 bits that a site is given at least.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            Ipv6Addr::from_bits(network).into()
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_hears_at_once_and_then_once_a_minute_of_all() {
        let (mut warnings, begin) = (Warnings::default(), Instant::now());
        assert_eq!(warnings.one_more(begin), Some(1));
        let shortly = begin + WARN_EVERY - Duration::from_millis(1);
        assert_eq!(warnings.one_more(shortly), None);
        assert_eq!(warnings.one_more(begin + WARN_EVERY), Some(2));
        assert_eq!(warnings.one_more(begin + WARN_EVERY), None);
    }

    #[tokio::test]
    async fn whoever_has_the_most_makes_room_and_among_equals_the_oldest() {
        let mut tasks = tokio::task::JoinSet::new();
        let mut under_way = UnderWay::default();
        let mut ids = Vec::new();
        // Two addresses of one network count together.
        for address in ["::ffff:10.0.0.1", "2001:db8::1", "10.0.0.2", "2001:db8::2"] {
            let handle = tasks.spawn(std::future::pending::<()>());
            ids.push(handle.id());
            under_way.begin(address.parse().unwrap(), handle);
        }
        for expected in [1, 0, 2, 3] {
            assert!(under_way.crowd_out());
            let gone = tasks.join_next_with_id().await.unwrap().unwrap_err();
            assert!(gone.is_cancelled());
            assert_eq!(gone.id(), ids[expected]);
        }
        assert_eq!((under_way.len(), under_way.crowd_out()), (0, false));
        assert!(under_way.queues.is_empty());
    }
}
