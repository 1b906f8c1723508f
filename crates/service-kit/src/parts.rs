//! What a service consists of while it runs: listeners, and work beside them.

use std::{fmt, future::Future, io, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    serve::Listener,
};
use http::{HeaderValue, header};
use tokio::{
    net::TcpListener,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    listen::{
        self, BindError,
        connections::{ConnectionBounds, ConnectionCounts},
    },
    metrics::Metrics,
    tls::{Tls, handshakes::HandshakeFailures},
};

/// How long requests are still taken after the signal. Answers end their connections meanwhile: callers come back on
/// new ones, and none sends into one that is being closed.
const LAME_DUCK: Duration = Duration::from_secs(1);

/// Parts that run until the service is stopped. None should end before.
#[derive(Debug, Default)]
pub struct Parts {
    tasks: JoinSet<io::Result<()>>,
    /// It will stop in a moment.
    leaving: CancellationToken,
    stop: CancellationToken,
    connections: ConnectionCounts,
    handshake_failures: HandshakeFailures,
}

/// Why a service stopped without being told to.
#[derive(Debug, thiserror::Error)]
#[error("a part of the service stopped: {0}")]
pub struct Broken(String);

impl Parts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Is cancelled when the service is to stop.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Work that ends when [`Self::stop`] is cancelled.
    pub fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            work.await;
            Ok(())
        });
    }

    /// A router on a listener, by TLS 1.3 where there is a certificate.
    pub fn serve_tls(&mut self, listener: TcpListener, router: Router, tls: Option<Tls>) {
        let counts = self.connections.clone();
        let Some(tls) = tls else {
            return self.serve(listener, router, counts);
        };
        let listener = tls.listener(listener, self.handshake_failures.clone());
        self.serve(listener, router, counts);
        let stop = self.stop.clone();
        self.spawn(async move { tls.keep_fresh(&stop).await });
    }

    fn serve<L>(&mut self, listener: L, router: Router, counts: ConnectionCounts)
    where
        L: Listener<Addr = SocketAddr>,
    {
        let (router, stop) = (self.saying_goodbye(router), self.stop.clone());
        let bounds = ConnectionBounds::of_process();
        self.tasks.spawn(listen::serve_bounded(
            listener, router, bounds, counts, stop,
        ));
    }

    fn saying_goodbye(&self, router: Router) -> Router {
        let leaving = self.leaving.clone();
        router.layer(middleware::from_fn(move |request: Request, next: Next| {
            let leaving = leaving.clone();
            async move {
                let mut response = next.run(request).await;
                if leaving.is_cancelled() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                response
            }
        }))
    }

    /// The metrics on an address of their own, if there is one; with them, what the listeners count.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve_metrics(
        &mut self,
        address: Option<SocketAddr>,
        mut metrics: Metrics,
    ) -> Result<(), BindError> {
        if let Some(address) = address {
            self.connections.register(metrics.common());
            self.handshake_failures.register(metrics.common());
            let listener = listen::bind(address).await?;
            if let Ok(address) = listener.local_addr() {
                tracing::info!(%address, "serving metrics");
            }
            // Scrapes are no load of the service's.
            self.serve(listener, metrics.router(), ConnectionCounts::default());
        }
        Ok(())
    }

    /// Runs until SIGINT, SIGTERM or the end of a part, and then until every part has ended in order: requests are
    /// taken for a second more, and those that are open then have ten to end.
    ///
    /// # Errors
    /// When a part ended by itself, or signals cannot be heard.
    pub async fn run(mut self) -> Result<(), Broken> {
        let outcome = tokio::select! {
            signal = listen::shutdown_signal() => signal.map_err(|error| Broken(error.to_string())),
            Some(ended) = self.tasks.join_next() => Err(Broken(how(&ended).to_string())),
        };
        if outcome.is_ok() {
            self.leaving.cancel();
            tokio::time::sleep(LAME_DUCK).await;
        }
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if !matches!(ended, Ok(Ok(()))) {
                let error = how(&ended).to_string();
                tracing::error!(error, "a part of the service did not stop in order");
            }
        }
        outcome
    }
}

fn how(ended: &Result<io::Result<()>, JoinError>) -> &dyn fmt::Display {
    match ended {
        Ok(Ok(())) => &"it came to its end",
        Ok(Err(error)) => error,
        Err(error) => error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_part_is_the_end_of_all_and_is_said() {
        let mut parts = Parts::new();
        let stop = parts.stop();
        let (told, heard) = tokio::sync::oneshot::channel();
        parts.spawn(async move {
            stop.cancelled().await;
            told.send(()).unwrap();
        });
        parts.spawn(async {});
        let broken = parts.run().await.unwrap_err();
        assert!(broken.to_string().contains("came to its end"), "{broken}");
        heard.await.unwrap();
        let mut parts = Parts::new();
        parts.spawn(async { panic!("on purpose") });
        let broken = parts.run().await.unwrap_err();
        assert!(broken.to_string().contains("panic"), "{broken}");
    }
}
