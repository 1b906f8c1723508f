//! Connections: how many at a time, and how long one may say nothing.
//!
//! A connection waits for a request's head, or it has a request. One that waits has a bounded time for the whole head: a
//! short one for the first, since whoever connects has something to say, and a long one after an answer, since balancers
//! keep idle connections for minutes and would lose a request that meets one that we end. One that has a request is not ended from here, however long its answer goes on (a stream of
//! events, say): the request's own deadline bounds it, and the kernel ends a connection whose peer takes nothing.
//!
//! When all are taken, one that waits makes room: the oldest of the address with the most.

use std::{
    net::IpAddr,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
};
use http_body::{Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::crowd::{Crowd, Warnings};

/// Longest wait for a connection's first head.
const FIRST_HEAD_WITHIN: Duration = Duration::from_secs(75);
/// Longest wait for a head after an answer. Longer than most balancers keep an idle connection (nginx and our own clients,
/// [`crate::http_client`], a minute, Traefik 90 s, Google's ten minutes; Envoy an hour, unless it is told otherwise): it
/// is they who should end it.
const HEAD_WITHIN: Duration = Duration::from_secs(11 * 60);
/// Connections open at a time, of one listener.
const AT_A_TIME: usize = 2_048;
/// Largest head of a request; what is held of a body at a time is as much.
const HEAD_BYTES: usize = 64 * 1024;

/// How long a connection that is to end may still send a request that is under way, or take the rest of its answer.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What a listener allows its clients.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionBounds {
    /// Longest that a connection may wait for its first whole head, from its beginning on.
    pub first_head_within: Duration,
    /// Longest that it may wait for a whole head from its last answer on.
    pub head_within: Duration,
    /// How long one that is to end may still send a request that is under way, or take the rest of its answer.
    pub last_words: Duration,
    /// How many may be open at a time.
    pub at_a_time: usize,
}

impl Default for ConnectionBounds {
    fn default() -> Self {
        Self {
            first_head_within: FIRST_HEAD_WITHIN,
            head_within: HEAD_WITHIN,
            last_words: LAST_WORDS,
            at_a_time: AT_A_TIME,
        }
    }
}

impl ConnectionBounds {
    /// The same, as far as this process may open files: each listener takes a quarter of them at most. Raises what it may
    /// open to the most that it is allowed, since a common default, 1,024, is for programs that use `select`.
    pub fn of_process() -> Self {
        let mut files = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: files.maximum,
            ..files
        };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            files = raised;
        }
        let quarter = usize::try_from(files.current.unwrap_or(u64::MAX) / 4).unwrap_or(usize::MAX);
        Self {
            at_a_time: AT_A_TIME.min(quarter).max(1),
            ..Self::default()
        }
    }
}

/// Counts a listener's connections. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct ConnectionCounts {
    open: Gauge,
    crowded_out: Counter,
    warnings: Arc<Warnings>,
}

impl ConnectionCounts {
    /// Makes the counts part of what a service measures.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_server_open_connections",
            "Connections that are open now, idle ones among them",
            self.open.clone(),
        );
        registry.register(
            "promptsales_connections_crowded_out",
            "Connections that waited for a request and were ended to make room for others",
            self.crowded_out.clone(),
        );
    }

    #[cfg(test)]
    pub(super) fn open(&self) -> i64 {
        self.open.get()
    }

    fn note_crowded_out(&self) {
        self.crowded_out.inc();
        if let Some(ended) = self.warnings.one_more() {
            tracing::warn!(ended, "there are too many connections; idle ones are ended");
        }
    }
}

/// How connections are served: HTTP/1.1 alone, as the TLS listener offers.
pub(super) fn protocol(bounds: &ConnectionBounds) -> http1::Builder {
    let mut protocol = http1::Builder::new();
    protocol
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_within)
        .max_buf_size(HEAD_BYTES);
    protocol
}

/// The connections of a listener that wait for a request.
#[derive(Clone, Default)]
pub(super) struct Waiting {
    crowd: Arc<Mutex<Crowd<u64, CancellationToken>>>,
    one_more: Arc<Notify>,
    counts: ConnectionCounts,
}

impl Waiting {
    pub(super) fn counted(counts: ConnectionCounts) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

