//! Who makes room when there is no more.
//!
//! No address has a share of its own: behind a balancer all clients have one. But when there is no more room, it is
//! the address with the most in the crowd that makes some, with its oldest. Whoever opens connections and says nothing
//! crowds out themselves.

use std::{
    cmp::Reverse,
    collections::{HashMap, VecDeque},
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The log tells of one matter this often at most.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// What can be ended for others' sake, by where it comes from.
#[derive(Debug)]
pub(crate) struct Crowd<K, H> {
    entered: u64,
    origins: HashMap<K, IpAddr>,
    /// The oldest first.
    queues: HashMap<IpAddr, VecDeque<Member<K, H>>>,
}

#[derive(Debug)]
struct Member<K, H> {
    entered: u64,
    key: K,
    handle: H,
}

impl<K, H> Default for Crowd<K, H> {
    fn default() -> Self {
        Self {
            entered: 0,
            origins: HashMap::new(),
            queues: HashMap::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, H> Crowd<K, H> {
    pub(crate) fn len(&self) -> usize {
        self.origins.len()
    }

    /// `handle` is what [`Self::crowd_out`] gives back.
    pub(crate) fn enter(&mut self, address: IpAddr, key: K, handle: H) {
        let origin = origin(address);
        self.entered += 1;
        self.origins.insert(key, origin);
        self.queues.entry(origin).or_default().push_back(Member {
            entered: self.entered,
            key,
            handle,
        });
    }

    /// Nothing happens if it is not there.
    pub(crate) fn leave(&mut self, key: K) -> Option<H> {
        let origin = self.origins.remove(&key)?;
        let queue = self.queues.get_mut(&origin)?;
        let place = queue.iter().position(|member| member.key == key)?;
        let member = queue.remove(place)?;
        if queue.is_empty() {
            self.queues.remove(&origin);
        }
        Some(member.handle)
    }

    /// Takes out the oldest of the origin that has the most, if there is one.
    pub(crate) fn crowd_out(&mut self) -> Option<H> {
        let oldest =
            |queue: &VecDeque<Member<K, H>>| queue.front().map(|member| Reverse(member.entered));
        let queues = self.queues.values();
        let longest = queues.max_by_key(|queue| (queue.len(), oldest(queue)))?;
        let key = longest.front()?.key;
        self.leave(key)
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

/// Warns of one matter at once, and then once a minute at most of all that came since.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<SinceTheLast>);

#[derive(Debug, Default)]
struct SinceTheLast {
    last: Option<Instant>,
    count: u64,
}

impl Warnings {
    /// How many there were, if it is time to say so.
    pub(crate) fn one_more(&self) -> Option<u64> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.one_more(Instant::now())
    }
}

impl SinceTheLast {
    fn one_more(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        let due = self.last.is_none_or(|last| now - last >= WARN_EVERY);
        due.then(|| {
            self.last = Some(now);
            std::mem::take(&mut self.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_hears_at_once_and_then_once_a_minute_of_all() {
        let (mut warnings, begin) = (SinceTheLast::default(), Instant::now());
        assert_eq!(warnings.one_more(begin), Some(1));
        let shortly = begin + WARN_EVERY - Duration::from_millis(1);
        assert_eq!(warnings.one_more(shortly), None);
        assert_eq!(warnings.one_more(begin + WARN_EVERY), Some(2));
        assert_eq!(warnings.one_more(begin + WARN_EVERY), None);
    }

    #[test]
    fn whoever_has_the_most_makes_room_and_among_equals_the_oldest() {
        let mut crowd = Crowd::default();
        // Two addresses of one network count together.
        let addresses = ["::ffff:10.0.0.1", "2001:db8::1", "10.0.0.2", "2001:db8::2"];
        for (key, address) in addresses.into_iter().enumerate() {
            crowd.enter(address.parse().unwrap(), key, address);
        }
        for expected in [1, 0, 2, 3] {
            assert_eq!(crowd.crowd_out(), Some(addresses[expected]));
            assert_eq!(crowd.leave(expected), None, "it is gone already");
        }
        assert_eq!((crowd.len(), crowd.crowd_out()), (0, None));
        assert!(crowd.queues.is_empty());
    }
}
