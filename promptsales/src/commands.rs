//! One file per subcommand.

mod eval;
mod find;
mod mcp;
mod status;
mod token;
mod up;

use std::process::ExitCode;

use crate::{
    cli::{Arguments, Command, EvalCommand, Global},
    output::Progress,
    session::Session,
};

/// Runs the command that was asked for; `up` when none was.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { command, global } = arguments;
    match command.unwrap_or(Command::Up(Default::default())) {
        Command::Up(options) => up::run(&global, &options).await,
        Command::Find(options) => {
            let session = open(&global).await?;
            let found = find::run(&session, &options).await;
            close(session, found).await
        }
        Command::Status(options) => {
            let session = open(&global).await?;
            let shown = status::run(&session, options.json).await;
            close(session, shown).await
        }
        Command::Token(options) => {
            let session = open(&global).await?;
            let shown = token::run(&session, &options).await;
            close(session, shown).await
        }
        Command::Mcp => {
            // A client reads our standard error into its log; steps would only fill it.
            let session = Session::open(&global, &Progress::silent(), true).await?;
            let served = mcp::run(&session).await;
            close(session, served).await
        }
        Command::Eval {
            what: EvalCommand::Search(options),
        } => {
            let session = open(&global).await?;
            let measured = eval::search(&session, options.json).await;
            close(session, measured).await
        }
    }
}

async fn open(global: &Global) -> anyhow::Result<Session> {
    Session::open(global, &Progress::at_terminal(), false).await
}

/// Stops what the command started, also when it failed; its own failure is the one to report.
async fn close(session: Session, outcome: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let closed = session.close().await;
    let code = outcome?;
    closed?;
    Ok(code)
}
