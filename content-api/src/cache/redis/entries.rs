//! Answers under their names in Redis, and who makes a missing one.
//!
//! ```text
//! PREFIX:a1:SCOPE:{DIGEST}         an answer in its envelope, until it expires
//! PREFIX:a1:SCOPE:{DIGEST}:making  a token of the replica that makes it
//! ```
//!
//! The braces keep both in one slot of a cluster.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use contracts::GetContentAnswer;
use redis_link::{
    Answers, Link, Purpose,
    redis::{self, Pipeline, Value},
};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Semaphore, oneshot},
    time::{Instant, sleep},
};
use utoipa::{PartialSchema, ToSchema};

use super::{
    config::RedisConfig,
    counts::{Counters, RedisCounts, count},
    envelope,
};
use crate::cache::CacheKey;

/// Longest that a replica counts as making an answer: a search is given up after 5 s.
const LEASE: Duration = Duration::from_secs(6);
/// Between two looks for what another replica is making; it grows by half each time.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LONGEST_LOOK: Duration = Duration::from_millis(40);
/// Most answers on their way into Redis at the same time. Others are not put there.
const STORES_AT_ONCE: usize = 64;
/// Ends a lease, if it is still ours.
const RELEASE: &str = "if redis.call('get', KEYS[1]) == ARGV[1] \
     then return redis.call('del', KEYS[1]) else return 0 end";

const PURPOSE: Purpose = Purpose {
    what: "the answer cache",
    meanwhile: "answers are made without it",
};

/// What a look-up ends with.
pub enum Look {
    /// Here it is, with the bytes of its JSON, for that long.
    Found(Box<GetContentAnswer>, usize, Duration),
    /// Make it. With a lease, other replicas wait for it.
    Make(Option<Lease>),
}

/// All answers of this service in Redis.
#[derive(Debug)]
pub struct Entries {
    shared: Arc<Shared>,
    namespace: String,
    /// Of this process; with a number it is a lease's token.
    process: uuid::Uuid,
    leases: AtomicU64,
    config: RedisConfig,
    stores: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shared {
    link: Link,
    counters: Arc<Counters>,
}

impl Entries {
    /// Begins to connect; the receiver hears of the end of the first try.
    pub fn open(config: RedisConfig) -> Result<(Self, oneshot::Receiver<()>), redis::RedisError> {
        let namespace = namespace(&config);
        let mut probe = pipeline();
        probe
            .cmd("GETRANGE")
            .arg(format!("{namespace}:probe"))
            .arg(0)
            .arg(0);
        let (link, first) = Link::open(&config.redis, PURPOSE, probe)?;
        let counters = Arc::default();
        let entries = Self {
            shared: Arc::new(Shared { link, counters }),
            namespace,
            process: uuid::Uuid::now_v7(),
            leases: AtomicU64::new(0),
            config,
            stores: Arc::new(Semaphore::new(STORES_AT_ONCE)),
        };
        Ok((entries, first))
    }

    pub fn counts(&self) -> RedisCounts {
        self.shared.counters.read(self.shared.link.counts())
    }

    pub fn is_up(&self) -> bool {
        self.shared.link.is_up()
    }

    /// Looks for the answer, waits a bounded time for a replica that is making it, or says that it is
    /// ours to make. Never fails: without Redis it is ours to make, at once.
    pub async fn look(&self, key: &CacheKey) -> Look {
        let counters = &self.shared.counters;
        let names = self.names(key);
        let mut read = pipeline();
        self.add_read(&mut read, &names);
        let Some(answers) = self.shared.link.call(&read).await else {
            return Look::Make(None);
        };
        if let Some(found) = self.found(key, &answers) {
            count(&counters.hits);
            return found;
        }
        count(&counters.misses);
        if self.config.wait.is_zero() {
            return Look::Make(None);
        }
        self.claim(key, &names).await
    }

    async fn claim(&self, key: &CacheKey, names: &Names) -> Look {
        let counters = &self.shared.counters;
        let number = self.leases.fetch_add(1, Ordering::Relaxed);
        let token = format!("{}-{number}", self.process);
        let mut claim = pipeline();
        claim.cmd("SET").arg(&names.making).arg(&token);
        claim.arg("NX").arg("PX").arg(millis(LEASE));
        // Somebody may have finished since the look before.
        self.add_read(&mut claim, names);
        let give_up = Instant::now() + self.config.wait;
        let mut pause = FIRST_LOOK;
        let mut waited = false;
        loop {
            let Some(answers) = self.shared.link.call(&claim).await else {
                return Look::Make(None);
            };
            let lease = match answers.first() {
                Some(Ok(Value::Okay)) => Some(Lease {
                    shared: Arc::clone(&self.shared),
                    making: names.making.clone(),
                    token: token.clone(),
                }),
                Some(Ok(_)) => None,
                // Redis does not let us: then there is nobody to wait for either.
                Some(Err(_)) | None => return Look::Make(None),
            };
            if let Some(found) = self.found(key, &answers[1..]) {
                count(if waited {
                    &counters.awaited
                } else {
                    &counters.hits
                });
                return found;
            }
            if lease.is_some() {
                return Look::Make(lease);
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                count(&counters.awaited_in_vain);
                return Look::Make(None);
            }
            waited = true;
            sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(LONGEST_LOOK);
        }
    }

