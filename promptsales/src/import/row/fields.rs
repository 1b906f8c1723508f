//! Facts by their names, whatever they were written in.

use std::collections::BTreeMap;

use serde_json::Value;

/// Every field there is, as a heading of a table has it; in JSON and TOML, `es.title` may also stand as
/// `title` within `es`.
pub const FIELDS: &[&str] = &[
    "image",
    "id",
    "lang",
    "title",
    "description",
    "alt",
    "hashtags",
    "es.title",
    "es.description",
    "es.alt",
    "es.hashtags",
    "en.title",
    "en.description",
    "en.alt",
    "en.hashtags",
    "themes",
    "campaign_themes",
    "channels",
    "audience",
    "rights.licence",
    "rights.holder",
    "rights.from",
    "rights.until",
    "rights.territories",
];

/// Fields by their names, emptied as they are understood.
#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, Field>);

#[derive(Debug)]
enum Field {
    Text(String),
    List(Vec<String>),
}

impl Fields {
    /// Takes a cell of a table; an empty one says nothing.
    pub fn add_text(&mut self, name: &str, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        self.add(name, Field::Text(text.to_owned()))
    }

    /// Takes what a JSON object says.
    pub fn of_json(value: Value) -> Result<Self, String> {
        let mut fields = Self::default();
        match value {
            Value::Object(_) => fields.add_json("", value)?,
            _ => return Err("expected a JSON object with a field for each fact".to_owned()),
        }
        Ok(fields)
    }

    fn add_json(&mut self, name: &str, value: Value) -> Result<(), String> {
        match value {
            Value::Null => Ok(()),
            Value::String(text) => self.add_text(name, text.trim()),
            Value::Array(values) => {
                let text = |value| match value {
                    Value::String(text) => Ok(text),
                    other => Err(format!("{name} holds {other}: expected texts")),
                };
                let values = values.into_iter().map(text).collect::<Result<_, _>>()?;
                self.add(name, Field::List(values))
            }
            Value::Object(within) => {
                for (inner, value) in within {
                    let path = if name.is_empty() {
                        inner
                    } else {
                        format!("{name}.{inner}")
                    };
                    self.add_json(&path, value)?;
                }
                Ok(())
            }
            other => Err(format!("{name} is {other}: expected a text")),
        }
    }

    fn add(&mut self, name: &str, field: Field) -> Result<(), String> {
        if !FIELDS.contains(&name) {
            return Err(unknown_field(name));
        }
        match self.0.insert(name.to_owned(), field) {
            None => Ok(()),
            Some(_) => Err(format!("{name} is there twice: expected it once")),
        }
    }

    /// Takes a field out.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Field::Text(text)) => Ok(Some(text)),
            Some(Field::List(_)) => Err(format!("{name} is a list: expected a text")),
        }
    }

    /// A list, or a text that is taken apart at white space, commas and semicolons.
    pub(super) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        Some(match self.0.remove(name)? {
            Field::List(values) => values,
            Field::Text(text) => text
                .split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';'))
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// What to say of a field that there is none of.
pub fn unknown_field(name: &str) -> String {
    let shown: String = name.chars().take(40).collect();
    format!(
        "unknown field '{shown}': expected some of {}",
        FIELDS.join(", ")
    )
}
