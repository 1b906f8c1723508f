//! The change feed: `GET /v1/changes`, what the warehouse reads.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{campaigns::Campaign, content::ContentDocument, ids::ImageId};

/// One thing as it is now, at the place of its last change.
///
/// A thing stands in the feed once: a further change takes it from its place to the end. Who reads
/// to the end holds the last state of everything, deletions included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Grows along the feed.
    pub position: i64,
    /// When it changed.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What it is.
    #[serde(flatten)]
    pub item: ChangedItem,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ChangedItem {
    /// A document was created or changed.
    Content {
        /// Now.
        document: Box<ContentDocument>,
    },
    /// A document was deleted or erased.
    ContentDeleted {
        /// Which.
        id: ImageId,
        /// Of the deletion.
        revision: i64,
    },
    /// A campaign was registered or changed.
    Campaign {
        /// Now.
        campaign: Box<Campaign>,
    },
    /// A campaign uses a document.
    ContentUse {
        /// Which campaign.
        campaign_id: ImageId,
        /// Which document.
        content_id: ImageId,
    },
    /// A campaign uses a document no longer.
    ContentUseDeleted {
        /// Which campaign.
        campaign_id: ImageId,
        /// Which document.
        content_id: ImageId,
    },
}

/// One page of the feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangesAnswer {
    /// In order. None when the reader is up to date.
    pub changes: Vec<Change>,
    /// What to send as `after` next time; it is kept by the reader. Also there when nothing changed.
    pub next: String,
    /// There may be more now.
    pub more: bool,
}

impl ChangesAnswer {
    /// The cursor of what comes after a position, 0 being before the first.
    pub fn cursor_after(position: i64) -> String {
        format!("p.{position}")
    }
}