    /// Has one that waits end, and says whether there was one.
    pub(super) fn crowd_out(&self) -> bool {
        let Some(oldest) = self.lock().crowd_out() else {
            return false;
        };
        oldest.cancel();
        true
    }

    /// Completes when another one waits, perhaps at once.
    pub(super) async fn one_more(&self) {
        self.one_more.notified().await;
    }

    /// A new connection, the `number`th.
    pub(super) fn seat(&self, number: u64, address: IpAddr) -> Arc<Seat> {
        self.counts.open.inc();
        let seat = Arc::new(Seat {
            waiting: self.clone(),
            number,
            address,
            gone: CancellationToken::new(),
            has_request: AtomicBool::new(true),
            heard: AtomicBool::new(false),
        });
        seat.wait();
        seat
    }

    fn lock(&self) -> MutexGuard<'_, Crowd<u64, CancellationToken>> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place.
pub(super) struct Seat {
    waiting: Waiting,
    number: u64,
    address: IpAddr,
    /// It has to make room.
    gone: CancellationToken,
    has_request: AtomicBool,
    /// It has had one.
    heard: AtomicBool,
}

impl Seat {
    /// It waits for a request.
    fn wait(&self) {
        self.has_request.store(false, Ordering::Release);
        let mut crowd = self.waiting.lock();
        crowd.enter(self.address, self.number, self.gone.clone());
        drop(crowd);
        self.waiting.one_more.notify_one();
    }

    /// It has one, and stays.
    fn work(&self) {
        self.heard.store(true, Ordering::Release);
        self.has_request.store(true, Ordering::Release);
        drop(self.waiting.lock().leave(self.number));
    }
}

impl Seat {
    fn has_request(&self) -> bool {
        self.has_request.load(Ordering::Acquire)
    }

    fn heard(&self) -> bool {
        self.heard.load(Ordering::Acquire)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        drop(self.waiting.lock().leave(self.number));
        self.waiting.counts.open.dec();
    }
}

/// Serves one connection to its end. When `stop` is cancelled, that is after the answer it is at, or in a
/// moment.
pub(super) async fn serve(
    protocol: http1::Builder,
    bounds: ConnectionBounds,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    seat: Arc<Seat>,
    stop: CancellationToken,
) {
    let place = Arc::clone(&seat);
    let answer = service_fn(move |request: Request<Incoming>| {
        let at_work = AtWork::begin(Arc::clone(&place));
        let answering = router.clone().oneshot(request.map(Body::new));
        async move {
            let response = answering.await?;
            Ok::<_, std::convert::Infallible>(response.map(|body| Answer {
                body,
                begun: false,
                at_work,
            }))
        }
    });
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(stream), answer));
    let mut first_head = pin!(sleep(bounds.first_head_within));
    loop {
        tokio::select! {
            biased;
            // What went wrong is the client's: it left, was silent, or spoke no HTTP.
            _ = connection.as_mut() => return,
            () = stop.cancelled() => {
                if timeout(bounds.last_words, connection.as_mut()).await.is_ok() {
                    return;
                }
                break;
            }
            // A request may have come at the same moment.
            () = seat.gone.cancelled() => {
                if seat.has_request() {
                    break;
                }
                seat.waiting.counts.note_crowded_out();
                if seat.heard() {
                    // The end of its answer may be on its way. One that is idle ends at once.
                    connection.as_mut().graceful_shutdown();
                    drop(timeout(bounds.last_words, connection).await);
                }
                return;
            }
            () = first_head.as_mut(), if !seat.heard() => {
                if !seat.heard() {
                    return;
                }
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    drop(connection.await);
}

/// From a request's head until its answer's last byte is handed over, or given up.
struct AtWork(Arc<Seat>);

impl AtWork {
    fn begin(seat: Arc<Seat>) -> Self {
        seat.work();
        Self(seat)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.wait();
    }
}

/// An answer's body.
struct Answer {
    body: Body,
    begun: bool,
    #[expect(dead_code, reason = "it is there to be dropped")]
    at_work: AtWork,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.begun = true;
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        // An answer that has begun is not done before hyper asks for more than there is, which it does when most of what it
        // has is with the client: else an answer of one piece would count as done while the client still takes it.
        !self.begun && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
