//! The way to Redis: a connection while there is one, and nothing to wait for while there is none.
//!
//! It is a circuit breaker whose probe costs no request anything: calls that fail in a row close the
//! way, and a task of its own connects anew and asks once before it opens again.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{ErrorKind, Pipeline, RedisError, RedisResult, Value};
use tokio::{
    sync::{Notify, oneshot},
    task::AbortHandle,
    time::{sleep, timeout},
};

use crate::{
    counts::{Counters, LinkCounts, count},
    server::{Answers, Connection, Connector},
    settings::Config,
};

/// Failures in a row after which Redis is left alone. A lost connection counts at once.
const TOLERATED: u32 = 3;
/// Longest that connecting may take, a Sentinel's or a cluster's directions included.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The pause before the second try to connect; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Between two lines that say that Redis is away.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Between two lines about what Redis refuses.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// What a link is for, as the log says it.
#[derive(Clone, Copy, Debug)]
pub struct Purpose {
    /// What Redis is, such as `the answer cache`.
    pub what: &'static str,
    /// What happens while it is away, such as `answers are made without it`.
    pub meanwhile: &'static str,
}

/// Calls, counted and bounded. Its task ends with it.
pub struct Link {
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

struct Shared {
    state: Mutex<State>,
    lost: Notify,
    deadline: Duration,
    purpose: Purpose,
    counters: Counters,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// Tells a connection's failures from those of the one before.
    epoch: u64,
    failures: u32,
    /// Tries to connect since a call succeeded.
    tries: u32,
    why: Why,
    complained: Option<Instant>,
}

/// Why Redis is away.
#[derive(Clone, Default)]
struct Why {
    error: String,
    /// It is there, and does not let us in: a person has to act.
    refuses: bool,
}

impl Link {
    /// Begins to connect. `probe` is what a new connection must answer before it is used; the receiver
    /// hears of the end of the first try. Call it inside a runtime.
    ///
    /// # Errors
    /// When the client refuses settings that [`Settings::check`](crate::Settings::check) found good.
    pub fn open(
        config: &Config,
        purpose: Purpose,
        probe: Pipeline,
    ) -> RedisResult<(Self, oneshot::Receiver<()>)> {
        let connector = config.server.connector()?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            lost: Notify::new(),
            deadline: config.deadline,
            purpose,
            counters: Counters::default(),
        });
        let (tried, first) = oneshot::channel();
        let keeper = Keeper {
            shared: Arc::clone(&shared),
            connector,
            probe,
            absence: Absence::default(),
        };
        let keeper = tokio::spawn(keeper.run(tried)).abort_handle();
        Ok((Self { shared, keeper }, first))
    }

    /// What happened since the start.
    pub fn counts(&self) -> LinkCounts {
        self.shared.counters.read()
    }

    /// Redis is there, as far as is known.
    pub fn is_up(&self) -> bool {
        self.shared.state().connection.is_some()
    }

    /// What Redis answers by the deadline; `None` at once while it is away. `pipeline` must collect
    /// errors ([`Pipeline::ignore_errors`]).
    pub async fn call(&self, pipeline: &Pipeline) -> Option<Answers> {
        self.call_within(self.shared.deadline, pipeline).await
    }

    /// As [`Link::call`], with what is left of a deadline that began earlier.
    pub(crate) async fn call_within(
        &self,
        deadline: Duration,
        pipeline: &Pipeline,
    ) -> Option<Answers> {
        let shared = &self.shared;
        let current = {
            let state = shared.state();
            let epoch = state.epoch;
            state.connection.clone().map(|found| (epoch, found))
        };
        let Some((epoch, mut connection)) = current else {
            count(&shared.counters.skipped);
            return None;
        };
        match timeout(deadline, connection.run(pipeline)).await {
            Err(_) => {
                count(&shared.counters.timeouts);
                shared.failed(epoch, &NoAnswer(shared.deadline).into(), false);
                None
            }
            Ok(Err(error)) => {
                count(&shared.counters.failures);
                let gone = error.is_unrecoverable_error() || error.is_connection_dropped();
                shared.failed(epoch, &error.into(), gone);
                None
            }
            Ok(Ok(answers)) => shared.judge(epoch, answers),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Link");
        shown.field("up", &self.is_up()).finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, epoch: u64, answers: Answers) -> Option<Answers> {
        let mut errors = answers.iter().filter_map(|answer| answer.as_ref().err());
        if let Some(down) = errors.clone().find(|error| cannot_serve(error)) {
            count(&self.counters.failures);
            self.failed(epoch, &Why::from(down.clone()), false);
            return None;
        }
        // A value of another type under our key is a foreign one, and a script is sent when it is not
        // known: neither is a refusal.
        let refusal = errors.find(|error| !matches!(error.code(), Some("WRONGTYPE" | "NOSCRIPT")));
        let mut state = self.state();
        if let Some(error) = refusal {
            count(&self.counters.refused);
            let due = state
                .complained
                .is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY);
            if due {
                state.complained = Some(Instant::now());
                tracing::warn!(%error, "{} refuses a command", self.purpose.what);
            }
        }
        if state.epoch == epoch {
            (state.failures, state.tries) = (0, 0);
        }
        drop(state);
        Some(answers)
    }

    fn failed(&self, epoch: u64, why: &Why, gone: bool) {
        let mut state = self.state();
        if state.epoch != epoch || state.connection.is_none() {
            return;
        }
        state.failures += 1;
        if gone || state.failures >= TOLERATED {
            state.connection = None;
            state.why = why.clone();
            count(&self.counters.gone);
            self.lost.notify_one();
        }
    }

    fn restored(&self, connection: Connection) {
        let mut state = self.state();
        state.connection = Some(connection);
        state.epoch += 1;
        state.failures = 0;
    }

    /// Before the next try to connect. It grows until a call succeeds, so that a Redis that is good
    /// for the probe alone is not tried all the time.
    fn pause(&self) -> Duration {
        let mut state = self.state();
        let doubled = state.tries.checked_sub(1).map(|times| 1 << times.min(16));
        state.tries = state.tries.saturating_add(1);
        doubled.map_or(Duration::ZERO, |factor: u32| {
            FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
        })
    }
}

