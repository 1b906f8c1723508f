//! Binding, serving and stopping.

use std::{fmt, io, net::SocketAddr, time::Duration};

use axum::{Router, serve::Listener};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may go on after shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Why a service could not listen.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {source}. Stop what uses that port, or choose another address"
)]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    /// Is something else already there?
    pub fn in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// Binds a TCP listener.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| BindError { address, source })
}

/// Serves until `stop` is cancelled, then lets open requests finish for up to ten seconds.
pub async fn serve<L>(listener: L, router: Router, stop: CancellationToken) -> io::Result<()>
where
    L: Listener<Addr: fmt::Debug>,
{
    let graceful =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let hard_stop = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = graceful => served,
        () = hard_stop => {
            tracing::warn!("requests were still open after the drain; dropping them");
            Ok(())
        }
    }
}

/// Completes at the first SIGINT or SIGTERM.
pub async fn shutdown_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
