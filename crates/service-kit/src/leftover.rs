//! What a handler leaves of a request's body.
//!
//! hyper closes a connection whose request was answered before its body was read. A client that
//! sends head and body in two writes and is refused by the head alone (a 401, which starts every
//! MCP session) then meets a dead connection with its next request. So the rest is read here first,
//! within bounds, or else the client is told that the connection ends (RFC 9112 section 9.6).

use std::{
    mem,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Version, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;

/// Longest that an answer waits for a body that nobody wants.
const PATIENCE: Duration = Duration::from_secs(1);

/// Middleware: answers only once the request's body is read, up to `max_bytes` of it.
pub(crate) async fn read_leftover(max_bytes: usize, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let version = request.version();
    let waits_for_leave = expects_continue(request.headers());
    let leftover = Leftover::default();
    let request = request.map(|body| {
        Body::new(Lent {
            body,
            leftover: leftover.clone(),
        })
    });
    let mut response = next.run(request).await;
    let Some(rest) = leftover.take() else {
        return response;
    };
    // Reading would invite a client to send what it has asked about first.
    let is_read = !waits_for_leave && read(rest, max_bytes).await;
    if !is_read && version <= Version::HTTP_11 {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

fn expects_continue(headers: &HeaderMap) -> bool {
    let expected = headers.get(header::EXPECT);
    expected.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// To its end?
async fn read(mut rest: Body, max_bytes: usize) -> bool {
    let mut left = max_bytes;
    let to_the_end = async {
        while let Some(frame) = rest.frame().await {
            let length = frame.ok()?.data_ref().map_or(0, Bytes::len);
            left = left.checked_sub(length)?;
        }
        Some(())
    };
    matches!(
        tokio::time::timeout(PATIENCE, to_the_end).await,
        Ok(Some(()))
    )
}

/// Where a body goes that was dropped before its end.
#[derive(Clone, Default)]
struct Leftover(Arc<Mutex<Option<Body>>>);

impl Leftover {
    fn put(&self, body: Body) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    fn take(&self) -> Option<Body> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take()
    }
}

/// A request's body, as lent to the handler.
struct Lent {
    body: Body,
    leftover: Leftover,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.body.is_end_stream() {
            self.leftover.put(mem::take(&mut self.body));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::{Router, routing::post};
    use http::StatusCode;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };
    use tokio_util::sync::{CancellationToken, DropGuard};

    use crate::{
        http::{Bounds, standard_layers},
        listen,
        metrics::HttpMetrics,
    };

    const BOUNDS: Bounds = Bounds {
        max_body_bytes: 64,
        deadline: super::Duration::from_secs(10),
    };

    /// A client that decides when its bytes go.
    struct Client {
        stream: TcpStream,
        _server: DropGuard,
    }

    impl Client {
        /// Of a server whose one route refuses without a look at the body.
        async fn connect() -> Self {
            let refuse = post(|| async { StatusCode::UNAUTHORIZED });
            let router = standard_layers(
                Router::new().route("/", refuse),
                BOUNDS,
                &HttpMetrics::default(),
            );
            let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await;
            let stop = CancellationToken::new();
            tokio::spawn(listen::serve(listener, router, stop.clone()));
            Self {
                stream: stream.unwrap(),
                _server: stop.drop_guard(),
            }
        }

        async fn send(&mut self, text: &str) {
            self.stream.write_all(text.as_bytes()).await.unwrap();
        }

        async fn head(&mut self, headers: &str) {
            self.send(&format!(
                "POST / HTTP/1.1\r\nhost: here\r\n{headers}\r\n\r\n"
            ))
            .await;
            // Long enough for the server to see it by itself.
            tokio::time::sleep(super::Duration::from_millis(50)).await;
        }

        /// The status line and headers of the next answer; these answers have no body.
        async fn answer(&mut self) -> String {
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                match self.stream.read_u8().await {
                    Ok(byte) => heard.push(byte),
                    Err(error) => panic!("{error} after {:?}", String::from_utf8(heard)),
                }
            }
            String::from_utf8(heard).unwrap()
        }
    }

    #[tokio::test]
    async fn a_refusal_leaves_the_connection_usable() {
        let mut client = Client::connect().await;
        for _ in 0..3 {
            client.head("content-length: 5").await;
            client.send("hello").await;
            let answer = client.answer().await;
            assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
            assert!(!answer.contains("connection: close"), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_body_above_the_bound_is_not_read_to_its_end() {
        let mut client = Client::connect().await;
        client.head("content-length: 1000000").await;
        client.send(&"x".repeat(65)).await;
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let mut client = Client::connect().await;
        let asked = Instant::now();
        client.head("content-length: 5").await;
        let answer = client.answer().await;
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(asked.elapsed() < BOUNDS.deadline, "{:?}", asked.elapsed());
    }

    #[tokio::test]
    async fn a_client_that_asks_first_is_refused_at_once() {
        let mut client = Client::connect().await;
        client
            .head("content-length: 5\r\nexpect: 100-continue")
            .await;
        let answer = client.answer().await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
}
