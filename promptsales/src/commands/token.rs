//! `token`: an access token to paste.

use std::{io::Write, process::ExitCode};

use contracts::Scope;
use secrecy::ExposeSecret;

use crate::{
    cli::TokenArguments,
    embedded::{API_AUDIENCE, CLI_CLIENT, mcp_resource},
    output,
    session::Session,
};

pub async fn run(session: &Session, options: &TokenArguments) -> anyhow::Result<ExitCode> {
    let scopes = match options.scopes.as_slice() {
        [] => &[Scope::ContentRead],
        asked => asked,
    };
    let resource = if options.mcp {
        mcp_resource(session.endpoints())?.to_string()
    } else {
        API_AUDIENCE.to_owned()
    };
    let token = session
        .tokens_for(CLI_CLIENT, scopes, &resource)?
        .token()
        .await?;
    writeln!(output::out(), "{}", token.expose_secret())?;
    Ok(ExitCode::SUCCESS)
}
