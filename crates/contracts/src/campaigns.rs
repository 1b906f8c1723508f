//! Campaigns: registering them, changing them, and their log.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{content::Status, ids::ImageId};

/// `POST /v1/campaigns`, and what `PATCH /v1/campaigns/{id}` merges into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRequest {
    /// Wanted as the campaign's id, a slug; made from the name when absent. Fixed once stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ImageId>,
    /// 1 to 200 characters.
    pub name: String,
    /// What it is to achieve; 1 to 2,000 characters.
    pub objective: String,
    /// Where it stands; `planned` when absent.
    #[serde(default)]
    pub status: CampaignStatus,
    /// Whom it speaks to, such as `families`.
    #[serde(default)]
    pub audience: Vec<String>,
    /// Where it runs: ISO 3166-1 alpha-2 codes, one at least.
    pub markets: Vec<String>,
    /// Where it is shown, such as `email`; one at least.
    pub channels: Vec<String>,
    /// For the whole campaign.
    pub budget: Budget,
    /// First day, ISO 8601.
    #[schema(format = Date)]
    pub starts_on: String,
    /// Last day, ISO 8601.
    #[schema(format = Date)]
    pub ends_on: String,
    /// Documents that it uses. Each must exist and not be retired when it is attached.
    #[serde(default)]
    pub content_ids: Vec<ImageId>,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// A decimal number as text, so that no digit is lost: up to 12 digits, a point and two.
    #[schema(pattern = "^[0-9]{1,12}([.][0-9]{1,2})?$", example = "12500.00")]
    pub amount: String,
    /// ISO 4217.
    #[schema(pattern = "^[A-Z]{3}$", example = "USD")]
    pub currency: String,
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CampaignStatus {
    /// Not begun.
    #[default]
    Planned,
    /// Running.
    Active,
    /// Interrupted.
    Paused,
    /// Run to its end.
    Finished,
    /// Given up.
    Cancelled,
}

impl CampaignStatus {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// May it go from here to there? What is finished or cancelled stays so.
    pub fn may_become(self, next: Self) -> bool {
        self == next
            || match self {
                Self::Planned => !matches!(next, Self::Finished),
                Self::Active | Self::Paused => !matches!(next, Self::Planned),
                Self::Finished | Self::Cancelled => false,
            }
    }
}

/// A campaign as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Campaign {
    /// Slug, unique among campaigns.
    pub id: ImageId,
    /// Grows by one at every change.
    pub revision: i64,
    /// What it is called.
    pub name: String,
    /// What it is to achieve.
    pub objective: String,
    /// Where it stands.
    pub status: CampaignStatus,
    /// Whom it speaks to.
    pub audience: Vec<String>,
    /// Where it runs.
    pub markets: Vec<String>,
    /// Where it is shown.
    pub channels: Vec<String>,
    /// For the whole campaign.
    pub budget: Budget,
    /// First day.
    #[schema(format = Date)]
    pub starts_on: String,
    /// Last day.
    #[schema(format = Date)]
    pub ends_on: String,
    /// Documents that it uses, in ascending order.
    pub content_ids: Vec<ImageId>,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// `GET /v1/campaigns`: one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignPage {
    /// In ascending byte order of their ids.
    pub campaigns: Vec<Campaign>,
    /// `cursor` of the next page; absent after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What happened to a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum CampaignEvent {
    /// It was registered.
    Registered,
    /// Something other than status and documents changed.
    Changed {
        /// Names of the fields.
        fields: Vec<String>,
    },
    /// Its status changed.
    StatusChanged {
        /// Before.
        from: CampaignStatus,
        /// Since then.
        to: CampaignStatus,
    },
    /// It uses a document from now on.
    ContentAttached {
        /// Which.
        content_id: ImageId,
    },
    /// It uses a document no longer.
    ContentDetached {
        /// Which.
        content_id: ImageId,
    },
    /// The status of a document that it uses changed.
    ContentStatusChanged {
        /// Which.
        content_id: ImageId,
        /// Since then.
        to: Status,
    },
    /// A document that it uses shows another picture.
    ContentImageReplaced {
        /// Which.
        content_id: ImageId,
    },
    /// A document that it uses was deleted.
    ContentDeleted {
        /// Which.
        content_id: ImageId,
    },
    /// A document that it used was erased, and with it every entry that named it.
    ContentErased,
}

impl CampaignEvent {
    /// The document that it names.
    pub fn content_id(&self) -> Option<&ImageId> {
        match self {
            Self::ContentAttached { content_id }
            | Self::ContentDetached { content_id }
            | Self::ContentStatusChanged { content_id, .. }
            | Self::ContentImageReplaced { content_id }
            | Self::ContentDeleted { content_id } => Some(content_id),
            Self::Registered
            | Self::Changed { .. }
            | Self::StatusChanged { .. }
            | Self::ContentErased => None,
        }
    }
}

/// One line of a campaign's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// Grows from line to line, not without gaps.
    pub position: i64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The subject of the token that did it.
    pub by: String,
    /// What happened.
    #[serde(flatten)]
    pub event: CampaignEvent,
}

/// `GET /v1/campaigns/{id}/log`: one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// Oldest first; none older than 90 days.
    pub entries: Vec<LogEntry>,
    /// `cursor` of the next page; absent after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
