use std::{collections::BTreeMap, ffi::OsString, fs, net::SocketAddr, path::Path};

use clap::{Args, Parser, Subcommand};

use super::{Read, ServiceOptions, Unread, read, reference};

/// A service.
#[derive(Debug, Parser)]
#[command(name = "thing")]
struct Options {
    /// Where to listen.
    #[arg(long, env = "THING_LISTEN", default_value = "0.0.0.0:1")]
    listen: SocketAddr,
    /// What it is called.
    #[arg(long, env = "THING_NAME")]
    name: String,
    /// A key.
    #[arg(long, env = "THING_API_KEY", hide_env_values = true)]
    api_key: String,
    /// How many.
    #[arg(long, env = "THING_CACHE_SIZE", default_value_t = 3)]
    cache_size: u8,
    /// Who may call.
    #[arg(long, env = "THING_ORIGINS", value_delimiter = ',')]
    origins: Vec<String>,
    #[command(flatten)]
    shared: Shared,
    /// Quietly.
    #[arg(long, env = "THING_QUIET")]
    quiet: bool,
    #[command(subcommand)]
    command: Option<Deep>,
}

/// What other services have too.
#[derive(Debug, Args)]
struct Shared {
    /// Of what colour.
    #[arg(long, env = "SERVICE_COLOUR")]
    colour: Option<u8>,
    /// Another key.
    #[arg(long, env = "SERVICE_SHARED_KEY", hide_env_values = true)]
    shared_key: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Deep {
    Down(Below),
}

#[derive(Debug, Args)]
struct Below {
    /// How deep.
    #[arg(long, env = "SERVICE_DEPTH")]
    depth: Option<u8>,
}

impl ServiceOptions for Options {
    const PREFIX: &'static str = "THING";

    fn faults(&self) -> Vec<String> {
        let too_long = self.name.len() > 9;
        let fault = || format!("name: {:?} has more than 9 letters", self.name);
        too_long.then(fault).into_iter().collect()
    }
}

struct Told {
    directory: tempfile::TempDir,
    environment: BTreeMap<String, OsString>,
    arguments: Vec<OsString>,
}

impl Told {
    fn nothing() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
            arguments: vec!["thing".into()],
        }
    }

    fn by_file(text: &str) -> Self {
        let told = Self::nothing();
        let path = told.write("thing.toml", text);
        told.env("THING_CONFIG", path)
    }

    fn write(&self, name: &str, text: &str) -> OsString {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.into()
    }

    fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    fn argument(mut self, text: &str) -> Self {
        self.arguments.push(text.into());
        self
    }

    /// `clap` reads the process's environment itself, which tests leave alone: this one is for files' names.
    fn read(&self) -> Result<Options, String> {
        let environment = |name: &str| self.environment.get(name).cloned();
        match read::<Options>(&self.arguments, environment) {
            Ok(Read::Options(options)) => Ok(options),
            Ok(Read::Text(text)) => Err(text),
            Err(Unread::Usage(error)) => Err(error.to_string()),
            Err(Unread::Faults(faults)) => Err(faults.to_string()),
        }
    }
}

const WHOLE: &str = r#"
    name = "one"
    origins = ["a", "b"]
    quiet = true
    [cache]
    size = 7
"#;

#[test]
fn a_file_sets_everything_but_secrets() {
    let options = Told::by_file(WHOLE).argument("--api-key=k").read().unwrap();
    assert_eq!(options.name, "one");
    assert_eq!(options.origins, ["a", "b"]);
    assert_eq!((options.cache_size, options.quiet), (7, true));
    assert_eq!(options.listen.port(), 1);
}

#[test]
fn the_command_line_wins_over_the_file() {
    let told = Told::by_file(WHOLE).argument("--api-key=k");
    let options = told.argument("--name=two").read().unwrap();
    assert_eq!(options.name, "two");
}

const FAULTS: &str = "\
the configuration has 6 faults:
  - /thing.toml: api_key is a secret and does not belong into this file: name a file that holds it, as api_key_file
  - /thing.toml: cahce_size is no setting; did you mean cache_size?
  - cache_size: the value \"300\" cannot be used: 300 is not in 0..=255
  - listen: the value \"nowhere\" cannot be used: invalid socket address syntax
  - name is missing: give it in the file, as THING_NAME or as --name
  - api_key is missing: give it as THING_API_KEY, or name its file as THING_API_KEY_FILE
";

#[test]
fn every_fault_is_told_at_once_and_no_secret() {
    let told = Told::by_file(
        "listen = \"nowhere\"\ncahce_size = 4\napi_key = \"hush-hush\"\n[cache]\nsize = 300\n",
    );
    let faults = told.read().unwrap_err();
    let directory = told.directory.path().display().to_string();
    assert_eq!(faults.replace(&directory, ""), FAULTS);
}

#[test]
fn a_secret_comes_from_a_file() {
    let told = Told::nothing().argument("--name=x");
    let path = told.write("key", "from-a-file\n");
    let options = told.env("THING_API_KEY_FILE", path).read().unwrap();
    assert_eq!(options.api_key, "from-a-file");
}

