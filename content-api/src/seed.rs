//! Filling the store from an image catalogue.

use bytes::Bytes;
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
}

/// Brings the store level with the catalogue; documents that are not in the catalogue stay. To do
/// so again changes nothing.
pub async fn seed(
    store: &dyn ContentStore,
    catalogue: &Catalogue,
    now: OffsetDateTime,
) -> Result<SeedReport, StoreError> {
    let mut report = SeedReport::default();
    for entry in catalogue.entries() {
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
    }
}
