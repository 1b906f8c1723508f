//! What the binary takes, and its subcommands.

mod commands;
mod serve;
mod settings;

use std::process::ExitCode;

use audit::AuditOptions;
use auth::CallerOptions;
use clap::{Args, Parser, Subcommand};
use secrecy::SecretString;
use service_kit::{settings::ServiceOptions, telemetry::TraceOptions, tls::TlsOptions};

use settings::Faults;

/// The sales warehouse: kept level with its sources every four minutes, and asked over HTTP.
#[derive(Debug, Parser)]
#[command(name = "sales-warehouse", version = service_kit::VERSION, max_term_width = 100)]
pub struct Arguments {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    databases: Databases,
    #[command(flatten)]
    content: Content,
    #[command(flatten)]
    serve: Serve,
    #[command(flatten)]
    pub traces: TraceOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the routes, and run the ETL every four minutes.
    Serve,
    /// Run the ETL every four minutes, without serving anything.
    Etl {
        /// One run, and out: for a CronJob. Succeeds if every source is in, or if another run is at work.
        #[arg(long)]
        once: bool,
    },
    /// Make the warehouse's schemas, or bring them level.
    Migrate {
        /// Those of the two PostgreSQL sources too; PromptContent's are its own service's.
        #[arg(long)]
        sources: bool,
    },
    /// Compare the warehouse with a load from scratch; fails if they differ.
    Verify {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Where the databases are. URLs may hold passwords: give them through the environment or a file, where no
/// process list shows them.
#[derive(Debug, Args)]
struct Databases {
    /// The warehouse, a PostgreSQL URL.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    database_url: Option<SecretString>,
    /// The source PromptAds, a PostgreSQL URL.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_PROMPTADS_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    promptads_url: Option<SecretString>,
    /// The source PromptCrm, a PostgreSQL URL.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_PROMPTCRM_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    promptcrm_url: Option<SecretString>,
    /// Seconds after which a run is given up: more for sources whose first read takes longer. Waiting for one of n
    /// sources ends after the (n+1)th part of it, so that the others have theirs; in verify, after all of it.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_RUN_LIMIT",
        default_value = "1800",
        value_name = "SECONDS"
    )]
    run_limit: String,
}

/// The source PromptContent: where its change feed is, and as whom it is read.
#[derive(Debug, Args)]
struct Content {
    /// The source PromptContent: the content API, whose change feed is read. Without it that source is left out.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_CONTENT_API_URL",
        value_name = "URL"
    )]
    content_api_url: Option<String>,
    /// What the content API is called in the tokens' `aud`; the same as this service when absent.
    #[arg(long, global = true, env = "SALES_WAREHOUSE_CONTENT_API_AUDIENCE")]
    content_api_audience: Option<String>,
    /// As which client this service calls the content API: one that may have tokens for `content:read`.
    #[arg(long, global = true, env = "SALES_WAREHOUSE_CLIENT_ID")]
    client_id: Option<String>,
    /// That client's secret. Give it through the environment or a file, where no process list shows it.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_CLIENT_SECRET",
        hide_env_values = true
    )]
    client_secret: Option<SecretString>,
}

/// What `serve` takes besides. Texts, so that every fault of a configuration is told at once.
#[derive(Debug, Args)]
struct Serve {
    /// Where to listen.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_LISTEN",
        default_value = "0.0.0.0:7440",
        value_name = "ADDRESS"
    )]
    listen: String,
    /// Who issues the tokens, exactly as in their `iss`.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_ISSUER",
        value_name = "URL"
    )]
    issuer: Option<String>,
    /// What this service is called in the tokens' `aud`.
    #[arg(long, global = true, env = "SALES_WAREHOUSE_AUDIENCE")]
    audience: Option<String>,
    #[command(flatten)]
    callers: CallerOptions,
    #[command(flatten)]
    audit: AuditOptions,
    #[command(flatten)]
    tls: TlsOptions,
    /// Where to serve `/metrics`, which takes no token: a port that only the cluster reaches. Off when absent.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_METRICS_ADDRESS",
        value_name = "ADDRESS"
    )]
    metrics_address: Option<String>,
    /// Where callers reach this service; the OpenAPI document names it.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_PUBLIC_URL",
        value_name = "URL"
    )]
    public_url: Option<String>,
    /// The issuer's token endpoint: the OpenAPI document names it, and tokens for the content API come from it.
    #[arg(
        long,
        global = true,
        env = "SALES_WAREHOUSE_TOKEN_URL",
        value_name = "URL"
    )]
    token_url: Option<String>,
    /// Serve only: somebody else runs `sales-warehouse etl --once` every four minutes.
    #[arg(long, global = true, env = "SALES_WAREHOUSE_NO_SCHEDULE")]
    no_schedule: bool,
}

impl ServiceOptions for Arguments {
    const PREFIX: &'static str = "SALES_WAREHOUSE";

    /// Each command asks for what it needs and no more.
    fn faults(&self) -> Vec<String> {
        let mut faults = Faults::default();
        match self.command {
            None | Some(Command::Serve) => {
                self.serve
                    .settings(&self.databases, &self.content, &mut faults);
            }
            Some(Command::Migrate { sources: false }) => {
                self.databases.warehouse(&mut faults);
            }
            Some(Command::Migrate { sources: true }) => {
                self.databases.warehouse(&mut faults);
                self.databases.sources(&mut faults);
            }
            Some(Command::Etl { .. } | Command::Verify { .. }) => {
                self.databases.warehouse(&mut faults);
                self.serve
                    .sources(&self.databases, &self.content, &mut faults);
            }
        }
        faults.into()
    }
}

/// Runs what was asked for to its end.
///
/// # Errors
/// A configuration that makes no sense, with all that is wrong with it; what stops the command.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments {
        command,
        databases,
        content,
        serve,
        traces: _,
    } = arguments;
    let mut faults = Faults::default();
    match command.unwrap_or(Command::Serve) {
        Command::Serve => {
            let settings = serve.settings(&databases, &content, &mut faults);
            serve::serve(faults.or(settings)?).await
        }
        Command::Etl { once } => {
            let (warehouse, sources) = serve.all(&databases, &content, faults)?;
            if once {
                commands::etl_once(&warehouse, &sources).await
            } else {
                commands::etl(&warehouse, &sources).await
            }
        }
        Command::Migrate { sources: true } => {
            let warehouse = databases.warehouse(&mut faults);
            let sources = databases.sources(&mut faults);
            let (warehouse, sources) = faults.or(warehouse.zip(sources))?;
            commands::migrate_sources(&sources).await?;
            commands::migrate(&warehouse).await
        }
        Command::Migrate { sources: false } => {
            let warehouse = databases.warehouse(&mut faults);
            commands::migrate(&faults.or(warehouse)?).await
        }
        Command::Verify { json } => {
            let (warehouse, sources) = serve.all(&databases, &content, faults)?;
            commands::verify(&warehouse, &sources, json).await
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use service_kit::settings::reference;

    use super::Arguments;

    #[test]
    fn it_says_which_build_it_is() {
        let command = Arguments::command();
        assert_eq!(command.get_version(), Some(service_kit::VERSION));
    }

    /// `sales-warehouse --print-config > sales-warehouse/sales-warehouse.toml`
    #[test]
    fn the_documented_configuration_is_up_to_date() {
        assert_eq!(
            reference::<Arguments>(),
            include_str!("../sales-warehouse.toml")
        );
    }
}