#[test]
fn the_file_may_name_a_secrets_file() {
    let told = Told::nothing();
    let key = told.write("key", "k");
    let key = Path::new(&key).display();
    let text = format!("name = \"x\"\napi_key_file = \"{key}\"\n");
    let path = told.write("thing.toml", &text);
    let options = told.env("THING_CONFIG", path).read().unwrap();
    assert_eq!(options.api_key, "k");
}

#[test]
fn shared_options_have_the_services_names() {
    let told = Told::by_file("name = \"x\"\ncolour = 3\ndepth = 4\n")
        .argument("--api-key=k")
        .argument("down");
    let path = told.write("key", "from-a-file");
    let options = told.env("THING_SHARED_KEY_FILE", path).read().unwrap();
    let Some(Deep::Down(below)) = options.command else {
        panic!("{options:?}");
    };
    assert_eq!((options.shared.colour, below.depth), (Some(3), Some(4)));
    assert_eq!(options.shared.shared_key.unwrap(), "from-a-file");
    let help = Told::nothing().argument("--help").read().unwrap_err();
    assert!(help.contains("[env: THING_COLOUR=]"), "{help}");
    assert!(!help.contains("SERVICE_"), "{help}");
}

#[test]
fn an_empty_or_missing_secrets_file_is_a_fault() {
    for (name, fault) in [("empty", "is empty"), ("missing", "cannot be read")] {
        let told = Told::nothing().argument("--name=x");
        told.write("empty", "\n");
        let path = told.directory.path().join(name);
        let faults = told.env("THING_API_KEY_FILE", path).read().unwrap_err();
        assert!(faults.contains(fault), "{faults}");
    }
}

#[test]
fn a_secret_given_twice_is_a_fault() {
    let told = Told::nothing().argument("--name=x");
    let path = told.write("key", "k");
    let told = told
        .env("THING_API_KEY_FILE", path)
        .env("THING_API_KEY", "k");
    let faults = told.read().unwrap_err();
    assert!(faults.contains("both set"), "{faults}");
}

#[test]
fn what_is_no_toml_or_too_long_or_absent_is_a_fault() {
    let long = format!("#{}", "x".repeat(1024 * 1024));
    for (text, fault) in [
        ("name = ", "is no TOML"),
        (long.as_str(), "expected at most"),
    ] {
        let faults = Told::by_file(text).read().unwrap_err();
        assert!(faults.contains(fault), "{faults}");
    }
    let told = Told::nothing().env("THING_CONFIG", "/nowhere/thing.toml");
    let faults = told.read().unwrap_err();
    assert!(faults.contains("cannot be read"), "{faults}");
}

#[test]
fn an_unknown_option_is_the_usual_error() {
    let usage = Told::nothing().argument("--nonsense").read().unwrap_err();
    assert!(usage.contains("unexpected argument"), "{usage}");
}

const REFERENCE: &str = r##"# Settings of thing. Name this file with --config or THING_CONFIG.
# A setting in the environment wins over this file, and one on the command line over both.
# What stands behind a # is the default, or the setting's form where there is none.

# Where to listen
# THING_LISTEN
#listen = "0.0.0.0:1"

# What it is called
# THING_NAME, required
#name = ""

# A key
# A secret, required: THING_API_KEY holds it, or the file that this or THING_API_KEY_FILE names.
#api_key_file = "/run/secrets/api_key"

# How many
# THING_CACHE_SIZE
#cache_size = 3

# Who may call
# THING_ORIGINS
#origins = []

# Of what colour
# THING_COLOUR
#colour = ""

# Another key
# A secret: THING_SHARED_KEY holds it, or the file that this or THING_SHARED_KEY_FILE names.
#shared_key_file = "/run/secrets/shared_key"

# Quietly
# THING_QUIET
#quiet = false

# How deep
# THING_DEPTH
#depth = ""
"##;

#[test]
fn the_reference_names_every_setting_and_sets_none() {
    let text = reference::<Options>();
    assert_eq!(text, REFERENCE);
    let table: toml::Table = text.parse().unwrap();
    assert!(table.is_empty());
    let uncommented: String = text
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    let table: toml::Table = uncommented.parse().unwrap();
    assert_eq!(table.len(), 9);
}

#[test]
fn check_config_says_so_and_the_services_own_faults_count() {
    let told = || {
        Told::nothing()
            .argument("--api-key=k")
            .argument("--check-config")
    };
    let said = told().argument("--name=short").read().unwrap_err();
    assert!(said.contains("complete and sound"), "{said}");
    let said = told().argument("--name=much-too-long").read().unwrap_err();
    assert!(said.contains("more than 9 letters"), "{said}");
}

#[test]
fn help_shows_no_secret() {
    let told = Told::nothing().argument("--help");
    let path = told.write("key", "hush-hush");
    let help = told.env("THING_API_KEY_FILE", path).read().unwrap_err();
    assert!(help.contains("--api-key"), "{help}");
    assert!(!help.contains("hush-hush"), "{help}");
}
