//! Binding, serving and stopping.

pub mod connections;
pub(crate) mod crowd;

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::Listener};
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::{net::TcpListener, task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;

use connections::{ConnectionBounds, ConnectionCounts, Waiting};

/// How long open requests may go on after shutdown was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// How long a client may take nothing of what is sent to it, or say that it is there no more, in ms. The kernel then
/// ends the connection, though an answer is under way.
const STALLED_MS: u32 = 30_000;

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

/// Binds a TCP listener. Its connections end when their client takes nothing for 30 s.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    bind_until_stalled(address, STALLED_MS)
        .await
        .map_err(|source| BindError { address, source })
}

async fn bind_until_stalled(address: SocketAddr, stalled_ms: u32) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    // Connections take it over from their listener.
    set_tcp_user_timeout(&listener, stalled_ms)?;
    Ok(listener)
}

/// Serves until `stop` is cancelled, then lets open requests finish for up to ten seconds.
pub async fn serve<L>(listener: L, router: Router, stop: CancellationToken) -> io::Result<()>
where
    L: Listener<Addr = SocketAddr>,
{
    let (bounds, counts) = (ConnectionBounds::of_process(), ConnectionCounts::default());
    serve_bounded(listener, router, bounds, counts, stop).await
}

/// The same with bounds of one's own, counted.
pub async fn serve_bounded<L>(
    mut listener: L,
    router: Router,
    bounds: ConnectionBounds,
    counts: ConnectionCounts,
    stop: CancellationToken,
) -> io::Result<()>
where
    L: Listener<Addr = SocketAddr>,
{
    let protocol = connections::protocol(&bounds);
    let waiting = Waiting::counted(counts);
    let mut open = JoinSet::new();
    let accepting = async {
        for number in 0.. {
            let (stream, address) = accept(&mut listener, &mut open).await;
            while open.try_join_next().is_some() {}
            while open.len() >= bounds.at_a_time {
                let ends = waiting.crowd_out();
                tokio::select! {
                    Some(_) = open.join_next() => {}
                    () = waiting.one_more(), if !ends => {}
                    // It had a request after all, or takes its time: another.
                    () = sleep(2 * bounds.last_words), if ends => {}
                }
            }
            let seat = waiting.seat(number, address.ip());
            let (protocol, router, stop) = (protocol.clone(), router.clone(), stop.clone());
            open.spawn(connections::serve(
                protocol, bounds, stream, router, seat, stop,
            ));
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = accepting => {}
    }
    drop(listener);
    let all_end = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, all_end).await.is_err() {
        let dropped = open.len();
        tracing::warn!(
            dropped,
            "requests were still open after the drain; dropping them"
        );
    }
    Ok(())
}

/// The next connection; those that have ended are forgotten meanwhile.
async fn accept<L: Listener>(listener: &mut L, open: &mut JoinSet<()>) -> (L::Io, L::Addr) {
    loop {
        tokio::select! {
            Some(_) = open.join_next() => {}
            connection = listener.accept() => return connection,
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

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{io::AsyncWriteExt as _, net::TcpStream};

    use super::*;

    /// More than the sockets' buffers hold.
    const LARGE: usize = 32 * 1024 * 1024;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_ended() {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = bind_until_stalled(address, 500).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (counts, stop) = (ConnectionCounts::default(), CancellationToken::new());
        let router = Router::new().route("/", get(|| async { vec![b'x'; LARGE] }));
        let bounds = ConnectionBounds::default();
        let serving = serve_bounded(listener, router, bounds, counts.clone(), stop.clone());
        let _stop = stop.drop_guard();
        tokio::spawn(serving);
        let mut client = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
        client.write_all(request).await.unwrap();
        client.readable().await.unwrap();
        assert_eq!(counts.open(), 1);
        let ended = async {
            while counts.open() > 0 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
        assert!(ended.is_ok(), "it is still open");
    }
}
