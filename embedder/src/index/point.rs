//! A document as Qdrant keeps it, be it in this process or a server: the vectors' names, the payload, and
//! the conditions of a search. Both adapters say the same in their engine's own types.

use contracts::{ContentHash, Filters, ImageId, Language, content::Status, index::IndexDocument};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{IndexEntry, ManifestEntry, Tombstone};

/// Point ids are UUIDs of this namespace, made from the slug.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_1a5e_2b7d_5c43_9e21_7d40_b6f3_8a10);
/// The last day of the year 9999: later than any usage right ends.
const NO_END: i64 = 99_991_231;

/// The payload field of the document's id.
pub const ID: &str = "id";
/// The payload field of the revision.
pub const REVISION: &str = "revision";
/// The payload field that a tombstone lacks.
pub const CONTENT_HASH: &str = "content_hash";
/// The payload fields of a manifest entry.
pub const MANIFEST_FIELDS: [&str; 3] = [ID, REVISION, CONTENT_HASH];

/// The vectors of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorName {
    /// Of the Spanish texts' meaning.
    DenseEs,
    /// Of the English texts' meaning.
    DenseEn,
    /// Of the Spanish texts' words.
    SparseEs,
    /// Of the English texts' words.
    SparseEn,
}

impl VectorName {
    /// Those of meaning.
    pub const DENSE: [Self; 2] = [Self::DenseEs, Self::DenseEn];
    /// Those of words.
    pub const SPARSE: [Self; 2] = [Self::SparseEs, Self::SparseEn];

    /// As the collection names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DenseEs => "dense_es",
            Self::DenseEn => "dense_en",
            Self::SparseEs => "sparse_es",
            Self::SparseEn => "sparse_en",
        }
    }

    /// Of which texts.
    pub fn language(self) -> Language {
        match self {
            Self::DenseEs | Self::SparseEs => Language::Es,
            Self::DenseEn | Self::SparseEn => Language::En,
        }
    }
}

/// How a payload field is indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Whole words.
    Keyword,
    /// Days, as numbers.
    Integer,
}

/// The payload fields that filters use, with the kind of their index.
pub const FILTER_FIELDS: [(&str, FieldKind); 9] = [
    ("status", FieldKind::Keyword),
    ("themes", FieldKind::Keyword),
    ("campaign_themes", FieldKind::Keyword),
    ("channels", FieldKind::Keyword),
    ("audience", FieldKind::Keyword),
    ("orientation", FieldKind::Keyword),
    ("territories", FieldKind::Keyword),
    ("usable_from", FieldKind::Integer),
    ("usable_until", FieldKind::Integer),
];

/// What is asked of one payload field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It holds one of these.
    AnyOf(Vec<String>),
    /// It is this or less.
    AtMost(i64),
    /// It is this or more.
    AtLeast(i64),
}

/// A point's id: made from the document's id, one way.
pub fn point_id(id: &ImageId) -> Uuid {
    Uuid::new_v5(&NAMESPACE, id.as_str().as_bytes())
}

/// The payload of a document.
pub fn payload(entry: &IndexEntry) -> Map<String, Value> {
    let document = &entry.document;
    let facets = &document.facets;
    object(json!({
        ID: document.id,
        REVISION: document.revision,
        CONTENT_HASH: entry.content_hash,
        "document": document,
        "status": facets.status,
        "themes": facets.themes,
        "campaign_themes": facets.campaign_themes,
        "channels": facets.channels,
        "audience": facets.audience,
        "orientation": facets.orientation,
        "territories": facets.territories,
        "usable_from": day_number(&facets.usable_from),
        "usable_until": facets.usable_until.as_deref().map_or(NO_END, day_number),
    }))
}

/// The payload of a tombstone: no status, so that no search finds it.
pub fn tombstone_payload(tombstone: &Tombstone) -> Map<String, Value> {
    object(json!({ ID: tombstone.id, REVISION: tombstone.revision }))
}

/// The line in a manifest; `None` where the payload is not of ours, or damaged.
pub fn manifest_entry(payload: &Map<String, Value>) -> Option<(ImageId, ManifestEntry)> {
    let id = image_id(payload)?;
    let revision = payload.get(REVISION)?.as_i64()?;
    let content_hash = text(payload, CONTENT_HASH).map(ContentHash::from_hex);
    Some((
        id,
        ManifestEntry {
            revision,
            content_hash,
        },
    ))
}

/// Whose payload it is.
pub fn image_id(payload: &Map<String, Value>) -> Option<ImageId> {
    text(payload, ID)?.parse().ok()
}

/// The document of a payload and its hash; `None` for a tombstone.
pub fn document(payload: &Map<String, Value>) -> Option<(IndexDocument, ContentHash)> {
    let document = serde_json::from_value(payload.get("document")?.clone()).ok()?;
    let content_hash = ContentHash::from_hex(text(payload, CONTENT_HASH)?);
    Some((document, content_hash))
}

/// What a search asks of the payload; all conditions apply.
pub fn conditions(filters: &Filters, status: Status) -> Vec<(&'static str, Condition)> {
    let mut all = vec![("status", any([status.as_str()]))];
    let lists = [
        ("themes", &filters.themes),
        ("campaign_themes", &filters.campaign_themes),
        ("channels", &filters.channels),
        ("audience", &filters.audience),
    ];
    let asked = lists.into_iter().filter(|(_, wanted)| !wanted.is_empty());
    all.extend(asked.map(|(field, wanted)| (field, any(wanted.iter().map(String::as_str)))));
    if !filters.orientation.is_empty() {
        let wanted = filters.orientation.iter().map(|o| o.as_str());
        all.push(("orientation", any(wanted)));
    }
    if let Some(territory) = &filters.territory {
        all.push(("territories", any([territory, "*"])));
    }
    if let Some(day) = filters.usable_on.as_deref().map(day_number) {
        all.push(("usable_from", Condition::AtMost(day)));
        all.push(("usable_until", Condition::AtLeast(day)));
    }
    all
}

fn any<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Condition {
    Condition::AnyOf(wanted.into_iter().map(str::to_owned).collect())
}

fn text<'a>(payload: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    payload.get(name)?.as_str()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("both payloads are written as objects"),
    }
}

/// `2026-11-22` as 20261122, which sorts like the day.
fn day_number(day: &str) -> i64 {
    day.chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap_or(NO_END)
}
