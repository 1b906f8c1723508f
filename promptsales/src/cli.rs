//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use contracts::{Language, Scope};
use service_kit::telemetry::{self, LogFormat};

use crate::soak::part::Part;

/// Find campaign images by describing them, in Spanish or English.
#[derive(Debug, Parser)]
#[command(name = "promptsales", version = service_kit::VERSION, about, max_term_width = 100)]
pub struct Arguments {
    /// What to do; `up` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
}

/// What applies to every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The home of this installation: databases, indexes, keys. Two homes run side by side.
    #[arg(long, global = true, env = "PROMPTSALES_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Where ONNX Runtime and PostgreSQL are kept once they are fetched.
    #[arg(long, global = true, env = "PROMPTSALES_CACHE_DIR", value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,

    /// Log lines from this level on: error, warn, info, debug (RUST_LOG says more).
    #[arg(long, global = true, default_value = "error", value_name = "LEVEL")]
    pub log: String,
}

/// What `import --help` says of files.
const IMPORT_FORMATS: &str = "\
Fields, the same in each form: columns of a CSV file (separated by commas, semicolons or tabs), \
fields of each line of a JSON lines file, or of a sidecar file beach.toml or beach.json beside \
beach.jpg. Texts are UTF-8.

  image                 the file, relative to the table's folder (tables only)
  es.description        what is seen, up to 2000 characters; in one language at least
  en.description
  es.title, en.title    made of the description when absent; es.alt and en.alt too
  es.hashtags, ...      separated by spaces, or a list; with or without #
  description, title,   the same, in the language of a field `lang` or of --lang
  alt, hashtags
  id                    a-z, 0-9 and hyphens; names the document, so that its image can change
  themes, campaign_themes, channels, audience
                        labels of the closed lists of the API
  rights.licence, rights.holder
  rights.from, rights.until
                        days such as 2026-11-22; unlimited when absent
  rights.territories    codes such as CR; everywhere when absent

In JSON and TOML, es.title may stand as title within es. A row without an id is known again by the \
bytes of its image. What was imported before is left alone while its row says the same, and brought \
level when it says something else; what was deleted in the system since stays deleted. An import \
that was broken off goes on when it is run again. The exit code is 1 when a row was refused.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start every service, index the catalogue, show two searches, and keep serving.
    Up(UpArguments),
    /// Find images by a description.
    Find(FindArguments),
    /// Bring a company's own images in, with their descriptions and hashtags.
    #[command(after_long_help = IMPORT_FORMATS)]
    Import(ImportArguments),
    /// Ask about campaigns, advertising, leads and sales, in Spanish or English.
    Ask(AskArguments),
    /// Say which system a question is for: images, figures, both, neither, or unclear.
    Route(RouteArguments),
    /// Show services, versions and what each search index holds.
    Status(JsonFlag),
    /// Print an access token for the API.
    Token(TokenArguments),
    /// Serve the Model Context Protocol on standard input and output.
    Mcp,
    /// Fill the operational databases with demonstration data.
    Load(LoadArguments),
    /// Change rows of the operational databases, as a few minutes of business would.
    Tick(TickArguments),
    /// Bring the sales warehouse level with its sources now.
    Etl(JsonFlag),
    /// Compare the sales warehouse with a load from scratch.
    Verify(JsonFlag),
    /// Who asked what: the audit events of this home, or of a directory.
    Audit {
        /// What to do.
        #[command(subcommand)]
        what: AuditCommand,
    },
    /// The keys that seal personal data.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// Use and break a system of its own for a while, and compare all stores in the end.
    Soak(SoakArguments),
    /// One service of a soak, a process of its own to be killed.
    #[command(hide = true)]
    SoakPart {
        /// Which service.
        part: Part,
    },
    /// Measure quality.
    Eval {
        /// What to measure.
        #[command(subcommand)]
        what: EvalCommand,
    },
}

/// `up`.
#[derive(Clone, Debug, Default, Args)]
pub struct UpArguments {
    /// First of five ports to listen on. Without it, 8460 to 8464 where free, else others.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65_531))]
    pub port_base: Option<u16>,

    /// Leave out the two example searches.
    #[arg(long)]
    pub no_examples: bool,
}

/// `find`.
#[derive(Clone, Debug, Args)]
pub struct FindArguments {
    /// The picture in words, in Spanish or English.
    #[arg(required_unless_present = "batch", num_args = 1..)]
    pub description: Vec<String>,

    /// Most results.
    #[arg(long, default_value_t = 5, allow_negative_numbers = true)]
    pub limit: i64,

    /// Language of the description and the answer; guessed when left out.
    #[arg(long, value_name = "es|en")]
    pub lang: Option<Language>,

    /// Print the API's answer.
    #[arg(long)]
    pub json: bool,

    /// Answer a file of JSON lines {"id","text","lang"?} with one JSON line each; `-` reads
    /// standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "description")]
    pub batch: Option<PathBuf>,
}

