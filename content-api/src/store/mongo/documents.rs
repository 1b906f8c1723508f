//! From drafts to stored documents and back. One that cannot be read must not hide the others.
//!
//! A document of `images`:
//!
//! | field | holds |
//! |---|---|
//! | `_id` | the slug |
//! | `body` | what the writer said: a [`ContentDraft`] |
//! | `hashtags` | those of the body in any language, in small letters, each once |
//! | `live` | whether it is a document; if not, it is a tombstone |
//! | `revision`, `acknowledged_revision` | as in the port |
//! | `pending` | `true` while the two differ, and absent otherwise |
//! | `created_at`, `updated_at`, `deleted_at` | dates, to the millisecond |
//! | `change` | a token of the last write: each update is conditional on the one that it has seen |
//! | `unversioned` | `true` while that write is not counted in `contents_version` |

use std::collections::BTreeSet;

use contracts::{ContentDocument, ImageId, index::Deletion};
use mongodb::bson::{self, Bson, DateTime, Document, doc, oid::ObjectId, serialize_to_bson};
use time::OffsetDateTime;

use super::backend;
use crate::store::{ContentDraft, Pending, StoreError};

/// Those that can be read; the others are named in the log.
pub(super) fn readable<T>(
    found: &[Document],
    read: impl Fn(&Document) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut readable = Vec::with_capacity(found.len());
    for one in found {
        match read(one) {
            Ok(one) => readable.push(one),
            Err(StoreError::Damaged { id, .. }) => {
                tracing::error!(%id, "a stored document cannot be read and is left out");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(readable)
}

/// What writers look at before they write.
pub(super) struct Stored {
    pub(super) revision: i64,
    pub(super) live: bool,
    pub(super) change: ObjectId,
    /// `None` if it cannot be read.
    pub(super) draft: Option<ContentDraft>,
}

impl Stored {
    pub(super) fn read(found: &Document) -> bson::error::Result<Self> {
        Ok(Self {
            revision: found.get_i64("revision")?,
            live: found.get_bool("live")?,
            change: found.get_object_id("change")?,
            draft: body(found).ok(),
        })
    }
}

/// What a write sets from the draft.
pub(super) fn fields(draft: &ContentDraft) -> bson::error::Result<Document> {
    let tags = draft.text.values().flat_map(|text| &text.hashtags);
    let tags: BTreeSet<String> = tags.map(|tag| tag.to_lowercase()).collect();
    Ok(doc! {
        "body": serialize_to_bson(draft)?,
        "hashtags": tags.into_iter().collect::<Vec<_>>(),
    })
}

/// The id in the document, whatever else it holds.
pub(super) fn id(found: &Document) -> Result<String, StoreError> {
    let id = found
        .get_str("_id")
        .map_err(backend("read a document's id"))?;
    Ok(id.to_owned())
}

pub(super) fn document(found: &Document) -> Result<ContentDocument, StoreError> {
    let id = id(found)?;
    read_document(found, &id).map_err(|source| StoreError::Damaged { id, source })
}

fn read_document(
    found: &Document,
    id: &str,
) -> Result<ContentDocument, Box<dyn std::error::Error + Send + Sync>> {
    let draft = body(found)?;
    // Whoever pages by the ids of documents would go astray.
    if draft.id.as_str() != id {
        return Err("its body is another document's".into());
    }
    Ok(draft.into_document(
        found.get_i64("revision")?,
        time_at(*found.get_datetime("created_at")?)?,
        time_at(*found.get_datetime("updated_at")?)?,
    ))
}

pub(super) fn pending(found: &Document) -> Result<Pending, StoreError> {
    let id = id(found)?;
    let damaged = |source| StoreError::Damaged {
        id: id.clone(),
        source,
    };
    let parsed: ImageId = id.parse().map_err(|error| damaged(Box::new(error)))?;
    let revision = found
        .get_i64("revision")
        .map_err(|error| damaged(error.into()))?;
    // The body of a tombstone does not matter any more, so it is not read.
    if matches!(found.get_bool("live"), Ok(false)) {
        return Ok(Pending::Delete(Deletion {
            id: parsed,
            revision,
        }));
    }
    Ok(match document(found) {
        Ok(document) => Pending::Put(Box::new(document)),
        Err(_) => Pending::Unreadable {
            id: parsed,
            revision,
        },
    })
}

fn body(found: &Document) -> bson::error::Result<ContentDraft> {
    let body = found.get("body").cloned().unwrap_or(Bson::Null);
    bson::deserialize_from_bson(body)
}

/// As a date of the server's, which counts milliseconds.
pub(super) fn date(at: OffsetDateTime) -> DateTime {
    let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
    DateTime::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

pub(super) fn time_at(date: DateTime) -> Result<OffsetDateTime, time::error::ComponentRange> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(date.timestamp_millis()) * 1_000_000)
}
