//! From a change in JSON to a row. Read field by field rather than as a whole: what is new is told and left, what is
//! gone or of another type stops the reading and is named.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use time::{
    Date, OffsetDateTime,
    format_description::well_known::{Iso8601, Rfc3339},
};

use super::{client::malformed, copy::Row};
use crate::source::{SourceError, System};

const CONTENTS: &str = "contents";
const CAMPAIGNS: &str = "campaigns";
const CAMPAIGN_CONTENTS: &str = "campaign_contents";

/// What a thing is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Content(String),
    Campaign(String),
    Use { campaign: String, content: String },
}

impl Key {
    /// The relation that its row belongs to.
    pub fn relation(&self) -> &'static str {
        match self {
            Self::Content(_) => CONTENTS,
            Self::Campaign(_) => CAMPAIGNS,
            Self::Use { .. } => CAMPAIGN_CONTENTS,
        }
    }

    /// As tombstones write it.
    pub fn json(&self) -> Value {
        match self {
            Self::Content(id) => json!({"content_id": id}),
            Self::Campaign(slug) => json!({"campaign_slug": slug}),
            Self::Use { campaign, content } => {
                json!({"campaign_slug": campaign, "content_id": content})
            }
        }
    }
}

/// A thing of the feed.
#[derive(Debug)]
pub struct Thing {
    pub key: Key,
    /// `None` for what was deleted.
    pub row: Option<ThingRow>,
}

/// Its row.
#[derive(Debug)]
pub struct ThingRow {
    /// In `COPY`'s binary format.
    pub bytes: Vec<u8>,
    /// What reconciliation adds up.
    pub measure: i64,
}

impl Thing {
    /// Where a change stands in the feed.
    ///
    /// # Errors
    /// What has no position or kind is no change.
    pub fn position(change: &Value) -> Result<i64, SourceError> {
        let position = change["position"].as_i64().filter(|place| *place > 0);
        position
            .filter(|_| change["kind"].is_string())
            .ok_or_else(|| malformed("a change has no position or no kind".to_owned()))
    }

    /// Reads a change. `None` where it has a fault, which is noted, or is of a kind that is not known, of which a
    /// notice tells.
    pub fn read(
        change: &Value,
        faults: &mut BTreeSet<String>,
        notices: &mut BTreeSet<String>,
    ) -> Option<Self> {
        let read = match change["kind"].as_str().unwrap_or_default() {
            "content" => content(&change["document"], notices),
            "content-deleted" => {
                text(change, CONTENTS, "id").map(|id| (Key::Content(id.to_owned()), None))
            }
            "campaign" => campaign(&change["campaign"], notices),
            "content-use" => campaign_content(change, true),
            "content-use-deleted" => campaign_content(change, false),
            other => {
                let other: String = other.chars().take(80).collect();
                notices.insert(format!("changes of the kind {other} are new and not read"));
                return None;
            }
        };
        match read {
            Ok((key, row)) => Some(Self { key, row }),
            Err(fault) => {
                faults.insert(fault);
                None
            }
        }
    }
}

type Read = Result<(Key, Option<ThingRow>), String>;

fn row_of(row: Row, measure: i64) -> ThingRow {
    ThingRow {
        bytes: row.into_bytes(),
        measure,
    }
}

fn content(document: &Value, notices: &mut BTreeSet<String>) -> Read {
    let fields = ["id", "text", "status", "revision", "created_at"];
    note_new(document, CONTENTS, &fields, notices);
    let id = text(document, CONTENTS, "id")?;
    let texts = object(document, CONTENTS, "text")?;
    let title = |language: &str| {
        let stated = texts.get(language).filter(|text| !text.is_null());
        stated.map(|of| text(of, CONTENTS, "title")).transpose()
    };
    let revision = whole(document, CONTENTS, "revision")?;
    let row = Row::of(7)
        .text(id)
        .maybe_text(title("en")?)
        .maybe_text(title("es")?)
        .text(text(document, CONTENTS, "status")?)
        .texts(&hashtags(texts)?)
        .bigint(revision)
        .moment(moment(document, CONTENTS, "created_at")?);
    Ok((Key::Content(id.to_owned()), Some(row_of(row, revision))))
}

