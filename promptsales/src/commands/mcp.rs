//! `mcp`: the gateway on standard input and output, for an assistant that starts us.

use std::process::ExitCode;

use contracts::Scope;
use service_kit::{CancellationToken, listen::shutdown_signal};

use crate::{
    embedded::{API_AUDIENCE, GATEWAY_CLIENT},
    session::Session,
};

pub async fn run(session: &Session) -> anyhow::Result<ExitCode> {
    let gateway = mcp_gateway::Gateway::new(
        mcp_gateway::Config::new(session.endpoints().content_api.clone()),
        session.http().clone(),
        session.tokens_for(GATEWAY_CLIENT, &[Scope::ContentRead], API_AUDIENCE)?,
    );
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
