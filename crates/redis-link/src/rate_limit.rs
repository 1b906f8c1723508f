//! Rates that replicas count together.
//!
//! ```text
//! PREFIX:r1:{DIGEST}   when all that somebody was allowed would have come at an even pace, in
//!                      microseconds of the server's clock; gone by itself when that has passed
//! ```
//!
//! One script reads, decides and writes (`rate_limit/count.lua`), so that two replicas never spend the same
//! room. Its clock is the server's: replicas' own may differ. A digest in braces keeps subjects out of Redis
//! and each key in one slot of a cluster.
//!
//! Redis is never a reason to refuse. Where it does not decide by the deadline, this process does, by
//! what it let in itself: each replica then gives the whole budget. Needs Redis 5 or newer; an ACL user
//! needs `~PREFIX:* +eval +evalsha +get +set +time`, in a cluster also `+cluster|slots`.

mod measured;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use redis::{Pipeline, Value};
use service_kit::{
    metrics::prometheus_client::registry::Registry,
    rate_limit::{LocalRateLimiter, Rate, RateLimiter, TooOften},
};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use crate::{
    counts::{LinkCounts, count},
    fault::Fault,
    link::{Link, Purpose},
    settings::Config,
};
use measured::Measured;

const COUNT: &str = include_str!("rate_limit/count.lua");
/// Longest wait for the first connection at the start.
const START_WITHIN: Duration = Duration::from_secs(1);
const PURPOSE: Purpose = Purpose {
    what: "the Redis that counts rates",
    meanwhile: "each replica counts for itself",
};

/// Counters in Redis, of which limiters are made. Clones share them.
#[derive(Clone, Debug)]
pub struct SharedCounters {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Link,
    /// What Redis knows the script by.
    script: String,
    prefix: String,
    deadline: Duration,
    together: AtomicU64,
    alone: AtomicU64,
}

/// Who decided, how often, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterCounts {
    /// Redis, for all replicas.
    pub together: u64,
    /// This process, because Redis did not answer in time, refused, or was known to be away.
    pub alone: u64,
    /// What happened to the calls.
    pub link: LinkCounts,
}

impl SharedCounters {
    /// Connects, or goes on without a connection after a second: the log says so, and Redis is used
    /// from when it answers. Call it inside a runtime; its task ends with the last clone.
    ///
    /// # Errors
    /// When the client refuses settings that [`Settings::check`](crate::Settings::check) found good.
    pub async fn start(config: &Config) -> Result<Self, Fault> {
        let script = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, COUNT.as_bytes()));
        let probe = Call {
            key: format!("{}:r1:{{probe}}", config.prefix),
            rate: Rate {
                pace: Duration::from_micros(1),
                burst: Duration::from_secs(1),
            },
        };
        let (link, first) = Link::open(config, PURPOSE, probe.with("EVAL", COUNT))
            .map_err(|error| Fault::Client(error.to_string()))?;
        // Whichever way it ended, the task has said so.
        drop(timeout(START_WITHIN, first).await);
        Ok(Self {
            shared: Arc::new(Shared {
                link,
                script,
                prefix: config.prefix.clone(),
                deadline: config.deadline,
                together: AtomicU64::new(0),
                alone: AtomicU64::new(0),
            }),
        })
    }

    /// A limiter of what is called `name`. Those of one name share a budget, in this process and in others.
    pub fn limiter(&self, name: &'static str, rate: Rate) -> SharedRateLimiter {
        SharedRateLimiter {
            shared: Arc::clone(&self.shared),
            name,
            rate,
            local: LocalRateLimiter::new(rate),
        }
    }

    /// What happened since the start.
    pub fn counts(&self) -> CounterCounts {
        CounterCounts {
            together: self.shared.together.load(Relaxed),
            alone: self.shared.alone.load(Relaxed),
            link: self.shared.link.counts(),
        }
    }

    /// Redis is in use; otherwise this process counts alone.
    pub fn is_up(&self) -> bool {
        self.shared.link.is_up()
    }

    /// Adds what is measured: `rate_limit_redis_up`, `rate_limit_decisions_total` by who decided, and
    /// `rate_limit_redis_calls_failed_total` by how. They are read at each scrape.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Measured(self.clone())));
    }
}

/// A [`RateLimiter`] whose budget replicas share.
#[derive(Debug)]
pub struct SharedRateLimiter {
    shared: Arc<Shared>,
    name: &'static str,
    rate: Rate,
    /// What this process let in, for when it has to decide alone.
    local: LocalRateLimiter,
}

#[async_trait]
impl RateLimiter for SharedRateLimiter {
    async fn count(&self, key: &str) -> Result<(), TooOften> {
        let call = Call {
            key: self.shared.key(self.name, key),
            rate: self.rate,
        };
        let Some(room_in) = self.shared.ask(&call).await else {
            count(&self.shared.alone);
            return self.local.count_now(key);
        };
        count(&self.shared.together);
        if room_in > Duration::ZERO {
            return Err(TooOften(room_in));
        }
        // A client that has spent its budget here gets no new one because Redis goes away.
        self.local.count_now(key).ok();
        Ok(())
    }
}

impl Shared {
    fn key(&self, name: &str, key: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(name);
        digest.update([0]);
        digest.update(key);
        let digest = hex::encode(&digest.finalize()[..16]);
        format!("{}:r1:{{{digest}}}", self.prefix)
    }

    /// After which time there is room, zero for now; `None` when Redis has not said so by the deadline.
    async fn ask(&self, call: &Call) -> Option<Duration> {
        let begun = Instant::now();
        let known = call.with("EVALSHA", &self.script);
        let answer = self.link.call(&known).await?.pop()?;
        let answer = match answer {
            // A server that was started or emptied since, or another node of a cluster.
            Err(error) if error.code() == Some("NOSCRIPT") => {
                let left = self.deadline.saturating_sub(begun.elapsed());
                let whole = call.with("EVAL", COUNT);
                self.link.call_within(left, &whole).await?.pop()?
            }
            other => other,
        };
        match answer {
            Ok(Value::Int(micros)) => u64::try_from(micros).ok().map(Duration::from_micros),
            Ok(_) | Err(_) => None,
        }
    }
}

/// One run of the script.
struct Call {
    key: String,
    rate: Rate,
}

impl Call {
    /// By its text or its hash.
    fn with(&self, command: &str, script: &str) -> Pipeline {
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        // Whole microseconds: a sum of them has no fraction that could cost one of a burst.
        let (pace, burst) = (self.rate.pace.as_micros(), self.rate.burst.as_micros());
        let run = pipeline.cmd(command).arg(script).arg(1).arg(&self.key);
        run.arg(pace.max(1).to_string()).arg(burst.to_string());
        pipeline
    }
}
