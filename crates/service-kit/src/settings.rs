//! A service's settings: its command line, over its environment, over a TOML file, over its defaults.
//!
//! A service describes its settings once, as [`clap`] options with `env` names. This module adds, for each of them,
//! a key of the same name in a TOML file (`--cache-url` is `cache_url`, or `url` under `[cache]`), and for each secret
//! (an option that hides its environment value) the name of a file that holds it. Every fault is told at once, and
//! no fault shows a secret.
//!
//! Options that several services have stand in one place, as a struct that is flattened into each service's own. Their
//! `env` begins with `SERVICE_`, in place of which the service's prefix comes: `SERVICE_TLS_KEY` is
//! `CONTENT_API_TLS_KEY` to content-api.

mod fault;
mod file;
mod reference;

use std::{
    env,
    ffi::{OsStr, OsString},
    io::Write as _,
    path::PathBuf,
    process::ExitCode,
};

use clap::{Arg, ArgAction, Command, Parser, value_parser};

use fault::Faults;
pub use reference::reference;

/// How the names of shared options begin, before they have a service's.
const SHARED: &str = "SERVICE_";
const CONFIG: &str = "config";
const CHECK: &str = "check-config";
const PRINT: &str = "print-config";
/// As `clap` has it for wrong usage.
const WRONG_USAGE: u8 = 2;

/// What a service is told.
pub trait ServiceOptions: Parser {
    /// How the names of its environment begin, such as `CONTENT_API`.
    const PREFIX: &'static str;

    /// What is wrong with the options that can each be read, one line each: values that make no sense together, or
    /// that only the service itself can judge. Connects to nothing.
    fn faults(&self) -> Vec<String>;
}

/// Reads the settings of this process. Otherwise what is wrong with them has been said, or what `--help`,
/// `--check-config` and their like ask for, and the process should end with this code.
pub fn load<O: ServiceOptions>() -> Result<O, ExitCode> {
    let arguments: Vec<_> = env::args_os().collect();
    // Nobody is left to be told when a standard stream is closed.
    match read::<O>(&arguments, |name| env::var_os(name)) {
        Ok(Read::Options(options)) => Ok(options),
        Ok(Read::Text(text)) => {
            let _ = std::io::stdout().write_all(text.as_bytes());
            Err(ExitCode::SUCCESS)
        }
        Err(Unread::Usage(error)) => {
            let _ = error.print();
            let code = u8::try_from(error.exit_code()).unwrap_or(WRONG_USAGE);
            Err(ExitCode::from(code))
        }
        Err(Unread::Faults(faults)) => {
            let _ = write!(std::io::stderr(), "{faults}");
            Err(ExitCode::from(WRONG_USAGE))
        }
    }
}

enum Read<O> {
    Options(O),
    /// What was asked for instead.
    Text(String),
}

#[derive(Debug)]
enum Unread {
    /// What `clap` says itself: help, version, an option that does not exist.
    Usage(clap::Error),
    Faults(Faults),
}

fn read<O: ServiceOptions>(
    arguments: &[OsString],
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Read<O>, Unread> {
    if arguments.iter().any(|one| one == "--print-config") {
        return Ok(Read::Text(reference::<O>()));
    }
    let mut faults = Faults::default();
    let plain = with_own_options(command_of::<O>(), O::PREFIX);
    let mut command = file::with_secret_files(plain, &environment, &mut faults);
    if let Some(path) = config_path(O::PREFIX, arguments, &environment) {
        command = file::with_file(command, &path, &mut faults);
    }
    let matches = fault::parse(command, arguments, &mut faults).map_err(Unread::Usage)?;
    let Some(matches) = matches else {
        return Err(Unread::Faults(faults));
    };
    let options = O::from_arg_matches(&matches).map_err(Unread::Usage)?;
    options
        .faults()
        .into_iter()
        .for_each(|fault| faults.add(fault));
    if !faults.is_empty() {
        return Err(Unread::Faults(faults));
    }
    if matches.get_flag(CHECK) {
        let text = "the configuration is complete and sound\n";
        return Ok(Read::Text(text.to_owned()));
    }
    Ok(Read::Options(options))
}

/// A service's command, in which shared options have its names.
fn command_of<O: ServiceOptions>() -> Command {
    named(O::command(), O::PREFIX)
}

fn named(command: Command, prefix: &str) -> Command {
    let variable = |argument: &Arg| {
        let name = argument.get_env()?.to_str()?.strip_prefix(SHARED)?;
        Some(format!("{prefix}_{name}"))
    };
    command
        .mut_args(|argument| match variable(&argument) {
            Some(variable) => argument.env(variable),
            None => argument,
        })
        .mut_subcommands(|below| named(below, prefix))
}

fn with_own_options(command: Command, prefix: &str) -> Command {
    command
        .arg(
            Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .help(format!(
                    "A TOML file with settings [env: {}]",
                    config_variable(prefix)
                ))
                .value_parser(value_parser!(PathBuf))
                .global(true),
        )
        .arg(
            Arg::new(CHECK)
                .long(CHECK)
                .help("Say whether the settings are complete and sound, and end")
                .action(ArgAction::SetTrue)
                .global(true),
        )
        .arg(
            Arg::new(PRINT)
                .long(PRINT)
                .help("Write a TOML file that documents every setting, and end")
                .action(ArgAction::SetTrue)
                .global(true),
        )
}

fn config_variable(prefix: &str) -> String {
    format!("{prefix}_CONFIG")
}

/// Found before anything is parsed, for parsing needs what the file says.
fn config_path(
    prefix: &str,
    arguments: &[OsString],
    environment: &impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        if argument == "--config" {
            return rest.next().map(PathBuf::from);
        }
        let text = argument.to_str().unwrap_or_default();
        if let Some(path) = text.strip_prefix("--config=") {
            return Some(path.into());
        }
    }
    environment(&config_variable(prefix)).map(PathBuf::from)
}

/// Whether a value must not be shown.
fn is_secret(argument: &Arg) -> bool {
    argument.is_hide_env_values_set()
}

/// Whether a file can set it.
fn is_setting(argument: &Arg) -> bool {
    let own = [CONFIG, CHECK, PRINT].map(OsStr::new);
    argument
        .get_long()
        .is_some_and(|long| !own.contains(&OsStr::new(long)))
        && argument.get_env().is_some()
}

/// Applies a change to every option of that long name, in the command and in those below it.
fn change(mut command: Command, long: &str, apply: &dyn Fn(Arg) -> Arg) -> Command {
    let ids: Vec<_> = command
        .get_arguments()
        .filter(|argument| argument.get_long() == Some(long))
        .map(|argument| argument.get_id().clone())
        .collect();
    for id in ids {
        command = command.mut_arg(id, apply);
    }
    let names: Vec<_> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, |sub| change(sub, long, apply));
    }
    command
}

/// Every setting of a command and of those below it, once.
fn settings(command: &Command) -> Vec<&Arg> {
    let mut found: Vec<&Arg> = Vec::new();
    let below = command.get_subcommands().flat_map(settings);
    for argument in command.get_arguments().chain(below) {
        let is_known = found
            .iter()
            .any(|one| one.get_long() == argument.get_long());
        if is_setting(argument) && !is_known {
            found.push(argument);
        }
    }
    found
}

#[cfg(test)]
mod tests;
