//! The listener: connections whose handshake is done.

use std::{io, net::SocketAddr};

use axum::serve::Listener;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, Id, JoinSet},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::handshakes::{Failure, HandshakeBounds, HandshakeFailures};
use crate::listen::crowd::Crowd;

type Shaken = Result<(TlsStream<TcpStream>, SocketAddr), Failure>;

/// Connections whose handshake is done. Those whose is not keep nobody else waiting.
pub struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    bounds: HandshakeBounds,
    failures: HandshakeFailures,
    under_way: Crowd<Id, AbortHandle>,
    handshakes: JoinSet<Shaken>,
}

impl TlsListener {
    pub(super) fn new(
        tcp: TcpListener,
        acceptor: TlsAcceptor,
        failures: HandshakeFailures,
    ) -> Self {
        Self {
            tcp,
            acceptor,
            bounds: HandshakeBounds::default(),
            failures,
            under_way: Crowd::default(),
            handshakes: JoinSet::new(),
        }
    }

    /// The same with other bounds.
    pub fn bounded(mut self, bounds: HandshakeBounds) -> Self {
        self.bounds = bounds;
        self
    }

    fn shake_hands(&mut self, stream: TcpStream, address: SocketAddr) {
        if self.under_way.len() >= self.bounds.at_a_time
            && let Some(oldest) = self.under_way.crowd_out()
        {
            oldest.abort();
        }
        let (shaking, within) = (self.acceptor.accept(stream), self.bounds.within);
        let handle = self.handshakes.spawn(async move {
            match tokio::time::timeout(within, shaking).await {
                Ok(Ok(stream)) => Ok((stream, address)),
                Ok(Err(error)) => Err(Failure::of(error)),
                Err(_) => Err(Failure::Timeout),
            }
        });
        self.under_way.enter(address.ip(), handle.id(), handle);
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                // What is done makes room before anything is crowded out.
                biased;
                Some(ended) = self.handshakes.join_next_with_id() => {
                    let (id, shaken) = match ended {
                        Ok((id, shaken)) => (id, shaken),
                        // One that was just done when it was to make room is not counted so.
                        Err(error) => (error.id(), Err(Failure::CrowdedOut)),
                    };
                    self.under_way.leave(id);
                    match shaken {
                        Ok(connection) => return connection,
                        Err(failure) => self.failures.note(&failure),
                    }
                }
                (stream, address) = Listener::accept(&mut self.tcp) => {
                    self.shake_hands(stream, address);
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
