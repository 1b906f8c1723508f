//! Values out of files: the TOML file, and files that hold one secret each.

use std::{collections::BTreeMap, ffi::OsString, fs, path::Path};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::{Faults, change, is_secret, settings};

/// Largest file that is read: a configuration is a page or two.
const MAX_BYTES: u64 = 1024 * 1024;

/// Makes the values of a TOML file the options' defaults.
pub(super) fn with_file(mut command: Command, path: &Path, faults: &mut Faults) -> Command {
    let shown = path.display();
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => {
            faults.add(format!("{shown} cannot be read: {error}"));
            return command;
        }
    };
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            faults.add(format!("{shown} is no TOML: {}", error.to_string().trim()));
            return command;
        }
    };
    let mut values = BTreeMap::new();
    flatten("", table, &mut values);
    for (key, value) in values {
        match apply(command.clone(), &key, value) {
            Ok(changed) => command = changed,
            Err(fault) => faults.add(format!("{shown}: {fault}")),
        }
    }
    command
}

fn apply(command: Command, key: &str, value: Value) -> Result<Command, String> {
    let (long, all) = (key.replace('_', "-"), settings(&command));
    let found = |name: &str| {
        all.iter()
            .copied()
            .find(|argument| argument.get_long() == Some(name))
    };
    let Some(argument) = found(&long) else {
        if let Some(secret) = long.strip_suffix("-file").and_then(found)
            && is_secret(secret)
        {
            let text = secret_in(Path::new(&scalar(key, value)?), key)?;
            return Ok(default(command, long.trim_end_matches("-file"), text));
        }
        let keys = all.iter().filter_map(|argument| argument.get_long());
        let nearest = keys
            .map(|name| (strsim::jaro_winkler(name, &long), name))
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let hint = nearest.map(|(_, name)| format!("; did you mean {}?", name.replace('-', "_")));
        return Err(format!("{key} is no setting{}", hint.unwrap_or_default()));
    };
    if is_secret(argument) {
        return Err(format!(
            "{key} is a secret and does not belong into this file: name a file that holds it, as {key}_file"
        ));
    }
    let text = match value {
        Value::Array(items) => joined(argument, key, items)?,
        value => scalar(key, value)?,
    };
    Ok(default(command, &long, text))
}

fn default(command: Command, long: &str, text: String) -> Command {
    change(command, long, &|argument| {
        // `--help` shows defaults.
        let hidden = is_secret(&argument);
        let argument = argument.required(false).hide_default_value(hidden);
        argument.default_value(text.clone())
    })
}

fn joined(argument: &Arg, key: &str, items: Vec<Value>) -> Result<String, String> {
    let Some(delimiter) = argument.get_value_delimiter() else {
        return Err(format!("{key} is a list: expected one value"));
    };
    let items: Result<Vec<_>, _> = items.into_iter().map(|item| scalar(key, item)).collect();
    let items = items?;
    match items.iter().find(|item| item.contains(delimiter)) {
        Some(item) => Err(format!("{key}: {item:?} may not hold {delimiter:?}")),
        None => Ok(items.join(&delimiter.to_string())),
    }
}

fn scalar(key: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        Value::Datetime(time) => Ok(time.to_string()),
        Value::Array(_) | Value::Table(_) => Err(format!("{key}: expected one value")),
    }
}

/// `[cache] url` is `cache_url`.
fn flatten(before: &str, table: Table, into: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = if before.is_empty() {
            key
        } else {
            format!("{before}_{key}")
        };
        match value {
            Value::Table(table) => flatten(&key, table, into),
            value => {
                into.insert(key, value);
            }
        }
    }
}

/// Lets `X_FILE` in the environment name a file that holds the secret `X`.
pub(super) fn with_secret_files(
    mut command: Command,
    environment: &impl Fn(&str) -> Option<OsString>,
    faults: &mut Faults,
) -> Command {
    let plain = command.clone();
    for argument in settings(&plain) {
        let (Some(long), Some(variable)) = (argument.get_long(), argument.get_env()) else {
            continue;
        };
        let named = format!("{}_FILE", variable.to_string_lossy());
        let Some(path) = environment(&named).filter(|_| is_secret(argument)) else {
            continue;
        };
        if environment(&variable.to_string_lossy()).is_some() {
            faults.add(format!(
                "{} and {named} are both set: expected one of them",
                variable.to_string_lossy()
            ));
            continue;
        }
        match secret_in(Path::new(&path), &named) {
            Ok(text) => command = default(command, long, text),
            Err(fault) => faults.add(fault),
        }
    }
    command
}

/// The secret that a file holds, without the line's end that editors leave.
fn secret_in(path: &Path, name: &str) -> Result<String, String> {
    let text = read(path)
        .map_err(|error| format!("{name}: {} cannot be read: {error}", path.display()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(format!("{name}: {} is empty", path.display()));
    }
    Ok(secret.to_owned())
}

fn read(path: &Path) -> std::io::Result<String> {
    let length = fs::metadata(path)?.len();
    if length > MAX_BYTES {
        let text = format!("it has {length} bytes: expected at most {MAX_BYTES}");
        return Err(std::io::Error::other(text));
    }
    fs::read_to_string(path)
}

/// Whether an option is a switch.
pub(super) fn is_switch(argument: &Arg) -> bool {
    matches!(
        argument.get_action(),
        ArgAction::SetTrue | ArgAction::SetFalse
    )
}
