//! The port to campaigns and their log.

use async_trait::async_trait;
use contracts::{
    ImageId,
    campaigns::{Budget, Campaign, CampaignEvent, CampaignStatus, LogEntry},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Page, Stamp, StoreError, Write};

/// What a writer says about a campaign; revision and times are the store's to add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignDraft {
    /// Slug, unique among campaigns.
    pub id: ImageId,
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
    /// First day, ISO 8601.
    pub starts_on: String,
    /// Last day, ISO 8601.
    pub ends_on: String,
    /// Documents that it uses: sorted, each once.
    pub content_ids: Vec<ImageId>,
}

impl CampaignDraft {
    /// The campaign as stored.
    pub fn into_campaign(
        self,
        revision: i64,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    ) -> Campaign {
        Campaign {
            id: self.id,
            revision,
            name: self.name,
            objective: self.objective,
            status: self.status,
            audience: self.audience,
            markets: self.markets,
            channels: self.channels,
            budget: self.budget,
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            content_ids: self.content_ids,
            created_at,
            updated_at,
        }
    }
}

/// Keeps campaigns, and what happened to them.
#[async_trait]
pub trait CampaignStore: Send + Sync {
    /// Inserts together with the entries of its log, unless there is one with the id: then
    /// [`Write::Conflict`], or [`Write::Repeated`] when `request` has inserted that one before.
    async fn register(
        &self,
        draft: &CampaignDraft,
        request: &str,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError>;

    /// Replaces together with the entries of its log, if it has the revision `expected`.
    async fn change(
        &self,
        draft: &CampaignDraft,
        expected: i64,
        events: &[CampaignEvent],
        stamp: &Stamp,
    ) -> Result<Write, StoreError>;

    /// The campaign of that id.
    async fn campaign(&self, id: &ImageId) -> Result<Option<Campaign>, StoreError>;

    /// Up to `limit` campaigns in that state, or in any, with ids after `after`, in ascending byte
    /// order of their ids.
    async fn campaigns(
        &self,
        status: Option<CampaignStatus>,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Page<Campaign>, StoreError>;

    /// Up to `limit` entries of its log after the position `after`, from `since` on, oldest first.
    /// An entry never appears before one that was read already.
    async fn log(
        &self,
        id: &ImageId,
        after: i64,
        since: OffsetDateTime,
        limit: u32,
    ) -> Result<Vec<LogEntry>, StoreError>;

    /// Drops the entries of all logs from before `before`, and says how many.
    async fn purge_log(&self, before: OffsetDateTime) -> Result<u64, StoreError>;
}