/// `import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArguments {
    /// A folder of images with a sidecar file each, or a table (.csv, .jsonl) that names image files
    /// below its own folder.
    #[arg(value_name = "FOLDER|TABLE")]
    pub source: PathBuf,

    /// Language of `title`, `description`, `alt` and `hashtags` that stand without one.
    #[arg(long, value_name = "es|en")]
    pub lang: Option<Language>,

    /// Approve what is new or changed. Without it, that is a draft, which no search finds.
    #[arg(long)]
    pub approve: bool,

    /// Bring back what was deleted in the system since it was imported.
    #[arg(long)]
    pub restore_deleted: bool,

    /// Whose work the images are, for rows that do not say it.
    #[arg(long, value_name = "NAME")]
    pub holder: Option<String>,

    /// Under which licence they may be used, for rows that do not say it.
    #[arg(long, value_name = "LICENCE")]
    pub licence: Option<String>,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `ask`.
#[derive(Clone, Debug, Args)]
pub struct AskArguments {
    /// The question, in Spanish or English.
    #[arg(required_unless_present = "batch", num_args = 1..)]
    pub question: Vec<String>,

    /// Language of the question and the answer; guessed when left out.
    #[arg(long, value_name = "es|en")]
    pub lang: Option<Language>,

    /// Print the service's answer.
    #[arg(long)]
    pub json: bool,

    /// Say what would be asked of the warehouse, without asking it.
    #[arg(long)]
    pub plan_only: bool,

    /// Answer a file of JSON lines {"id","text","lang"?} with one JSON line each; `-` reads
    /// standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["question", "chart"])]
    pub batch: Option<PathBuf>,

    /// What "today" is part of, as in 2026-11-22T12:00:00Z.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<String>,

    /// Draw the rows into a file, .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,
}

/// `route`.
#[derive(Clone, Debug, Args)]
pub struct RouteArguments {
    /// The question, in Spanish or English.
    #[arg(required_unless_present = "batch", num_args = 1..)]
    pub question: Vec<String>,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,

    /// Route a file of JSON lines {"id","text"} with one JSON line each; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    pub batch: Option<PathBuf>,
}

/// A table for a person or JSON for a program.
#[derive(Clone, Debug, Args)]
pub struct JsonFlag {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `token`.
#[derive(Clone, Debug, Args)]
pub struct TokenArguments {
    /// What the token should allow; `content:read` when left out. May be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<Scope>,

    /// A token for the MCP endpoint instead of the API.
    #[arg(long)]
    pub mcp: bool,
}

/// `load`. The defaults are the size that the product is made for.
#[derive(Clone, Debug, Args)]
pub struct LoadArguments {
    /// Finished campaigns.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub campaigns: u32,

    /// Campaigns that run today.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub active: u32,

    /// Customers and prospects.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u32).range(..=10_000_000))]
    pub customers: u32,

    /// Another seed, other rows.
    #[arg(long, default_value_t = crate::sales::SAMPLE_SEED)]
    pub seed: u64,

    /// Delete what the databases hold; the sample that `up` loads, for example.
    #[arg(long)]
    pub replace: bool,
}

/// `tick`.
#[derive(Clone, Debug, Args)]
pub struct TickArguments {
    /// About how many rows change.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub source_changes: u64,

    /// Which changes; others each time when left out.
    #[arg(long)]
    pub seed: Option<u64>,
}

/// `soak`.
#[derive(Clone, Debug, Args)]
pub struct SoakArguments {
    /// How long writes, reads and faults go on; what comes before and after takes a minute or two.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub seconds: u64,

    /// Another seed, other writes and faults.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Make one index forget a document before the comparison, to see that it is told.
    #[arg(long)]
    pub tamper: bool,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Read every line again; fails if one was changed, dropped or moved.
    Verify(AuditVerify),
}

/// `audit verify`.
#[derive(Debug, Args)]
pub struct AuditVerify {
    /// Where the events are; the home's when absent, read with its key.
    pub directory: Option<PathBuf>,
    /// Instead: a file of what services wrote to standard output, as a log collector keeps it; - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "directory")]
    pub collected: Option<PathBuf>,
    /// A file with the key that seals them; none when absent, for a directory or a file that is named.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// A place in the chain that was noted before and must still be there. May be repeated.
    #[arg(long = "expect", value_name = "SEQ:HASH")]
    pub expected: Vec<audit::Head>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `keys`.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Add a key, seal everything under it, and drop the old one. Goes on with a rotation that was broken off.
    Rotate,
}

/// `eval`.
#[derive(Clone, Debug, Subcommand)]
pub enum EvalCommand {
    /// Search quality on the judged queries.
    Search(JsonFlag),
    /// How questions about sales are answered, on the questions kept for it.
    Ask(JsonFlag),
    /// Whether questions are sent to the right system, on the labelled utterances.
    Route(JsonFlag),
}

impl Arguments {
    /// Sends log lines to standard error: standard output belongs to answers.
    pub fn start_logging(&self) {
        telemetry::init(LogFormat::Text, &self.global.log);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn it_says_which_build_it_is() {
        let command = Arguments::command();
        assert_eq!(command.get_version(), Some(service_kit::VERSION));
    }

    #[test]
    fn no_command_means_up() {
        assert!(Arguments::parse_from(["promptsales"]).command.is_none());
    }
}
