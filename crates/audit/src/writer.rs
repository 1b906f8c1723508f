//! From events to lines: a bounded queue, and a thread that writes.

use std::{
    fmt, io,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    Clock,
    metrics::{Metrics, prometheus_client::metrics::counter::Counter},
};
use time::OffsetDateTime;

use crate::{
    Event,
    chain::{MIN_KEY_BYTES, ORIGIN, Seal},
    file::{Chain, Entry, Journal},
};

/// So long lines are kept.
pub const KEPT_DAYS: u16 = 90;

/// Events that may wait; more are lost.
const QUEUE: usize = 10_000;
/// Most lines that are written at once.
const BATCH: usize = 256;
/// How often files are looked through whose time may be over, though nothing is written.
const TIDY_EVERY: Duration = Duration::from_secs(60 * 60);
/// Seconds between two lines of the log about lost events.
const COMPLAIN_EVERY: i64 = 60;
/// Longest wait for what is queued, at the end of a process.
const FLUSH_DEADLINE: Duration = Duration::from_secs(5);
/// How often a full queue is tried again meanwhile.
const FLUSH_POLL: Duration = Duration::from_millis(10);

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Files in a directory, which several processes may share.
    Directory(PathBuf),
    /// Standard output, for a collector that keeps them. Each process then has a chain of its own.
    Stdout,
}

/// How events are recorded.
#[derive(Clone, Debug)]
pub struct AuditConfig {
    /// Who records.
    pub service: &'static str,
    /// Where to.
    pub destination: Destination,
    /// Seals lines, 32 bytes or more; see [`crate::chain`] for what there is without.
    pub key: Option<SecretString>,
    /// So many days files are kept; 1 or more.
    pub kept_days: u16,
}

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The directory.
    #[error("cannot write audit events into {}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The key.
    #[error("the audit key has {0} bytes: expected {MIN_KEY_BYTES} or more")]
    ShortKey(usize),
    /// The days.
    #[error("audit events are kept 0 days: expected 1 or more")]
    NoDays,
    /// The thread.
    #[error("cannot start the thread that writes audit events")]
    Thread(#[source] io::Error),
}

/// Takes events. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Audit(Option<Arc<Inner>>);

struct Inner {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    clock: Clock,
}

/// What the thread and the takers both know.
#[derive(Default)]
struct Shared {
    written: Counter,
    lost: Counter,
    complained_at: AtomicI64,
}

enum Message {
    Entry(Box<Entry>),
    Flush(SyncSender<()>),
}

impl Audit {
    /// Records nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// What settings ask for; nothing is recorded where they ask for none, which the log says.
    pub fn of(config: Option<AuditConfig>, clock: Clock) -> Result<Self, AuditError> {
        match config {
            Some(config) => Self::open(config, clock),
            None => {
                tracing::warn!("audit events are not recorded: there is no audit setting");
                Ok(Self::off())
            }
        }
    }

    /// Opens the destination and starts the thread, which ends with the last clone.
    pub fn open(config: AuditConfig, clock: Clock) -> Result<Self, AuditError> {
        if let Some(key) = &config.key {
            let length = key.expose_secret().len();
            if length < MIN_KEY_BYTES {
                return Err(AuditError::ShortKey(length));
            }
        }
        if config.kept_days == 0 {
            return Err(AuditError::NoDays);
        }
        let sink = Sink::open(config)?;
        let (queue, inbox) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let writer = Writer {
            sink,
            inbox,
            shared: Arc::clone(&shared),
            clock: clock.clone(),
            told: 0,
        };
        thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run())
            .map_err(AuditError::Thread)?;
        Ok(Self(Some(Arc::new(Inner {
            queue,
            shared,
            clock,
        }))))
    }

    /// Takes an event. Never waits: what the queue has no room for is lost, and counted.
    pub fn record(&self, event: Event) {
        let Some(inner) = &self.0 else { return };
        let now = inner.clock.now();
        let message = Message::Entry(Box::new((now, event.bounded())));
        if inner.queue.try_send(message).is_err() {
            inner.shared.lose(1, now, &"the queue is full");
        }
    }

    /// Waits until everything that was recorded before is written, or has failed to be; 5 s at most.
    pub async fn flush(&self) {
        let Some(inner) = self.0.clone() else { return };
        let waited = tokio::task::spawn_blocking(move || {
            let until = Instant::now() + FLUSH_DEADLINE;
            let (done, written) = sync_channel(1);
            let mut message = Message::Flush(done);
            // The queue may be full and stay so: the writer waits for a disk, or for another process.
            while let Err(refused) = inner.queue.try_send(message) {
                match refused {
                    TrySendError::Full(back) if Instant::now() < until => message = back,
                    // The thread is gone, and with it what could be waited for; or it is too late.
                    TrySendError::Full(_) | TrySendError::Disconnected(_) => return,
                }
                thread::sleep(FLUSH_POLL);
            }
            let _gone_or_late =
                written.recv_timeout(until.saturating_duration_since(Instant::now()));
        });
        drop(waited.await);
    }

    /// Events that were written.
    pub fn written(&self) -> u64 {
        let count = |inner: &Arc<Inner>| inner.shared.written.get();
        self.0.as_ref().map_or(0, count)
    }

    /// Events that were not: the queue was full, or writing failed.
    pub fn lost(&self) -> u64 {
        let count = |inner: &Arc<Inner>| inner.shared.lost.get();
        self.0.as_ref().map_or(0, count)
    }

    /// Makes both counts part of what a service measures; nothing where nothing is recorded.
    pub fn register(&self, metrics: &mut Metrics) {
        let Some(inner) = &self.0 else { return };
        let (written, lost) = (inner.shared.written.clone(), inner.shared.lost.clone());
        let registry = metrics.common();
        registry.register(
            "promptsales_audit_events_written",
            "Audit events that were written",
            written,
        );
        registry.register(
            "promptsales_audit_events_lost",
            "Audit events that were not: the queue was full, or writing failed",
            lost,
        );
    }
}

