//! From rows to documents. A row that cannot be read must not hide the others.

use contracts::{ContentDocument, ImageId, index::Deletion, lifecycle::Duplicate};
use sqlx::{Row, postgres::PgRow, types::Json};

use super::backend;
use crate::store::{ContentDraft, Page, Pending, StoreError};

/// Those that can be read; the others are named in the log.
pub(super) fn readable<T>(
    rows: &[PgRow],
    read: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        match read(row) {
            Ok(one) => found.push(one),
            Err(StoreError::Damaged { id, .. }) => {
                tracing::error!(%id, "a stored document cannot be read and is left out");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The page that these rows are, asked for with this limit.
pub(super) fn page<T>(
    rows: &[PgRow],
    limit: u32,
    read: impl Fn(&PgRow) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let is_full = rows.len() as u64 >= u64::from(limit);
    let next = match rows.last() {
        Some(last) if is_full => Some(image_id(last)?),
        _ => None,
    };
    Ok(Page {
        items: readable(rows, read)?,
        next,
    })
}

pub(super) fn duplicate(row: &PgRow) -> Result<Duplicate, StoreError> {
    let read = backend("read a likeness");
    let distance: i32 = row.try_get("distance").map_err(read)?;
    Ok(Duplicate {
        id: image_id(row)?,
        exact: row.try_get("exact").map_err(read)?,
        distance: distance.unsigned_abs(),
    })
}

fn image_id(row: &PgRow) -> Result<ImageId, StoreError> {
    let id = id(row)?;
    id.parse().map_err(|source| StoreError::Damaged {
        id,
        source: Box::new(source),
    })
}

/// The id in the row, whatever else it holds.
pub(super) fn id(row: &PgRow) -> Result<String, StoreError> {
    row.try_get("id").map_err(backend("read a document's id"))
}

pub(super) fn document(row: &PgRow) -> Result<ContentDocument, StoreError> {
    let id = id(row)?;
    let damaged = |source| StoreError::Damaged {
        id: id.clone(),
        source,
    };
    let Json(draft) = row
        .try_get::<Json<ContentDraft>, _>("body")
        .map_err(|source| damaged(source.into()))?;
    // Whoever pages by the ids of documents would go astray.
    if draft.id.as_str() != id {
        return Err(damaged("its body is another document's".into()));
    }
    let read = backend("read a document's columns");
    Ok(draft.into_document(
        row.try_get("revision").map_err(read)?,
        row.try_get("created_at").map_err(read)?,
        row.try_get("updated_at").map_err(read)?,
    ))
}

pub(super) fn pending(row: &PgRow) -> Result<Pending, StoreError> {
    let read = backend("read an unpublished document's columns");
    let revision = row.try_get("revision").map_err(read)?;
    let parsed = image_id(row)?;
    // The body of a tombstone does not matter any more, so it is not read.
    if row.try_get("deleted").map_err(read)? {
        return Ok(Pending::Delete(Deletion {
            id: parsed,
            revision,
        }));
    }
    match document(row) {
        Ok(document) => Ok(Pending::Put(Box::new(document))),
        Err(StoreError::Damaged { .. }) => Ok(Pending::Unreadable {
            id: parsed,
            revision,
        }),
        Err(error) => Err(error),
    }
}
