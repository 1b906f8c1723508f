//! Writing content over the API: `POST /v1/content` and what follows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    content::{ContentDocument, LocalisedText, Rights},
    ids::ImageId,
    language::Language,
    search::Filters,
};

/// What a person says about an image; the rest is read from the file.
///
/// The part `metadata` of `POST /v1/content`, and what `PATCH /v1/content/{id}` merges into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentMetadata {
    /// Wanted as the document's id; made from a title when absent. Fixed once stored. Deleted and
    /// erased documents leave their id behind, so it should name no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ImageId>,
    /// Title, description, alternative text and hashtags, in one language at least.
    pub text: BTreeMap<Language, LocalisedText>,
    /// Subjects, such as `sport`.
    #[serde(default)]
    pub themes: Vec<String>,
    /// Kinds of campaign that it fits, such as `back-to-school`.
    #[serde(default)]
    pub campaign_themes: Vec<String>,
    /// Channels that it fits, such as `email`.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Whom it speaks to, such as `families`.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Who may use it, where and until when.
    pub rights: Rights,
}

/// A document after a new image came, and what looks like it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoredContent {
    /// As stored.
    pub document: ContentDocument,
    /// Other documents with the same or nearly the same picture, the nearest first, at most ten.
    /// They are no reason to refuse it.
    pub duplicates: Vec<Duplicate>,
}

/// Another document with the same or nearly the same picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Duplicate {
    /// Which document.
    pub id: ImageId,
    /// The files are the same, byte for byte.
    pub exact: bool,
    /// Bits in which the perceptual hashes differ, of 64; pairs up to 6 are reported.
    pub distance: u32,
}

/// `GET /v1/content`: one page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentPage {
    /// In ascending byte order of their ids.
    pub documents: Vec<ContentDocument>,
    /// `cursor` of the next page; absent after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /v1/content/{id}/similar`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SimilarRequest {
    /// Most results, 1 to 100; 10 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    pub limit: Option<i64>,
    /// Language of the answer's texts; the document's first one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Conditions that every result fulfils.
    pub filters: Filters,
    /// Least score of every result, 0 to 1; without it the calibrated floor holds for the best one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub min_score: Option<f32>,
}

/// What an erasure removed, where, and what is known of the rest. It holds no content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erasure {
    /// Which document.
    pub id: ImageId,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The subject of the token that asked for it.
    pub by: String,
    /// What happened.
    pub stage: ErasureStage,
}

/// One step of an erasure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum ErasureStage {
    /// Gone from the content store: what was removed there.
    Store(ErasedFromStore),
    /// Gone from every search index, and from what this service keeps in memory.
    IndexesAndCaches(ErasedElsewhere),
}

/// What the content store removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedFromStore {
    /// The revision of the deletion that stays behind, with the id and without content.
    pub revision: i64,
    /// The document itself: 0 when it was deleted already and had no content left.
    pub documents: u64,
    /// Image files, former ones included; those that other documents use stay.
    pub image_files: u64,
    /// Links from campaigns.
    pub campaign_links: u64,
    /// Entries of campaigns' logs that named it.
    pub log_entries: u64,
    /// Answers kept for repeated requests.
    pub kept_answers: u64,
}

/// What left the indexes and caches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedElsewhere {
    /// The revision of the deletion that the search service has taken: durable in one index at
    /// least. One that was away then learns of it from the other when it is back.
    pub revision: i64,
    /// Renditions dropped from this service's memory.
    pub renditions: u64,
    /// No cached answer is found any more since the deletion. Those that lie elsewhere, in Redis or
    /// in another replica's memory, are gone by then.
    #[serde(with = "time::serde::rfc3339")]
    pub cached_answers_gone_by: OffsetDateTime,
}

/// An erasure in the ledger. Each names the hash of the one before, so that none can be changed or
/// left out unnoticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureRecord {
    /// 1 for the first, then without a gap.
    pub sequence: i64,
    /// What happened.
    pub erasure: Erasure,
    /// `hash` of the record before; 64 zeros for the first.
    pub previous: String,
    /// SHA-256, in hexadecimal, of the JSON text `[sequence, erasure, previous]` without white space
    /// and with fields in the order of this document.
    pub hash: String,
}

impl ErasureRecord {
    /// `previous` of the first one.
    pub const NO_PREVIOUS: &str =
        "0000000000000000000000000000000000000000000000000000000000000000";

    /// Seals an erasure as the one after `last`.
    pub fn after(last: Option<&Self>, erasure: Erasure) -> Self {
        let (sequence, previous) = last.map_or_else(
            || (1, Self::NO_PREVIOUS.to_owned()),
            |last| (last.sequence + 1, last.hash.clone()),
        );
        let hash = Self::hash(sequence, &erasure, &previous);
        Self {
            sequence,
            erasure,
            previous,
            hash,
        }
    }

    /// Does it follow `last`, and is it as it was sealed?
    pub fn follows(&self, last: Option<&Self>) -> bool {
        *self == Self::after(last, self.erasure.clone())
    }

    fn hash(sequence: i64, erasure: &Erasure, previous: &str) -> String {
        let canonical = serde_json::to_vec(&(sequence, erasure, previous))
            .expect("plain data always serialises");
        crate::ids::ContentHash::of(canonical).as_str().to_owned()
    }
}

/// `DELETE /v1/content/{id}?erase=true`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureAnswer {
    /// Gone everywhere. When not, the search service was not reached in time: send the request again.
    pub complete: bool,
    /// The records, oldest first.
    pub records: Vec<ErasureRecord>,
}

/// `GET /v1/erasures`: one page of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasurePage {
    /// In order.
    pub records: Vec<ErasureRecord>,
    /// `cursor` of the next page; absent after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