    /// Puts an answer there, in the background: nobody waits for it. The lease ends with it.
    pub fn keep(&self, key: &CacheKey, json: Vec<u8>, lease: Option<Lease>) {
        let counters = Arc::clone(&self.shared.counters);
        let room = Arc::clone(&self.stores).try_acquire_owned();
        let (Ok(room), true) = (room, self.is_up()) else {
            return count(&counters.not_stored);
        };
        let (names, key) = (self.names(key), key.clone());
        let (shared, most) = (Arc::clone(&self.shared), self.config.max_value_bytes);
        let lifetime = names.lifetime(self.config.lifetime);
        tokio::spawn(async move {
            let _room = room;
            let sealed = envelope::seal(key.as_str(), &json);
            if sealed.len() > most {
                count(&counters.oversized);
                return;
            }
            let mut store = pipeline();
            store.cmd("SET").arg(&names.value).arg(sealed);
            store.arg("PX").arg(millis(lifetime));
            if let Some(lease) = lease {
                lease.end_with(&mut store);
            }
            let answers = shared.link.call(&store).await;
            let stored = answers.is_some_and(|answers| matches!(answers.first(), Some(Ok(_))));
            count(if stored {
                &counters.stored
            } else {
                &counters.not_stored
            });
        });
    }

    fn add_read(&self, pipeline: &mut Pipeline, names: &Names) {
        // Not GET: who knows how long a value is that is not ours.
        pipeline.cmd("GETRANGE").arg(&names.value);
        pipeline.arg(0).arg(self.config.max_value_bytes);
        pipeline.cmd("PTTL").arg(&names.value);
    }

    fn found(&self, key: &CacheKey, answers: &[redis::RedisResult<Value>]) -> Option<Look> {
        let [value, left] = answers else { return None };
        let sealed = match value {
            Ok(Value::BulkString(bytes)) if !bytes.is_empty() => bytes,
            Ok(_) => return None,
            Err(_) => {
                count(&self.shared.counters.foreign);
                return None;
            }
        };
        let answer = envelope::open(key.as_str(), sealed).and_then(|json| {
            let answer = serde_json::from_slice(&json).ok()?;
            Some((answer, json.len()))
        });
        let Some((answer, bytes)) = answer else {
            count(&self.shared.counters.foreign);
            return None;
        };
        let left = match left {
            Ok(Value::Int(left)) => u64::try_from(*left).ok(),
            _ => None,
        };
        // Ours always expire; what somebody made to last does not last longer here.
        let left = left.map_or(self.config.lifetime, Duration::from_millis);
        Some(Look::Found(answer, bytes, left.min(self.config.lifetime)))
    }

    fn names(&self, key: &CacheKey) -> Names {
        let digest: [u8; 32] = Sha256::digest(key.as_str()).into();
        let value = format!("{}:{{{}}}", self.namespace, hex::encode(&digest[..16]));
        Names {
            making: format!("{value}:making"),
            value,
            spread: u16::from_le_bytes([digest[30], digest[31]]),
        }
    }
}

/// Where a key's things lie.
struct Names {
    value: String,
    making: String,
    /// The key's own share of the spread of lifetimes.
    spread: u16,
}

impl Names {
    /// Up to a tenth shorter, so that what was made together does not expire together.
    fn lifetime(&self, lifetime: Duration) -> Duration {
        lifetime - lifetime / 10 * u32::from(self.spread) / u32::from(u16::MAX)
    }
}

/// The right to make an answer while other replicas wait. Dropped, it ends at once in the background,
/// so that those go on when the making failed or was given up.
pub struct Lease {
    shared: Arc<Shared>,
    making: String,
    token: String,
}

impl Lease {
    fn end_with(mut self, pipeline: &mut Pipeline) {
        self.release(pipeline);
        // Nothing is left to do for `drop`.
        self.making.clear();
    }

    fn release(&self, pipeline: &mut Pipeline) {
        let release = pipeline.cmd("EVAL").arg(RELEASE).arg(1);
        release.arg(&self.making).arg(&self.token);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.making.is_empty() {
            return;
        }
        let mut end = pipeline();
        self.release(&mut end);
        let shared = Arc::clone(&self.shared);
        // Without a runtime the process ends, and the lease after a few seconds.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _: Option<Answers> = shared.link.call(&end).await;
            });
        }
    }
}

/// What must not be mixed up lies under different names: deployments by their prefix, releases that
/// may answer differently by version and by the answer's schema, and URLs that begin otherwise.
fn namespace(config: &RedisConfig) -> String {
    let mut schemas = vec![(String::new(), GetContentAnswer::schema())];
    GetContentAnswer::schemas(&mut schemas);
    let schemas = serde_json::to_vec(&schemas).expect("a schema always serialises");
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update([0]);
    hash.update(config.public_url.as_str());
    hash.update([0]);
    hash.update(schemas);
    let scope = hex::encode(&hash.finalize()[..4]);
    format!("{}:a{}:{scope}", config.redis.prefix, envelope::VERSION)
}

fn pipeline() -> Pipeline {
    let mut pipeline = redis::pipe();
    pipeline.ignore_errors();
    pipeline
}

/// At least one: Redis refuses zero.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}
