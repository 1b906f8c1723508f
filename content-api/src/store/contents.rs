//! The port to documents, their image files and what is still to be published.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use contracts::{
    ContentDocument, ImageFacts, ImageId, Language, LocalisedText, Rights,
    campaigns::CampaignEvent,
    content::{Origin, Status},
    index::Deletion,
    lifecycle::Duplicate,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Stamp, StoreError, Write};

/// What a writer says about a document; revision and times are the store's to add.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentDraft {
    /// Slug, unique in the store.
    pub id: ImageId,
    /// Where it stands in its life.
    pub status: Status,
    /// Title, description, alternative text and hashtags, per language.
    pub text: BTreeMap<Language, LocalisedText>,
    /// Subjects.
    pub themes: Vec<String>,
    /// Kinds of campaign that it fits.
    pub campaign_themes: Vec<String>,
    /// Channels that it fits.
    pub channels: Vec<String>,
    /// Whom it speaks to.
    pub audience: Vec<String>,
    /// Who may use it, where and until when.
    pub rights: Rights,
    /// Facts read from the image file; its bytes are stored by their hash.
    pub image: ImageFacts,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "is_catalogue")]
    pub origin: Origin,
    /// Facts of the image files that it had before, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_images: Vec<ImageFacts>,
}

fn is_catalogue(origin: &Origin) -> bool {
    *origin == Origin::Catalogue
}

impl From<ContentDocument> for ContentDraft {
    fn from(document: ContentDocument) -> Self {
        Self {
            id: document.id,
            status: document.status,
            text: document.text,
            themes: document.themes,
            campaign_themes: document.campaign_themes,
            channels: document.channels,
            audience: document.audience,
            rights: document.rights,
            image: document.image,
            origin: document.origin,
            former_images: document.former_images,
        }
    }
}

impl ContentDraft {
    /// The document as stored.
    pub fn into_document(
        self,
        revision: i64,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    ) -> ContentDocument {
        let missing = |language: &Language| !self.text.contains_key(language);
        ContentDocument {
            id: self.id,
            revision,
            status: self.status,
            origin: self.origin,
            missing_languages: Language::ALL.into_iter().filter(missing).collect(),
            text: self.text,
            themes: self.themes,
            campaign_themes: self.campaign_themes,
            channels: self.channels,
            audience: self.audience,
            rights: self.rights,
            image: self.image,
            former_images: self.former_images,
            created_at,
            updated_at,
        }
    }
}

/// An image file, known by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// Of the bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// `image/webp`, `image/png` or `image/jpeg`.
    pub media_type: String,
    /// The file.
    pub bytes: Bytes,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PutOutcome {
    /// The document's revision now.
    pub revision: i64,
    /// What happened to it.
    pub change: Change,
}

/// What a write did to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There had never been one.
    Inserted,
    /// There was another one, or a tombstone.
    Updated,
    /// There was an equal one.
    Unchanged,
}

/// A change that the search indexes are not known to hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// A document to put.
    Put(Box<ContentDocument>),
    /// A document to delete.
    Delete(Deletion),
    /// A document that is stored in no form that this version can read; it is not to be sent.
    Unreadable {
        /// Which document.
        id: ImageId,
        /// The revision that cannot be read.
        revision: i64,
    },
}

impl Pending {
    /// Which document.
    pub fn id(&self) -> &ImageId {
        match self {
            Self::Put(document) => &document.id,
            Self::Delete(deletion) => &deletion.id,
            Self::Unreadable { id, .. } => id,
        }
    }

    /// The revision to acknowledge.
    pub fn revision(&self) -> i64 {
        match self {
            Self::Put(document) => document.revision,
            Self::Delete(deletion) => deletion.revision,
            Self::Unreadable { revision, .. } => *revision,
        }
    }
}

/// Conditions on documents; each that is absent is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Browse {
    /// In this state.
    pub status: Option<Status>,
    /// With this hashtag in any language, whatever the case of its letters.
    pub hashtag: Option<String>,
    /// Fit for this channel.
    pub channel: Option<String>,
    /// Changed at this time or later.
    pub changed_since: Option<OffsetDateTime>,
}

