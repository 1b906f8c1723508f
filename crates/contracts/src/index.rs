//! Writing the indexes: the embedder's documents, status and reconcile endpoints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    content::{Orientation, Status},
    ids::{ContentHash, ImageId, ModelId},
    language::Language,
};

/// What the indexes hold of a content document: the texts to search, the facets to filter by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexDocument {
    /// Which document.
    pub id: ImageId,
    /// The content store's revision; an older one never replaces a newer one.
    pub revision: i64,
    /// The texts to search, per language.
    pub text: BTreeMap<Language, SearchText>,
    /// What filters look at.
    pub facets: Facets,
}

impl IndexDocument {
    /// The same for the same document, whatever the revision: a rewrite that changed nothing to
    /// search by costs nothing.
    pub fn content_hash(&self) -> ContentHash {
        // Field order is fixed by the types and maps are sorted, so this JSON is canonical.
        let canonical = serde_json::to_vec(&(&self.id, &self.text, &self.facets))
            .expect("plain data always serialises");
        ContentHash::of(canonical)
    }
}

/// What is written about a document in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchText {
    /// Short.
    pub title: String,
    /// The main text.
    pub description: String,
    /// Each begins with `#`.
    pub hashtags: Vec<String>,
    /// Further words to be found by, such as occasions that the text does not name.
    #[serde(default)]
    pub keywords: Vec<String>,
}

/// The part of a document that filters look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Facets {
    /// Only approved documents are found by default.
    pub status: Status,
    /// Subjects.
    pub themes: Vec<String>,
    /// Kinds of campaign.
    pub campaign_themes: Vec<String>,
    /// Channels.
    pub channels: Vec<String>,
    /// Audiences.
    pub audience: Vec<String>,
    /// Which way the picture lies.
    pub orientation: Orientation,
    /// ISO 3166-1 alpha-2 codes, or `*`.
    pub territories: Vec<String>,
    /// First day of use, ISO 8601.
    pub usable_from: String,
    /// Last day of use, ISO 8601.
    #[serde(default)]
    pub usable_until: Option<String>,
}

/// `PUT /v1/documents`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDocuments {
    /// 1 to 256 of them.
    pub documents: Vec<IndexDocument>,
}

/// What a push did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PutDocumentsAnswer {
    /// Embedded and written.
    pub written: u32,
    /// Already there with the same content.
    pub unchanged: u32,
    /// The indexes' generation now.
    pub generation: i64,
    /// Not written: an index holds another content, or the deletion, under an equal or higher
    /// revision, as it does when the content store was restored from a backup. To be sent again
    /// under a revision above the one named here.
    #[serde(default)]
    pub ahead: Vec<HeldRevision>,
}

/// Under which revision the indexes hold a document, or its deletion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldRevision {
    /// Which document.
    pub id: ImageId,
    /// The highest that an index holds.
    pub revision: i64,
}

/// `DELETE /v1/documents`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteDocuments {
    /// 1 to 256 of them; unknown ones are no error.
    pub documents: Vec<Deletion>,
}

/// One document to delete. What stays is a tombstone, so that an index that missed the deletion can
/// learn of it later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// Which document.
    pub id: ImageId,
    /// The content store's revision of the deletion; an older write never undoes it.
    pub revision: i64,
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeleteDocumentsAnswer {
    /// Documents that were there.
    pub deleted: u32,
    /// The indexes' generation now.
    pub generation: i64,
    /// Not deleted: an index holds the document under a higher revision. To be sent again under a
    /// revision above the one named here.
    #[serde(default)]
    pub ahead: Vec<HeldRevision>,
}

/// `GET /v1/index/generation`: the part of the status that costs nothing to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndexGenerationAnswer {
    /// The model whose vectors the indexes hold.
    pub model: ModelId,
    /// Grows with every write.
    pub generation: i64,
}

/// `GET /v1/index/documents`: one page of what the indexes hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldDocumentsAnswer {
    /// In ascending byte order of their ids, deletions left out; none after the last one.
    pub documents: Vec<HeldDocument>,
}

/// A document as the indexes know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldDocument {
    /// Which document.
    pub id: ImageId,
    /// The highest that an index holds.
    pub revision: i64,
    /// Of [`IndexDocument::content_hash`].
    pub content_hash: ContentHash,
}

/// `GET /v1/index/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IndexStatusAnswer {
    /// The model whose vectors the indexes hold.
    pub model: ModelId,
    /// Numbers in one vector.
    pub dimensions: u32,
    /// Grows with every write.
    pub generation: i64,
    /// One entry per engine, the primary first.
    pub indexes: Vec<EngineStatus>,
}

/// How one engine stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EngineStatus {
    /// `qdrant-edge`, `qdrant` or `pgvector`.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// The model whose vectors it holds.
    pub model: ModelId,
    /// How many it holds.
    pub documents: u64,
    /// SHA-256 over the sorted (id, content hash) pairs: equal manifests hold equal documents.
    pub manifest_sha256: String,
    /// Answering, as far as is known.
    pub ready: bool,
    /// Why not, when not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// [`EngineStatus::manifest_sha256`], for both who computes and who compares it: SHA-256 over the
/// lines `<id> <content hash>\n`.
#[derive(Clone, Debug, Default)]
pub struct ManifestDigest(Sha256);

impl ManifestDigest {
    /// Adds a document. They are to come in ascending order of their ids, deleted ones left out.
    pub fn add(&mut self, id: &ImageId, content_hash: &ContentHash) {
        self.0.update(format!("{id} {content_hash}\n"));
    }

    /// The digest, 64 hexadecimal digits.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// `POST /v1/index/reconcile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReconcileAnswer {
    /// One entry per engine.
    pub engines: Vec<Repair>,
}

/// What was mended in one engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Repair {
    /// Which engine.
    pub engine: String,
    /// Documents that it lacked.
    pub missing: u32,
    /// Documents that it held in an older version.
    pub stale: u32,
    /// Documents that it should not have held.
    pub extra: u32,
}

impl Repair {
    /// Nothing to mend in this engine.
    pub fn none(engine: &str) -> Self {
        Self {
            engine: engine.to_owned(),
            missing: 0,
            stale: 0,
            extra: 0,
        }
    }

    /// Was anything mended?
    pub fn did_something(&self) -> bool {
        self.missing + self.stale + self.extra > 0
    }
}
