//! Two services, each with logs and traces of its own as if it were a process: `front` calls `back`.

use std::{
    io,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use serde_json::Value;
use service_kit::{
    CancellationToken,
    http::{Bounds, standard_layers},
    http_client, listen,
    metrics::HttpMetrics,
    outbound::Peer,
    telemetry::{LogFormat, Telemetry, TraceOptions},
};
use tokio::sync::oneshot;
use url::Url;

const BOUNDS: Bounds = Bounds {
    max_body_bytes: 1_024,
    deadline: Duration::from_secs(20),
};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A service on a thread, with a runtime and a subscriber that are this thread's alone.
pub struct Service {
    pub url: Url,
    log: Log,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

impl Service {
    async fn start(name: &'static str, router: Router, collector: Option<Url>) -> Self {
        let (log, stop) = (Log::default(), CancellationToken::new());
        let (tell, told) = oneshot::channel();
        let thread = std::thread::spawn({
            let (log, stop) = (log.clone(), stop.clone());
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                let _within = runtime.enter();
                let telemetry = Telemetry {
                    service: name,
                    version: "1.2.3",
                    format: LogFormat::Json,
                    filter: "info",
                    traces: TraceOptions {
                        otlp_endpoint: collector,
                    },
                };
                let (dispatch, tracing) = telemetry.to_writer(move || log.clone()).unwrap();
                let _logging = tracing::dispatcher::set_default(&dispatch);
                runtime.block_on(async {
                    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
                    let address = listener.local_addr().unwrap();
                    tell.send(format!("http://{address}").parse().unwrap())
                        .unwrap();
                    let router = standard_layers(router, BOUNDS, &HttpMetrics::default());
                    listen::serve(listener, router, stop).await.unwrap();
                    tracing.finish().await;
                });
            }
        });
        Self {
            url: told.await.unwrap(),
            log,
            stop,
            thread,
        }
    }

    /// Stops it in order, and gives its log.
    pub async fn stop(self) -> Vec<Value> {
        self.stop.cancel();
        let thread = self.thread;
        tokio::task::spawn_blocking(move || thread.join().unwrap())
            .await
            .unwrap();
        let bytes = self.log.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }
}

/// Both. `back` writes `worked` into its log, and answers with the status that it is asked for.
pub struct Hop {
    pub front: Service,
    pub back: Service,
}

impl Hop {
    pub async fn start(collector: Option<&Url>) -> Self {
        Self::with(collector, collector).await
    }

    pub async fn with(front: Option<&Url>, back: Option<&Url>) -> Self {
        let work = get(|Path(status): Path<u16>| async move {
            tracing::info!("worked");
            StatusCode::from_u16(status).unwrap()
        });
        let router = Router::new().route("/work/{status}", work);
        let back = Service::start("back", router, back.cloned()).await;
        let (base, client) = (
            back.url.clone(),
            http_client::build(BOUNDS.deadline).unwrap(),
        );
        let peer = Peer::new("back", HttpMetrics::default());
        let ask = get(move |Path(status): Path<u16>| async move {
            let url = base.join(&format!("/work/{status}")).unwrap();
            let answer = peer.send(client.get(url)).await.unwrap();
            tracing::info!("asked");
            answer.status()
        });
        let router = Router::new()
            .route("/ask/{status}", ask)
            .route("/livez", get(|| async { "ok" }));
        let front = Service::start("front", router, front.cloned()).await;
        Self { front, back }
    }

    /// Asks `front`, in a trace of the asker's if there is one.
    pub async fn ask(&self, status: u16, traceparent: Option<&str>) {
        let url = self.front.url.join(&format!("/ask/{status}")).unwrap();
        let mut request = http_client::build(BOUNDS.deadline).unwrap().get(url);
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }

    /// Asks whether `front` lives.
    pub async fn probe(&self) {
        let url = self.front.url.join("/livez").unwrap();
        let request = http_client::build(BOUNDS.deadline).unwrap().get(url);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// The logs of both, the front's first.
    pub async fn stop(self) -> (Vec<Value>, Vec<Value>) {
        (self.front.stop().await, self.back.stop().await)
    }
}