/// Of every language, in small letters: `#Verano` and `#verano` are one.
fn hashtags(texts: &Map<String, Value>) -> Result<Vec<String>, String> {
    let mut found = BTreeSet::new();
    for of in texts.values().filter(|text| !text.is_null()) {
        for tag in strings(of, CONTENTS, "hashtags")? {
            found.insert(tag.trim().to_lowercase());
        }
    }
    found.remove("");
    Ok(found.into_iter().collect())
}

fn campaign(campaign: &Value, notices: &mut BTreeSet<String>) -> Read {
    let fields = [
        "id",
        "name",
        "status",
        "markets",
        "starts_on",
        "ends_on",
        "revision",
        "created_at",
    ];
    note_new(campaign, CAMPAIGNS, &fields, notices);
    let slug = text(campaign, CAMPAIGNS, "id")?;
    let revision = whole(campaign, CAMPAIGNS, "revision")?;
    let row = Row::of(8)
        .text(slug)
        .text(text(campaign, CAMPAIGNS, "name")?)
        .text(text(campaign, CAMPAIGNS, "status")?)
        .texts(&strings(campaign, CAMPAIGNS, "markets")?)
        .date(day(campaign, CAMPAIGNS, "starts_on")?)
        .date(day(campaign, CAMPAIGNS, "ends_on")?)
        .bigint(revision)
        .moment(moment(campaign, CAMPAIGNS, "created_at")?);
    Ok((Key::Campaign(slug.to_owned()), Some(row_of(row, revision))))
}

fn campaign_content(change: &Value, lasts: bool) -> Read {
    let campaign = text(change, CAMPAIGN_CONTENTS, "campaign_id")?;
    let content = text(change, CAMPAIGN_CONTENTS, "content_id")?;
    let at = moment(change, CAMPAIGN_CONTENTS, "at")?;
    let row = lasts.then(|| Row::of(3).text(campaign).text(content).moment(at));
    let key = Key::Use {
        campaign: campaign.to_owned(),
        content: content.to_owned(),
    };
    Ok((key, row.map(|row| row_of(row, 0))))
}

/// Tells of fields that are neither read nor known.
fn note_new(thing: &Value, relation: &str, read: &[&str], notices: &mut BTreeSet<String>) {
    let tables = System::PromptContent.tables().iter();
    let unread: Vec<&str> = tables
        .filter(|table| table.relation.name == relation)
        .flat_map(|table| table.relation.unread.iter().copied())
        .collect();
    let fields = thing.as_object().into_iter().flatten();
    for (name, value) in fields {
        if !read.contains(&name.as_str()) && !unread.contains(&name.as_str()) {
            let (name, kind): (String, _) = (name.chars().take(80).collect(), kind(value));
            notices.insert(format!(
                "column {relation}.{name} ({kind}) is new and not read"
            ));
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn field<'a, T>(
    of: &'a Value,
    relation: &str,
    name: &str,
    expected: &str,
    read: impl FnOnce(&'a Value) -> Option<T>,
) -> Result<T, String> {
    match of.get(name) {
        None => Err(format!("column {relation}.{name} is gone")),
        Some(value) => read(value).ok_or_else(|| {
            let found = kind(value);
            format!("column {relation}.{name} is {found}, expected {expected}")
        }),
    }
}

fn text<'a>(of: &'a Value, relation: &str, name: &str) -> Result<&'a str, String> {
    field(of, relation, name, "a text", Value::as_str)
}

fn whole(of: &Value, relation: &str, name: &str) -> Result<i64, String> {
    field(of, relation, name, "a whole number", Value::as_i64)
}

fn object<'a>(of: &'a Value, relation: &str, name: &str) -> Result<&'a Map<String, Value>, String> {
    field(of, relation, name, "an object", Value::as_object)
}

fn strings<'a>(of: &'a Value, relation: &str, name: &str) -> Result<Vec<&'a str>, String> {
    field(of, relation, name, "a list of texts", |value| {
        let all = value.as_array()?.iter();
        all.map(Value::as_str).collect()
    })
}

fn moment(of: &Value, relation: &str, name: &str) -> Result<OffsetDateTime, String> {
    field(of, relation, name, "a time as RFC 3339 has it", |value| {
        OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
    })
}

fn day(of: &Value, relation: &str, name: &str) -> Result<Date, String> {
    field(of, relation, name, "a day as ISO 8601 has it", |value| {
        Date::parse(value.as_str()?, &Iso8601::DATE).ok()
    })
}
