//! A service's own binary, stopped and started again while requests come without a pause.

use std::{
    error::Error,
    fs::{self, File},
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::fd::AsRawFd as _,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Longest that any step may take before the test fails; nothing waits for it otherwise.
const PATIENCE: Duration = Duration::from_secs(120);
const WORKERS: usize = 8;
/// Requests that are to be answered before the end, and again after the return.
const ENOUGH: usize = 100;
/// After so many a test is not waited for.
const MOST_FAILURES: usize = 20;
/// What a service logs of a request that it has taken.
const TAKEN: &str = "started processing request";

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// What was asked for.
    Answered,
    /// Nobody listens, or the listener was closed before it took the connection: a caller behind a load
    /// balancer goes elsewhere. Whether the service had taken the request all the same, its log tells.
    NotTaken,
    /// Anything else, in words.
    Failed(String),
}

impl Reaction {
    /// To a request that got no answer.
    pub fn to(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(inner) = cause {
            if let Some(io) = inner.downcast_ref::<io::Error>()
                && matches!(
                    io.kind(),
                    io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
                )
            {
                return Self::NotTaken;
            }
            cause = inner.source();
        }
        Self::Failed(format!("{error:?}"))
    }
}

/// Where a service is to listen.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// For requests.
    pub requests: SocketAddr,
    /// For `/metrics`.
    pub metrics: SocketAddr,
}

/// Starts what `command` makes of addresses, has `request` asked of it by eight workers all the time, tells it to stop
/// by SIGTERM, and starts it again on the same ones. Returns the metrics that it exports in the end.
///
/// # Panics
/// When a request fails: when one that was taken is not answered, when one is not taken that was sent before the
/// signal or after the service said that it is ready again, when the service does not end in order, or when it takes
/// longer than two minutes for a step.
pub async fn restart_under_load<C, F, Fut>(command: C, request: F) -> String
where
    C: Fn(Addresses) -> Command,
    F: Fn(SocketAddr) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reaction> + Send + 'static,
{
    let addresses = free_addresses().expect("there are free ports");
    let address = addresses.requests;
    let mut first = Service::start(command(addresses));
    first.until_ready(address).await;
    let load = Load::start(move || request(address));
    load.until("requests are answered", |seen| seen.answered >= ENOUGH)
        .await;

    let told = Instant::now();
    first.terminate().await;
    let taken = first.ended().await;
    let gone = Instant::now();
    load.until("it is seen to be gone", |seen| {
        seen.last_refused > Some(gone)
    })
    .await;

    let mut second = Service::start(command(addresses));
    second.until_ready(address).await;
    let (back, before) = (Instant::now(), load.seen().answered);
    load.until("it answers again", |seen| seen.answered >= before + ENOUGH)
        .await;
    let seen = load.end().await;
    let (_, metrics) = get(addresses.metrics, "/metrics")
        .await
        .expect("it tells its metrics");
    second.probes += 1;
    second.terminate().await;
    let taken = taken + second.ended().await;

    assert!(seen.failures.is_empty(), "{:#?}", seen.failures);
    let (refused, last) = (seen.first_refusal, seen.last_refused);
    assert!(refused > Some(told), "one was refused before the signal");
    assert!(last < Some(back), "one was refused after the return");
    assert_eq!(taken, seen.answered, "what it took it answered");
    metrics
}

pub(crate) fn free_addresses() -> io::Result<Addresses> {
    let any = (Ipv4Addr::LOCALHOST, 0);
    // Both are held at a time, or they might be one.
    let (one, other) = (TcpListener::bind(any)?, TcpListener::bind(any)?);
    Ok(Addresses {
        requests: one.local_addr()?,
        metrics: other.local_addr()?,
    })
}

/// The service, while it runs.
pub(crate) struct Service {
    child: Child,
    log: File,
    /// Answers to questions of ours, which are requests too.
    probes: usize,
}

impl Service {
    pub(crate) fn start(mut command: Command) -> Self {
        // A file, not a pipe: nobody need read while it runs.
        let log = tempfile::tempfile().expect("a temporary file can be made");
        let child = command
            .env("RUST_LOG", "info,tower_http=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.try_clone().expect("a file can be shared"))
            .kill_on_drop(true)
            .spawn()
            .expect("the binary is there");
        Self {
            child,
            log,
            probes: 0,
        }
    }

    async fn until_ready(&mut self, address: SocketAddr) {
        let asking = async {
            loop {
                let answer = get(address, "/readyz").await;
                self.probes += usize::from(answer.is_some());
                if answer.is_some_and(|(status, _)| status == 200) {
                    return;
                }
                if let Ok(Some(status)) = self.child.try_wait() {
                    panic!("it ended with {status}: {}", text(&self.log));
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        if timeout(PATIENCE, asking).await.is_err() {
            panic!("it is not ready: {}", text(&self.log));
        }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        text(&self.log)
    }

    async fn terminate(&self) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "it runs");
    }

    /// Waits until it has ended in order. How many requests it had taken, but for ours.
    async fn ended(mut self) -> usize {
        let status = timeout(PATIENCE, self.child.wait()).await;
        let log = text(&self.log);
        assert!(
            matches!(&status, Ok(Ok(status)) if status.success()),
            "{status:?}: {log}"
        );
        log.matches(TAKEN).count() - self.probes
    }
}

/// Status and body of what is answered, if anybody does.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, body.to_owned()))
}

fn text(file: &File) -> String {
    // The process writes through the same offset: read from a place of one's own.
    let bytes = fs::read(format!("/proc/self/fd/{}", file.as_raw_fd()));
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

/// What came of all requests so far.
#[derive(Clone, Debug, Default)]
struct Seen {
    answered: usize,
    /// When a request was first found not to be taken.
    first_refusal: Option<Instant>,
    /// When the last request was sent that was not taken.
    last_refused: Option<Instant>,
    failures: Vec<String>,
}

impl Seen {
    fn note(&mut self, sent: Instant, reaction: Reaction) {
        match reaction {
            Reaction::Answered => self.answered += 1,
            Reaction::NotTaken => {
                self.first_refusal.get_or_insert_with(Instant::now);
                self.last_refused = self.last_refused.max(Some(sent));
            }
            Reaction::Failed(how) => self.failures.push(how),
        }
    }
}

/// Workers that each send one request after the other.
struct Load {
    seen: watch::Sender<Seen>,
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl Load {
    fn start<F, Fut>(request: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Reaction> + Send + 'static,
    {
        let (seen, stop) = (watch::Sender::default(), watch::Sender::new(false));
        let request = Arc::new(request);
        let worker = |_| {
            let (request, seen, stop) = (Arc::clone(&request), seen.clone(), stop.subscribe());
            async move {
                while !*stop.borrow() {
                    let sent = Instant::now();
                    let reaction = request().await;
                    let refused = reaction == Reaction::NotTaken;
                    seen.send_modify(|seen: &mut Seen| seen.note(sent, reaction));
                    if refused {
                        // Or else nothing would be left of the machine for the start.
                        sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        };
        let workers = (0..WORKERS).map(worker).collect();
        Self {
            seen,
            stop,
            workers,
        }
    }

    fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until what was seen is `enough`.
    async fn until(&self, what: &str, mut enough: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.subscribe();
        let waiting = seen.wait_for(|seen| enough(seen) || seen.failures.len() > MOST_FAILURES);
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("not in time: {what}: {:?}", self.seen());
        }
    }

    /// Waits for the requests under way.
    async fn end(self) -> Seen {
        self.stop.send_replace(true);
        self.workers.join_all().await;
        self.seen.borrow().clone()
    }
}
