//! Everything that is wrong, at once.

use std::{error::Error as _, ffi::OsString, fmt};

use clap::{
    ArgMatches, Command,
    builder::Resettable,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{change, is_secret, settings};

/// What is wrong with the settings: one line each.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl Faults {
    pub(super) fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => writeln!(formatter, "the configuration has a fault:")?,
            count => writeln!(formatter, "the configuration has {count} faults:")?,
        }
        self.0
            .iter()
            .try_for_each(|fault| writeln!(formatter, "  - {fault}"))
    }
}

/// Parses again and again, each time without what was found wrong the time before, since `clap` stops at the
/// first fault. `None` when there was one.
pub(super) fn parse(
    mut command: Command,
    arguments: &[OsString],
    faults: &mut Faults,
) -> Result<Option<ArgMatches>, clap::Error> {
    let mut blamed: Vec<String> = Vec::new();
    loop {
        let error = match command.clone().try_get_matches_from(arguments) {
            Ok(matches) => return Ok(blamed.is_empty().then_some(matches)),
            Err(error) => error,
        };
        let names = match error.kind() {
            ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
                let names = culprits(&error);
                for name in &names {
                    faults.add(wrong_value(&command, name, &error));
                }
                names
            }
            ErrorKind::MissingRequiredArgument => {
                let names = culprits(&error);
                for name in &names {
                    faults.add(missing(&command, name));
                }
                names
            }
            _ => return Err(error),
        };
        // What comes from the command line cannot be left out: its fault would come again.
        if names.is_empty() || names.iter().any(|name| blamed.contains(name)) {
            return Ok(None);
        }
        for name in &names {
            command = change(command, name, &|argument| {
                argument
                    .required(false)
                    .env(Resettable::Reset)
                    .default_value(Resettable::Reset)
            });
        }
        blamed.extend(names);
    }
}

/// The long names that an error is about.
fn culprits(error: &clap::Error) -> Vec<String> {
    let shown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        _ => Vec::new(),
    };
    // Shown as `--listen <LISTEN>`.
    shown
        .iter()
        .filter_map(|text| text.strip_prefix("--"))
        .filter_map(|text| text.split([' ', '=']).next())
        .map(str::to_owned)
        .collect()
}

fn wrong_value(command: &Command, name: &str, error: &clap::Error) -> String {
    let (key, is_secret) = known(command, name);
    let cause = error.source().map(|cause| format!(": {cause}"));
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if !is_secret => format!(" {value:?}"),
        _ => String::new(),
    };
    let expected = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
            format!(": expected one of {}", valid.join(", "))
        }
        _ => String::new(),
    };
    // A parser may quote what it was given.
    let cause = cause.filter(|_| !is_secret).unwrap_or_default();
    format!("{key}: the value{value} cannot be used{cause}{expected}")
}

fn missing(command: &Command, name: &str) -> String {
    let (key, is_secret) = known(command, name);
    let all = settings(command);
    let variable = all
        .iter()
        .find(|argument| argument.get_long() == Some(name))
        .and_then(|argument| argument.get_env())
        .map(|variable| variable.to_string_lossy().into_owned());
    match variable {
        Some(variable) if is_secret => {
            format!("{key} is missing: give it as {variable}, or name its file as {variable}_FILE")
        }
        Some(variable) => {
            format!("{key} is missing: give it in the file, as {variable} or as --{name}")
        }
        None => format!("{key} is missing: give it as --{name}"),
    }
}

/// The key of a setting, and whether it is a secret.
fn known(command: &Command, name: &str) -> (String, bool) {
    let all = settings(command);
    let argument = all
        .iter()
        .find(|argument| argument.get_long() == Some(name));
    let is_secret = argument.is_some_and(|argument| is_secret(argument));
    (name.replace('-', "_"), is_secret)
}
