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
//! | `hash_bands` | the perceptual hash's bytes, each with its place: alike pictures share one |
//! | `request` | the request that created it |
//! | `erased_at`, `erasing` | when it was erased; what of the erasure is still to be done |
//! | `ticket`, `unplaced`, `untold`, `outbox`, `moved` | for the sequencer: see `feed` |

use std::collections::BTreeSet;

use contracts::{ContentDocument, ImageId, index::Deletion};
use mongodb::bson::{self, Bson, DateTime, Document, doc, serialize_to_bson};
use time::OffsetDateTime;

use super::{backend, custom};
use crate::store::{ContentDraft, Page, Pending, StoreError};

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
    pub(super) erased: bool,
    pub(super) request: Option<String>,
    /// Hashes of its image files, also where the rest of the body cannot be read.
    pub(super) files: Vec<String>,
    /// `None` if it cannot be read.
    pub(super) draft: Option<ContentDraft>,
}

impl Stored {
    pub(super) fn read(found: &Document) -> mongodb::error::Result<Self> {
        Ok(Self {
            revision: found.get_i64("revision").map_err(custom)?,
            live: found.get_bool("live").map_err(custom)?,
            erased: found.contains_key("erased_at"),
            request: found.get_str("request").ok().map(str::to_owned),
            files: files(found),
            draft: body(found).ok(),
        })
    }
}

fn files(found: &Document) -> Vec<String> {
    let Ok(body) = found.get_document("body") else {
        return Vec::new();
    };
    let former = body.get_array("former_images").into_iter().flatten();
    let images = former.chain(body.get("image"));
    images
        .filter_map(|image| image.as_document()?.get_str("sha256").ok())
        .map(str::to_owned)
        .collect()
}

/// What a write sets from the draft.
pub(super) fn fields(draft: &ContentDraft) -> bson::error::Result<Document> {
    let tags = draft.text.values().flat_map(|text| &text.hashtags);
    let tags: BTreeSet<String> = tags.map(|tag| tag.to_lowercase()).collect();
    Ok(doc! {
        "body": serialize_to_bson(draft)?,
        "hashtags": tags.into_iter().collect::<Vec<_>>(),
        "hash_bands": hash_bands(&draft.image.perceptual_hash),
    })
}

/// The bytes of a perceptual hash, each with its place. Two hashes that differ in fewer bits than
/// there are bytes have one of them in common.
pub(super) fn hash_bands(hash: &str) -> Vec<String> {
    match perceptual_bits(hash) {
        Some(_) => (0..8)
            .map(|n| format!("{n}:{}", &hash[2 * n..2 * n + 2]))
            .collect(),
        None => Vec::new(),
    }
}

pub(super) fn perceptual_bits(hash: &str) -> Option<u64> {
    let is_hash = hash.len() == 16 && hash.is_ascii();
    is_hash.then(|| u64::from_str_radix(hash, 16).ok())?
}

/// Of what was asked for by id, in order.
pub(super) fn page<T>(
    found: &[Document],
    limit: u32,
    read: impl Fn(&Document) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let is_full = found.len() as u64 >= u64::from(limit);
    let next = match found.last() {
        Some(last) if is_full => Some(image_id(last)?),
        _ => None,
    };
    Ok(Page {
        items: readable(found, read)?,
        next,
    })
}

fn image_id(found: &Document) -> Result<ImageId, StoreError> {
    let id = id(found)?;
    id.parse().map_err(|error| StoreError::Damaged {
        id: id.clone(),
        source: Box::new(error),
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
    let parsed = image_id(found)?;
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
