//! MCP over standard input and output, for an assistant that starts this process.
//!
//! There is no OAuth: the process belongs to the user. Nothing but the protocol may be written to
//! standard output; logs go to standard error.

use std::io::Read as _;

use contracts::limits::MAX_JSON_BODY_BYTES;
use rmcp::{
    service::{ServerInitializeError, serve_server_with_ct},
    transport::async_rw::AsyncRwTransport,
};
use service_kit::CancellationToken;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, SimplexStream};

use crate::{
    Gateway,
    server::{Access, Server},
};

/// How a session can fail.
#[derive(Debug, thiserror::Error)]
pub enum StdioError {
    /// The client did not open a session as the protocol has it.
    #[error(
        "the MCP session did not start; expected 'initialize' or a request with 2026-07-28's _meta"
    )]
    Handshake(#[source] Box<ServerInitializeError>),
    /// The session's task died.
    #[error("the MCP session broke off")]
    Broken(#[source] tokio::task::JoinError),
}

/// Serves one client over this process's standard streams until it closes them or `stop` is
/// cancelled. Requests that came before the end are answered first.
pub async fn serve(gateway: Gateway, stop: CancellationToken) -> Result<(), StdioError> {
    serve_streams(gateway, standard_input(), tokio::io::stdout(), stop).await
}

/// Like [`serve`], over any two streams: one JSON-RPC message a line, at most 64 KiB each.
pub async fn serve_streams<R, W>(
    gateway: Gateway,
    input: R,
    output: W,
    stop: CancellationToken,
) -> Result<(), StdioError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let transport = AsyncRwTransport::new(input, output).with_max_line_length(MAX_JSON_BODY_BYTES);
    let server = Server::new(gateway, Access::OwnProcess);
    // Boxed: the handshake's future holds 16 KiB.
    let session = match Box::pin(serve_server_with_ct(server, transport, stop)).await {
        Ok(session) => session,
        // It never said anything, or nobody wants to hear it any more: both are an end, no fault.
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => {
            return Ok(());
        }
        Err(error) => return Err(StdioError::Handshake(Box::new(error))),
    };
    session
        .waiting()
        .await
        .map(drop)
        .map_err(StdioError::Broken)
}

/// Standard input, read by a thread of its own. Tokio's reader would hold up the end of the process
/// until the client writes once more: a read in progress cannot be cancelled.
fn standard_input() -> tokio::io::ReadHalf<SimplexStream> {
    let (reader, mut writer) = tokio::io::simplex(MAX_JSON_BODY_BYTES);
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let mut chunk = vec![0; 16 * 1024];
        let mut input = std::io::stdin().lock();
        loop {
            match input.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) if runtime.block_on(writer.write_all(&chunk[..read])).is_ok() => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => break,
            }
        }
        drop(runtime.block_on(writer.shutdown()));
    });
    reader
}