/// Some of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<ImageId>,
}

/// Keeps the documents.
#[async_trait]
pub trait ContentStore: Send + Sync {
    /// The live documents among `ids`, in any order; unknown and deleted ones are left out.
    async fn get(&self, ids: &[ImageId]) -> Result<Vec<ContentDocument>, StoreError>;

    /// Up to `limit` live documents with ids after `after`, in ascending byte order of their ids.
    /// Fewer may come while more follow; none come after the last one.
    async fn list(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<ContentDocument>, StoreError>;

    /// Inserts or replaces; an equal document is left as it is, revision included.
    async fn put(
        &self,
        draft: &ContentDraft,
        now: OffsetDateTime,
    ) -> Result<PutOutcome, StoreError>;

    /// Inserts, unless a live document has the id: then [`Write::Conflict`], or [`Write::Repeated`]
    /// when `request` has created that document before. A deleted one gives its id back; an erased one
    /// to any other request than the one that created it, which is told [`Write::Erased`] for ever.
    async fn create(
        &self,
        draft: &ContentDraft,
        request: &str,
        stamp: &Stamp,
    ) -> Result<Write, StoreError>;

    /// Replaces the live document if it has the revision `expected`. `events` are written to the
    /// log of each campaign that uses it.
    async fn replace(
        &self,
        draft: &ContentDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError>;

    /// Leaves a tombstone, if the live document has the revision `expected` or that is `None`; the log
    /// of each campaign that uses it says so. The tombstone keeps the document's last state; see
    /// [`super::ErasureLedger::erase`].
    async fn delete(
        &self,
        id: &ImageId,
        expected: Option<i64>,
        stamp: &Stamp,
    ) -> Result<Write, StoreError>;

    /// Up to `limit` live documents that are as `wanted` with ids after `after`, in ascending byte
    /// order of their ids.
    async fn browse(
        &self,
        wanted: &Browse,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Page<ContentDocument>, StoreError>;

    /// Up to `limit` live documents whose image is the same file, or differs in at most `within`
    /// bits of its perceptual hash; the same file first, then the nearest, then by id.
    async fn alike(
        &self,
        image: &ImageFacts,
        within: u32,
        limit: u32,
    ) -> Result<Vec<Duplicate>, StoreError>;

    /// Up to `limit` unacknowledged changes of ids after `after`, in ascending order of their ids.
    async fn pending(
        &self,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<Pending>, StoreError>;

    /// How many changes are unacknowledged.
    async fn unpublished(&self) -> Result<u64, StoreError>;

    /// Records that the indexes hold these revisions. An older one than is recorded, one of a
    /// revision that never was, and an unknown id are passed over.
    async fn acknowledge(&self, accepted: &[(ImageId, i64)]) -> Result<(), StoreError>;

    /// Lifts documents and tombstones to one above a revision that the indexes hold already, and so
    /// makes them pending; those above it are left as they are. Each is a change in the feed. Says how many were lifted.
    async fn raise_revision(&self, held: &[(ImageId, i64)]) -> Result<u64, StoreError>;

    /// Those among `ids` that it knows anything of: tombstones and unreadable ones too.
    async fn known(&self, ids: &[ImageId]) -> Result<Vec<ImageId>, StoreError>;

    /// Makes every document and tombstone pending again, and says how many were not before.
    async fn unacknowledge_all(&self) -> Result<u64, StoreError>;

    /// Keeps an image file; a repeated one is no error. Write it before the document that names it.
    async fn put_image(&self, image: &ImageFile) -> Result<(), StoreError>;

    /// Is the image file there?
    async fn has_image(&self, sha256: &str) -> Result<bool, StoreError>;

    /// An image file by its hash.
    async fn image(&self, sha256: &str) -> Result<Option<ImageFile>, StoreError>;

    /// How many live documents there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Grows with every change to a document, in the order in which readers see the changes.
    async fn contents_version(&self) -> Result<i64, StoreError>;
}
