//! `mcp`: the gateway on standard input and output, for an assistant that starts us.

use std::process::ExitCode;

use service_kit::{CancellationToken, listen::shutdown_signal};

use crate::session::Session;

pub async fn run(session: &Session) -> anyhow::Result<ExitCode> {
    let gateway = session.gateway()?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let signal = tokio::spawn(async move {
        let _either_way = shutdown_signal().await;
        stopping.cancel();
    });
    let served = mcp_gateway::stdio::serve(gateway, stop).await;
    signal.abort();
    served?;
    Ok(ExitCode::SUCCESS)
}
