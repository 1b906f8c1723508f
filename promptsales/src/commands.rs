//! One file per subcommand.

mod ask;
mod audit;
mod batch;
mod etl;
mod eval;
mod eval_ask;
mod find;
mod import;
mod keys;
mod load;
mod mcp;
mod route;
mod soak;
mod status;
mod token;
mod up;

use std::process::ExitCode;

use service_kit::Clock;

use crate::{
    cli::{Arguments, AuditCommand, Command, EvalCommand, Global, KeysCommand},
    embedded::SalesStart,
    output::Progress,
    sales::Sales,
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
        Command::Import(options) => {
            let source = import::source(&options)?;
            let session = open(&global).await?;
            let imported = import::run(&session, &options, source).await;
            close(session, imported).await
        }
        Command::Ask(options) => {
            let session = open_for_sales(&global).await?;
            let answered = ask::run(&session, &options).await;
            close(session, answered).await
        }
        Command::Route(options) => {
            let session = open_for_both(&global).await?;
            let routed = route::run(&session, &options).await;
            close(session, routed).await
        }
        Command::Status(options) => {
            let session =
                Session::open(&global, &Progress::at_terminal(), false, SalesStart::First).await?;
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
            let session =
                Session::open(&global, &Progress::silent(), true, SalesStart::Meanwhile).await?;
            let served = mcp::run(&session).await;
            close(session, served).await
        }
        Command::Soak(options) => Box::pin(soak::run(&global, &options)).await,
        Command::SoakPart { part } => soak::part(&global, part).await,
        Command::Load(options) => {
            let (session, sales) = open_sales(&global, false).await?;
            let loaded = load::run(&sales, &options).await;
            close_sales(session, sales, loaded).await
        }
        Command::Tick(options) => {
            let (session, sales) = open_sales(&global, true).await?;
            let ticked = etl::tick(&sales, &options).await;
            close_sales(session, sales, ticked).await
        }
        Command::Etl(options) => {
            let (session, sales) = open_sales(&global, true).await?;
            let ran = etl::run(&sales, options.json).await;
            close_sales(session, sales, ran).await
        }
        Command::Verify(options) => {
            let (session, sales) = open_sales(&global, true).await?;
            let verified = etl::verify(&sales, options.json).await;
            close_sales(session, sales, verified).await
        }
        Command::Audit {
            what: AuditCommand::Verify(options),
        } => audit::verify(&global, &options),
        Command::Keys {
            what: KeysCommand::Rotate,
        } => {
            let (session, sales) = open_sales(&global, false).await?;
            let rotated = keys::rotate(&sales).await;
            close_sales(session, sales, rotated).await
        }
        Command::Eval {
            what: EvalCommand::Search(options),
        } => {
            let session = open(&global).await?;
            let measured = eval::search(&session, options.json).await;
            close(session, measured).await
        }
        Command::Eval {
            what: EvalCommand::Route(options),
        } => {
            let session = open_for_both(&global).await?;
            let measured = route::eval(&session, options.json).await;
            close(session, measured).await
        }
        Command::Eval {
            what: EvalCommand::Ask(options),
        } => {
            let session = open_for_sales(&global).await?;
            let measured = eval_ask::run(&session, options.json).await;
            close(session, measured).await
        }
    }
}

async fn open(global: &Global) -> anyhow::Result<Session> {
    Session::open(global, &Progress::at_terminal(), false, SalesStart::Never).await
}

/// A session whose sales warehouse is level.
async fn open_for_sales(global: &Global) -> anyhow::Result<Session> {
    Session::open(global, &Progress::at_terminal(), false, SalesStart::Only).await
}

/// A session with search and a level warehouse.
async fn open_for_both(global: &Global) -> anyhow::Result<Session> {
    Session::open(global, &Progress::at_terminal(), false, SalesStart::First).await
}

/// A session and its databases, with the sample in them if `sample` and if they hold nothing.
async fn open_sales(global: &Global, sample: bool) -> anyhow::Result<(Session, Sales)> {
    let session = open(global).await?;
    match sales_of(&session, sample).await {
        Ok(sales) => Ok((session, sales)),
        Err(error) => {
            session.close().await?;
            Err(error)
        }
    }
}

async fn sales_of(session: &Session, sample: bool) -> anyhow::Result<Sales> {
    let sales = Sales::open(session.endpoints(), session.home()).await?;
    if sample && session.is_own() {
        sales.load_sample(&Clock::system()).await?;
    }
    Ok(sales)
}

async fn close_sales(
    session: Session,
    sales: Sales,
    outcome: anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    sales.close().await;
    close(session, outcome).await
}

/// Stops what the command started, also when it failed; its own failure is the one to report.
async fn close(session: Session, outcome: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    let closed = session.close().await;
    let code = outcome?;
    closed?;
    Ok(code)
}