impl Shared {
    fn lose(&self, events: u64, now: OffsetDateTime, error: &dyn fmt::Display) {
        let lost = self.lost.inc_by(events) + events;
        let (now, last) = (
            now.unix_timestamp(),
            self.complained_at.load(Ordering::Relaxed),
        );
        let due = lost == events || now - last >= COMPLAIN_EVERY || now < last;
        if due {
            self.complained_at.store(now, Ordering::Relaxed);
            tracing::error!(lost, error = %error, "audit events are lost");
        }
    }
}

struct Writer {
    sink: Sink,
    inbox: Receiver<Message>,
    shared: Arc<Shared>,
    clock: Clock,
    /// Lost events of which a line tells.
    told: u64,
}

impl Writer {
    fn run(mut self) {
        loop {
            let first = match self.inbox.recv_timeout(TIDY_EVERY) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let (mut batch, mut waiting) = (Vec::new(), Vec::new());
            for message in first
                .into_iter()
                .chain(self.inbox.try_iter().take(BATCH - 1))
            {
                match message {
                    Message::Entry(entry) => batch.push(*entry),
                    Message::Flush(done) => waiting.push(done),
                }
            }
            self.write(batch);
            for done in waiting {
                // Whoever waited may have given up.
                let _nobody_waits = done.send(());
            }
        }
    }

    fn write(&mut self, mut batch: Vec<Entry>) {
        let now = self.clock.now();
        let events = batch.len() as u64;
        let lost = self.shared.lost.get();
        if lost > self.told {
            let mut gap = Event::new("lose audit events");
            gap.results = Some(lost - self.told);
            batch.insert(0, (now, gap));
        }
        match self.sink.append(now, &batch) {
            Ok(()) => {
                self.told = lost;
                self.shared.written.inc_by(events);
            }
            Err(error) => self.shared.lose(events, now, &error),
        }
    }
}

enum Sink {
    Directory(Journal),
    Stdout {
        seal: Seal,
        service: &'static str,
        seq: u64,
        hash: String,
    },
}

impl Sink {
    fn open(config: AuditConfig) -> Result<Self, AuditError> {
        let (service, seal) = (config.service, Seal::new(config.key.as_ref()));
        match config.destination {
            Destination::Stdout => Ok(Self::Stdout {
                seal,
                service,
                seq: 0,
                hash: ORIGIN.to_owned(),
            }),
            Destination::Directory(path) => Journal::open(&path, seal, service, config.kept_days)
                .map(Self::Directory)
                .map_err(|source| AuditError::Directory { path, source }),
        }
    }

    fn append(&mut self, now: OffsetDateTime, batch: &[Entry]) -> io::Result<()> {
        match self {
            Self::Directory(journal) => journal.append(now, batch),
            Self::Stdout {
                seal,
                service,
                seq,
                hash,
            } => {
                let mut chain = Chain {
                    seal,
                    service,
                    seq: *seq,
                    hash: hash.clone(),
                };
                let mut text = String::new();
                for (at, event) in batch {
                    chain.add(&mut text, *at, event);
                }
                let mut out = io::stdout().lock();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())?;
                (*seq, *hash) = (chain.seq, chain.hash);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("on", &self.0.is_some())
            .finish_non_exhaustive()
    }
}
