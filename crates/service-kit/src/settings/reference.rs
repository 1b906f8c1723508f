//! A TOML file that documents every setting.

use std::fmt::Write as _;

use clap::Arg;

use super::{ServiceOptions, command_of, config_variable, file::is_switch, is_secret, settings};

const WIDTH: usize = 98;

/// The file of a service: each setting with its meaning, its name in the environment and its default. As it stands
/// it sets nothing.
pub fn reference<O: ServiceOptions>() -> String {
    let command = command_of::<O>();
    let mut text = format!(
        "# Settings of {}. Name this file with --config or {}.\n\
         # A setting in the environment wins over this file, and one on the command line over both.\n\
         # What stands behind a # is the default, or the setting's form where there is none.\n",
        command.get_name(),
        config_variable(O::PREFIX),
    );
    for argument in settings(&command) {
        describe(&mut text, argument).expect("text can always be written");
    }
    text
}

fn describe(text: &mut String, argument: &Arg) -> std::fmt::Result {
    let (Some(long), Some(variable)) = (argument.get_long(), argument.get_env()) else {
        return Ok(());
    };
    let (key, variable) = (long.replace('-', "_"), variable.to_string_lossy());
    text.push('\n');
    let help = argument.get_long_help().or(argument.get_help());
    for line in help.map(ToString::to_string).unwrap_or_default().lines() {
        comment(text, line)?;
    }
    let required = if argument.is_required_set() {
        ", required"
    } else {
        ""
    };
    if is_secret(argument) {
        let places = format!(
            "A secret{required}: {variable} holds it, or the file that this or {variable}_FILE names."
        );
        comment(text, &places)?;
        return writeln!(text, "#{key}_file = \"/run/secrets/{key}\"");
    }
    writeln!(text, "# {variable}{required}")?;
    let default = argument.get_default_values().first();
    let default = default.map(|value| value.to_string_lossy().into_owned());
    let value = match default {
        _ if is_switch(argument) => "false".to_owned(),
        Some(value) => literal(&value),
        None if argument.get_value_delimiter().is_some() => "[]".to_owned(),
        None => "\"\"".to_owned(),
    };
    writeln!(text, "#{key} = {value}")
}

/// Words, in lines that a terminal shows whole.
fn comment(text: &mut String, words: &str) -> std::fmt::Result {
    let mut width = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count() + 1;
        if width == 0 {
            text.push('#');
        } else if width + length > WIDTH {
            text.push_str("\n#");
            width = 0;
        }
        write!(text, " {word}")?;
        width += length;
    }
    text.push('\n');
    Ok(())
}

fn literal(value: &str) -> String {
    if value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok() {
        value.to_owned()
    } else {
        toml::Value::from(value).to_string()
    }
}
