//! What the tool returns in `structuredContent`, and as text.

use std::time::Duration;

use contracts::{Language, campaigns::CampaignRequest};
use schemars::JsonSchema;
use serde::Serialize;

use super::messages;
use crate::tools::stored_text::clean;

/// Values of a list that are shown.
const MAX_SHOWN: usize = 50;

/// How far it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Nothing is written yet.
    ConfirmationRequired,
    /// It is written.
    Registered,
    /// The user said no.
    NotRegistered,
}

/// What has come of a registration.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// How far it got.
    pub(crate) status: Status,
    /// One sentence, in the answer's language.
    pub(crate) message: String,
    /// The campaign, as it is or would be registered.
    pub(crate) campaign: Shown,
    /// Pass it with the same arguments, after the user's yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) confirmation_token: Option<String>,
    /// How long the token holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    expires_in_seconds: Option<u64>,
}

/// A campaign.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    /// Names it in other calls; absent before it is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    id: Option<String>,
    name: String,
    objective: String,
    audience: Vec<String>,
    markets: Vec<String>,
    channels: Vec<String>,
    /// Amount and currency, such as `12500.00 USD`.
    budget: String,
    starts_on: String,
    ends_on: String,
    /// The first of the images it uses.
    #[schemars(length(max = 50))]
    content_ids: Vec<String>,
    /// How many images it uses.
    content_count: usize,
}

impl Answer {
    /// Without a confirmation.
    pub(crate) fn new(
        status: Status,
        campaign: &CampaignRequest,
        id: Option<&str>,
        language: Language,
    ) -> Self {
        Self {
            status,
            message: messages::of(status, language).to_owned(),
            campaign: Shown::new(campaign, id),
            confirmation_token: None,
            expires_in_seconds: None,
        }
    }

    /// Says what confirms it.
    pub(crate) fn confirm_with(&mut self, token: String, lifetime: Duration) {
        self.confirmation_token = Some(token);
        self.expires_in_seconds = Some(lifetime.as_secs());
    }
}

impl Shown {
    fn new(campaign: &CampaignRequest, id: Option<&str>) -> Self {
        let labels = |all: &[String]| {
            all.iter()
                .take(MAX_SHOWN)
                .map(|one| clean(one, 80))
                .collect()
        };
        let budget = &campaign.budget;
        Self {
            id: id.map(|id| clean(id, 80)),
            name: clean(&campaign.name, 200),
            objective: clean(&campaign.objective, 2_000),
            audience: labels(&campaign.audience),
            markets: labels(&campaign.markets),
            channels: labels(&campaign.channels),
            budget: clean(&format!("{} {}", budget.amount, budget.currency), 40),
            starts_on: clean(&campaign.starts_on, 20),
            ends_on: clean(&campaign.ends_on, 20),
            content_ids: campaign
                .content_ids
                .iter()
                .take(MAX_SHOWN)
                .map(ToString::to_string)
                .collect(),
            content_count: campaign.content_ids.len(),
        }
    }

    /// For people.
    pub(crate) fn lines(&self) -> String {
        let mut lines = String::new();
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                lines.push_str(&format!("{name}: {value}\n"));
            }
        };
        line("id", self.id.as_deref().unwrap_or_default());
        line("name", &self.name);
        line("objective", &self.objective);
        line("audience", &self.audience.join(", "));
        line("markets", &self.markets.join(", "));
        line("channels", &self.channels.join(", "));
        line("budget", &self.budget);
        line("days", &format!("{} to {}", self.starts_on, self.ends_on));
        let ids = self.content_ids.join(", ");
        line("images", &format!("{} {ids}", self.content_count));
        lines
    }
}
