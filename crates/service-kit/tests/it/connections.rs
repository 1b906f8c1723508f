//! Connections of clients that are silent, slow, idle, or too many.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::Request,
    routing::{get, post},
};
use http_body_util::{BodyExt as _, StreamBody};
use service_kit::{
    CancellationToken,
    http::{Bounds, standard_layers},
    listen::{
        self,
        connections::{ConnectionBounds, ConnectionCounts},
    },
    metrics::{HttpMetrics, Metrics},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::DropGuard;
use tower::ServiceExt as _;

const PATIENCE: Duration = Duration::from_secs(20);
/// Short enough for a test, long enough for a busy machine to be within it.
const HEAD_WITHIN: Duration = Duration::from_millis(600);
/// More than the sockets' buffers hold.
const LARGE: usize = 32 * 1024 * 1024;
const GET: &str = "GET / HTTP/1.1\r\nhost: here\r\n\r\n";

struct Service {
    address: SocketAddr,
    /// What `/metrics` answers.
    metrics: Router,
    stop: CancellationToken,
    /// What `/stream` says next.
    says: mpsc::Sender<&'static str>,
    _stop: DropGuard,
}

impl Service {
    async fn start() -> Self {
        Self::bounded(ConnectionBounds {
            first_head_within: HEAD_WITHIN,
            head_within: HEAD_WITHIN,
            ..ConnectionBounds::default()
        })
        .await
    }

    /// For floods: nothing but them makes room.
    async fn with_room_for(at_a_time: usize) -> Self {
        Self::bounded(ConnectionBounds {
            first_head_within: Duration::from_secs(3_600),
            head_within: Duration::from_secs(3_600),
            // Enough for a busy machine.
            last_words: Duration::from_secs(3),
            at_a_time,
        })
        .await
    }

    async fn bounded(bounds: ConnectionBounds) -> Self {
        let (says, said) = mpsc::channel(1);
        let said = std::sync::Arc::new(tokio::sync::Mutex::new(said));
        let stream = move || async move {
            let mut said = said.lock_owned().await;
            let frames = futures_stream(move |context| said.poll_recv(context));
            Body::new(StreamBody::new(frames))
        };
        let routes = Router::new()
            .route("/", get(|| async { "served" }))
            .route("/", post(|body: Bytes| async move { body }))
            .route("/large", get(|| async { vec![b'x'; LARGE] }))
            .route("/stream", get(stream));
        let of_requests = Bounds {
            max_body_bytes: 1_000,
            deadline: HEAD_WITHIN,
        };
        let router = standard_layers(routes, of_requests, &HttpMetrics::default());
        let (counts, stop) = (ConnectionCounts::default(), CancellationToken::new());
        let mut metrics = Metrics::new("tester", "1.2.3", &HttpMetrics::default());
        counts.register(metrics.common());
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = listen::serve_bounded(listener, router, bounds, counts, stop.clone());
        tokio::spawn(serving);
        Self {
            address,
            metrics: metrics.router(),
            says,
            _stop: stop.clone().drop_guard(),
            stop,
        }
    }

    async fn connect(&self) -> Client {
        self.connect_from("127.0.0.1").await
    }

    /// From an address of this machine's.
    async fn connect_from(&self, address: &str) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        let local = format!("{address}:0").parse().unwrap();
        socket.bind(local).unwrap();
        Client(socket.connect(self.address).await.unwrap())
    }

    async fn measured(&self, metric: &str) -> u64 {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let answer = self.metrics.clone().oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let series = format!("{metric}{{service=\"tester\"}} ");
        let mut values = text.lines().filter_map(|line| line.strip_prefix(&series));
        values.next().expect("it is told").parse().unwrap()
    }

    async fn until_measured(&self, metric: &str, expected: u64) {
        let waiting = async {
            while self.measured(metric).await != expected {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = timeout(PATIENCE, waiting).await;
        assert!(
            reached.is_ok(),
            "{metric} is {}",
            self.measured(metric).await
        );
    }
}

/// A stream of what is said, to its end.
fn futures_stream(
    mut poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<&'static str>>,
) -> impl futures::Stream<Item = Result<http_body::Frame<Bytes>, std::convert::Infallible>> {
    futures::stream::poll_fn(move |context| {
        poll(context).map(|said| said.map(|said| Ok(http_body::Frame::data(said.into()))))
    })
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Hears until this comes.
    async fn hear(&mut self, expected: &str) {
        let mut heard = Vec::new();
        let hearing = async {
            while !heard.ends_with(expected.as_bytes()) {
                heard.push(self.0.read_u8().await?);
            }
            Ok::<_, std::io::Error>(())
        };
        let outcome = timeout(PATIENCE, hearing).await;
        let heard = String::from_utf8_lossy(&heard);
        assert!(matches!(outcome, Ok(Ok(()))), "{outcome:?}: {heard:?}");
    }

    /// What comes until the connection ends, and how long that took.
    async fn hear_the_end(&mut self) -> (String, Duration) {
        let (mut heard, began) = (Vec::new(), Instant::now());
        let ended = timeout(PATIENCE, self.0.read_to_end(&mut heard)).await;
        drop(ended.expect("the connection is ended"));
        (
            String::from_utf8_lossy(&heard).into_owned(),
            began.elapsed(),
        )
    }

    async fn asks(&mut self) {
        self.send(GET).await;
        self.hear("served").await;
    }
}

#[tokio::test]
async fn a_silent_client_and_an_idle_one_are_ended_in_time_and_not_before() {
    let service = Service::start().await;
    let (mut silent, mut idle) = (service.connect().await, service.connect().await);
    idle.asks().await;
    let ends = tokio::join!(silent.hear_the_end(), idle.hear_the_end());
    for (heard, after) in [ends.0, ends.1] {
        assert_eq!(heard, "");
        assert!(
            after >= HEAD_WITHIN - Duration::from_millis(100),
            "{after:?}"
        );
    }
    service
        .until_measured("http_server_open_connections", 0)
        .await;
    assert_eq!(
        service
            .measured("promptsales_connections_crowded_out_total")
            .await,
        0
    );
}

#[tokio::test]
async fn an_idle_client_may_take_longer_than_one_that_has_never_spoken() {
    let service = Service::bounded(ConnectionBounds {
        first_head_within: HEAD_WITHIN,
        ..ConnectionBounds::default()
    })
    .await;
    let (mut silent, mut idle) = (service.connect().await, service.connect().await);
    idle.asks().await;
    assert_eq!(silent.hear_the_end().await.0, "");
    sleep(HEAD_WITHIN).await;
    idle.asks().await;
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
    let service = Service::start().await;
    let mut slow = service.connect().await;
    let began = Instant::now();
    // Never as long silent as is allowed.
    let mut bytes = GET.trim_end().bytes().cycle();
    while slow.0.write_all(&[bytes.next().unwrap()]).await.is_ok() {
        assert!(began.elapsed() < PATIENCE, "it goes on and on");
        sleep(HEAD_WITHIN / 20).await;
    }
    assert!(began.elapsed() >= HEAD_WITHIN, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_client_that_is_slow_within_the_bound_is_served_again_and_again() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    let (first, second) = GET.split_at(GET.len() / 2);
    for _ in 0..4 {
        sleep(HEAD_WITHIN / 5).await;
        client.send(first).await;
        sleep(HEAD_WITHIN / 5).await;
        client.send(second).await;
        client.hear("served").await;
    }
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_given_up_at_the_deadline() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    client
        .send("POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 900\r\n\r\n")
        .await;
    let (mut reads, mut writes) = client.0.into_split();
    let dripping = tokio::spawn(async move {
        while writes.write_all(b"x").await.is_ok() {
            sleep(HEAD_WITHIN / 20).await;
        }
    });
    let mut heard = Vec::new();
    let ended = timeout(PATIENCE, reads.read_to_end(&mut heard)).await;
    drop(ended.expect("the connection is ended"));
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.starts_with("HTTP/1.1 503"), "{heard}");
    assert!(heard.contains("deadline-exceeded"), "{heard}");
    drop(reads);
    timeout(PATIENCE, dripping).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_that_goes_on_is_not_cut() {
    let service = Service::start().await;
    let mut client = service.connect().await;
    client
        .send("GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        .await;
    for said in ["one", "two", "three"] {
        sleep(HEAD_WITHIN).await;
        service.says.send(said).await.unwrap();
        client.hear(&format!("{said}\r\n")).await;
    }
}

#[tokio::test]
async fn a_silent_flood_crowds_out_itself_and_nobody_else() {
    let service = Service::with_room_for(8).await;
    let mut idle = service.connect_from("127.0.0.1").await;
    idle.asks().await;
    let mut busy = service.connect_from("127.0.0.2").await;
    busy.send("GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        .await;
    service.says.send("one").await.unwrap();
    busy.hear("one\r\n").await;
    let mut flood = Vec::new();
    for _ in 0..40 {
        flood.push(service.connect_from("127.0.0.2").await);
    }
    // Six of the flood are left.
    let crowded_out = "promptsales_connections_crowded_out_total";
    service.until_measured(crowded_out, 34).await;
    service
        .until_measured("http_server_open_connections", 8)
        .await;
    idle.asks().await;
    let (heard, _) = flood[0].hear_the_end().await;
    assert_eq!(heard, "");
    // Behind one balancer clients and flood have one address: who speaks is served all the same.
    flood[39].asks().await;
    service.connect_from("127.0.0.2").await.asks().await;
    service.says.send("two").await.unwrap();
    busy.hear("two\r\n").await;
}

#[tokio::test]
async fn a_large_answer_is_not_cut_to_make_room() {
    let service = Service::with_room_for(1).await;
    let mut slow = service.connect().await;
    slow.send("GET /large HTTP/1.1\r\nhost: here\r\n\r\n").await;
    slow.hear("\r\n\r\n").await;
    let mut next = service.connect().await;
    next.send(GET).await;
    let early = timeout(Duration::from_secs(1), next.0.read_u8()).await;
    assert!(early.is_err(), "{early:?}");
    let mut taken = vec![0; LARGE];
    let whole = timeout(PATIENCE, slow.0.read_exact(&mut taken)).await;
    assert!(matches!(whole, Ok(Ok(_))), "{whole:?}");
    next.hear("served").await;
}

#[tokio::test]
async fn where_all_are_at_work_the_next_waits_for_the_first_to_be_done() {
    let service = Service::with_room_for(1).await;
    let mut busy = service.connect().await;
    busy.send("GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        .await;
    service.says.send("one").await.unwrap();
    busy.hear("one\r\n").await;
    let mut next = service.connect().await;
    next.send(GET).await;
    let early = timeout(Duration::from_millis(300), next.0.read_u8()).await;
    assert!(early.is_err(), "{early:?}");
    // The stream's end: it is idle then, and makes room.
    let Service {
        says,
        stop,
        metrics,
        ..
    } = service;
    drop(says);
    busy.hear("0\r\n\r\n").await;
    next.hear("served").await;
    assert_eq!(busy.hear_the_end().await.0, "");
    drop((stop, metrics));
}

#[tokio::test]
async fn a_head_has_64_kib_and_http_2_is_not_spoken() {
    let service = Service::start().await;
    let head = |bytes: usize| {
        let filler = "x".repeat(bytes);
        format!("GET / HTTP/1.1\r\nhost: here\r\nfiller: {filler}\r\n\r\n")
    };
    let mut client = service.connect().await;
    client.send(&head(60 * 1024)).await;
    client.hear("served").await;
    // The server may be gone before all is sent.
    drop(client.0.write_all(head(70 * 1024).as_bytes()).await);
    client.hear("HTTP/1.1 431").await;

    let mut client = service.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let (heard, _) = client.hear_the_end().await;
    assert!(
        heard.is_empty() || heard.starts_with("HTTP/1.1 4"),
        "{heard}"
    );
}

#[tokio::test]
async fn told_to_stop_it_ends_who_waits_in_a_moment_and_who_works_with_the_answer() {
    let service = Service::with_room_for(8).await;
    let (mut silent, mut idle) = (service.connect().await, service.connect().await);
    idle.asks().await;
    let mut busy = service.connect().await;
    busy.send("GET /stream HTTP/1.1\r\nhost: here\r\n\r\n")
        .await;
    service.says.send("one").await.unwrap();
    busy.hear("one\r\n").await;
    let mut late = service.connect().await;
    service
        .until_measured("http_server_open_connections", 4)
        .await;
    service.stop.cancel();
    // Its request was on its way.
    sleep(Duration::from_millis(50)).await;
    late.asks().await;
    tokio::join!(
        silent.hear_the_end(),
        idle.hear_the_end(),
        late.hear_the_end()
    );
    service.says.send("two").await.unwrap();
    busy.hear("two\r\n").await;
}
