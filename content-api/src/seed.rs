//! Filling the store from an image catalogue.

use bytes::Bytes;
use contracts::content::Origin;
use images::{Catalogue, CatalogueEntry};
use time::OffsetDateTime;

use crate::store::{Change, ContentDraft, ContentStore, ImageFile, StoreError};

/// What seeding did, in documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// New ones.
    pub inserted: u32,
    /// Changed ones.
    pub updated: u32,
    /// Those that were there already.
    pub unchanged: u32,
    /// Those that somebody changed or deleted over the API: they stay as they are.
    pub kept: u32,
}

/// Brings the store level with the catalogue; documents that are not in the catalogue, and those that
/// callers of the API have changed or deleted, stay. To do so again changes nothing.
pub async fn seed(
    store: &dyn ContentStore,
    catalogue: &Catalogue,
    now: OffsetDateTime,
) -> Result<SeedReport, StoreError> {
    let mut report = SeedReport::default();
    for entry in catalogue.entries() {
        if is_left_alone(store, entry).await? {
            report.kept += 1;
            continue;
        }
        // The file first: a document never names a file that is not there.
        if !store.has_image(&entry.facts.sha256).await? {
            store.put_image(&image_file(entry)).await?;
        }
        match store.put(&draft(entry), now).await?.change {
            Change::Inserted => report.inserted += 1,
            Change::Updated => report.updated += 1,
            Change::Unchanged => report.unchanged += 1,
        }
    }
    Ok(report)
}

async fn is_left_alone(
    store: &dyn ContentStore,
    entry: &CatalogueEntry,
) -> Result<bool, StoreError> {
    let id = std::slice::from_ref(&entry.id);
    match store.get(id).await {
        // It is mended by being written anew.
        Err(StoreError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error),
        Ok(found) => match found.first() {
            Some(document) => Ok(document.origin == Origin::Api),
            None => Ok(!store.known(id).await?.is_empty()),
        },
    }
}

fn image_file(entry: &CatalogueEntry) -> ImageFile {
    ImageFile {
        sha256: entry.facts.sha256.clone(),
        media_type: entry.facts.media_type.clone(),
        bytes: Bytes::copy_from_slice(&entry.image.bytes),
    }
}

/// An entry of the catalogue as the content API stores it.
pub fn draft(entry: &CatalogueEntry) -> ContentDraft {
    ContentDraft {
        id: entry.id.clone(),
        status: entry.status,
        text: entry.text.clone(),
        themes: entry.themes.clone(),
        campaign_themes: entry.campaign_themes.clone(),
        channels: entry.channels.clone(),
        audience: entry.audience.clone(),
        rights: entry.rights.clone(),
        image: entry.facts.clone(),
        origin: Origin::Catalogue,
        former_images: Vec::new(),
    }
}
