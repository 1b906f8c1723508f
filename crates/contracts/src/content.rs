//! The content document: one image with everything known about it, as one aggregate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{ids::ImageId, language::Language};

/// A content document as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContentDocument {
    /// Slug, unique in the catalogue.
    pub id: ImageId,
    /// Grows by one at every change.
    pub revision: i64,
    /// Where it stands in its life.
    pub status: Status,
    /// Who wrote it last.
    #[serde(default)]
    pub origin: Origin,
    /// Title, description, alternative text and hashtags, per language.
    pub text: BTreeMap<Language, LocalisedText>,
    /// Languages that it has no text in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_languages: Vec<Language>,
    /// Subjects, such as `sport`.
    pub themes: Vec<String>,
    /// Kinds of campaign that it fits, such as `back-to-school`.
    pub campaign_themes: Vec<String>,
    /// Channels that it fits, such as `email`.
    pub channels: Vec<String>,
    /// Whom it speaks to, such as `families`.
    pub audience: Vec<String>,
    /// Who may use it, where and until when.
    pub rights: Rights,
    /// Facts read from the image file.
    pub image: ImageFacts,
    /// Facts of the image files that it had before, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former_images: Vec<ImageFacts>,
    /// When it was first stored.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// Who wrote a document last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The catalogue that PromptSales ships with; a newer catalogue may change it.
    #[default]
    Catalogue,
    /// A caller of the API: the catalogue leaves it alone from then on.
    Api,
}

/// Life of a document: only approved ones are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In work.
    Draft,
    /// Free to be found and used.
    Approved,
    /// No longer to be used.
    Retired,
}

impl Status {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Retired => "retired",
        }
    }
}

/// Which way the picture lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Wider than high.
    Landscape,
    /// Higher than wide.
    Portrait,
    /// As wide as high.
    Square,
}

impl Orientation {
    /// Of a picture of this many pixels.
    pub fn of(width: u32, height: u32) -> Self {
        match width.cmp(&height) {
            std::cmp::Ordering::Greater => Self::Landscape,
            std::cmp::Ordering::Less => Self::Portrait,
            std::cmp::Ordering::Equal => Self::Square,
        }
    }

    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Landscape => "landscape",
            Self::Portrait => "portrait",
            Self::Square => "square",
        }
    }
}

/// What is written about an image in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalisedText {
    /// 3 to 8 words.
    pub title: String,
    /// What is seen, and the mood; 20 to 45 words.
    pub description: String,
    /// For a screen reader.
    pub alt: String,
    /// Each begins with `#`.
    pub hashtags: Vec<String>,
}

/// Usage rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rights {
    /// SPDX identifier where there is one.
    pub licence: String,
    /// Whose work it is.
    pub holder: String,
    /// First day of use, ISO 8601.
    #[schema(format = Date)]
    pub from: String,
    /// Last day of use, ISO 8601; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub until: Option<String>,
    /// ISO 3166-1 alpha-2 codes, or `*` for everywhere.
    pub territories: Vec<String>,
}

/// Facts read from an image file, never typed in by hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImageFacts {
    /// `image/webp`, `image/png` or `image/jpeg`.
    pub media_type: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// File size.
    pub bytes: u64,
    /// Of the file, in hexadecimal.
    pub sha256: String,
    /// From width and height.
    pub orientation: Orientation,
    /// Up to five dominant colours as `#rrggbb`, most common first.
    pub palette: Vec<String>,
    /// Gradient hash of 64 bits in hexadecimal: alike pictures differ in few bits.
    pub perceptual_hash: String,
    /// A placeholder to paint while the picture loads.
    pub blurhash: String,
}

/// One size and format in which an image can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rendition {
    /// Absolute, and immutable: it carries the file's hash.
    pub url: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `image/webp`, `image/png` or `image/jpeg`.
    pub media_type: String,
}