/// Keeps the connection of a [`Link`].
struct Keeper {
    shared: Arc<Shared>,
    connector: Connector,
    probe: Pipeline,
    absence: Absence,
}

impl Keeper {
    async fn run(mut self, tried: oneshot::Sender<()>) {
        let mut tried = Some(tried);
        loop {
            let outcome = self.connect().await;
            let connected = outcome.is_ok();
            match outcome {
                Ok(connection) => {
                    self.shared.restored(connection);
                    self.absence.ended(self.shared.purpose);
                }
                Err(why) => self.absence.goes_on(&why, &self.shared),
            }
            if let Some(tried) = tried.take() {
                // Nobody may be waiting for it any more.
                tried.send(()).ok();
            }
            if connected {
                self.shared.lost.notified().await;
                let why = self.shared.state().why.clone();
                self.absence.goes_on(&why, &self.shared);
            }
            sleep(self.shared.pause()).await;
        }
    }

    async fn connect(&mut self) -> Result<Connection, Why> {
        let mut connection = timeout(CONNECT_WITHIN, self.connector.connect(CONNECT_WITHIN))
            .await
            .map_err(|_| NoAnswer(CONNECT_WITHIN))??;
        let deadline = self.shared.deadline;
        let answers = timeout(deadline, connection.run(&self.probe))
            .await
            .map_err(|_| NoAnswer(deadline))??;
        answers.into_iter().collect::<RedisResult<Vec<Value>>>()?;
        Ok(connection)
    }
}

/// What the log says of the time without Redis.
#[derive(Default)]
struct Absence {
    since: Option<Instant>,
    said: Option<Instant>,
}

impl Absence {
    fn goes_on(&mut self, why: &Why, shared: &Shared) {
        let now = Instant::now();
        self.since.get_or_insert(now);
        if self.said.is_some_and(|at| now - at < SAY_AGAIN_AFTER) {
            return;
        }
        self.said = Some(now);
        let skipped = shared.counters.read().skipped;
        let Purpose { what, meanwhile } = shared.purpose;
        if why.refuses {
            tracing::error!(
                error = %why.error,
                skipped,
                "{what} does not let this service in; {meanwhile}"
            );
        } else {
            tracing::warn!(
                error = %why.error,
                skipped,
                "{what} is away; {meanwhile}"
            );
        }
    }

    fn ended(&mut self, purpose: Purpose) {
        let Some(since) = self.since.take() else {
            return;
        };
        let away_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(away_ms, "{} is back", purpose.what);
        // One that comes and goes is worth a line a minute, not two a second.
        if away_ms >= 1_000 {
            self.said = None;
        }
    }
}

/// Redis took longer than this.
struct NoAnswer(Duration);

impl From<NoAnswer> for Why {
    fn from(NoAnswer(deadline): NoAnswer) -> Self {
        Self {
            error: format!("no answer within {} ms", deadline.as_millis()),
            refuses: false,
        }
    }
}

impl From<RedisError> for Why {
    fn from(error: RedisError) -> Self {
        Self {
            refuses: error.kind() == ErrorKind::AuthenticationFailed
                || matches!(error.code(), Some("WRONGPASS" | "NOAUTH" | "NOPERM")),
            error: error.to_string(),
        }
    }
}

/// It answers, but not as a Redis that is of use: loading, demoted, locked, without its cluster.
fn cannot_serve(error: &RedisError) -> bool {
    let code = error.code().unwrap_or_default();
    matches!(
        code,
        "LOADING" | "READONLY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "NOAUTH" | "MOVED"
    )
}
