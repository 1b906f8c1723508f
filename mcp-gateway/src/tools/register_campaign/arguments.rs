//! What the tool takes.

use contracts::{
    ImageId,
    campaigns::{Budget, CampaignRequest, CampaignStatus},
    limits::{MAX_CAMPAIGN_CONTENTS, MAX_IDEMPOTENCY_KEY_BYTES},
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tools::{
    arguments::{TextLanguage, complaint, parse},
    refusal::Refusal,
};

const USAGE: &str = "register_campaign takes: name, objective, audience (such as families), markets \
    (ISO 3166-1 codes such as CR), channels (such as email), budget ({amount: \"12500.00\", currency: \
    \"USD\"}), starts_on and ends_on (days such as 2027-01-31), content_ids (ids of images, from \
    getContent), idempotency_key (1 to 128 visible ASCII characters of your own), language (es or en), \
    confirmation_token (from the first call).";

/// Arguments of register_campaign.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arguments {
    /// What it is called.
    #[schemars(length(min = 1, max = 200))]
    name: String,
    /// What it is to achieve.
    #[schemars(length(min = 1, max = 2000))]
    objective: String,
    /// Whom it speaks to, such as `families`.
    #[serde(default)]
    audience: Vec<String>,
    /// Where it runs: ISO 3166-1 alpha-2 codes, one at least.
    #[schemars(length(min = 1))]
    markets: Vec<String>,
    /// Where it is shown, such as `email`; one at least.
    #[schemars(length(min = 1))]
    channels: Vec<String>,
    /// For the whole campaign.
    budget: Money,
    /// First day, ISO 8601.
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    starts_on: String,
    /// Last day, ISO 8601.
    #[schemars(regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    ends_on: String,
    /// Images that it uses, by the ids that getContent gives.
    #[serde(default)]
    #[schemars(length(max = 500))]
    content_ids: Vec<String>,
    /// A value of your own for this campaign, such as a UUID; the same one in every call for it. It is
    /// remembered for a day.
    #[schemars(length(min = 1, max = 128))]
    pub(crate) idempotency_key: String,
    /// Of the summary; English when absent.
    #[serde(default)]
    #[schemars(with = "TextLanguage")]
    pub(crate) language: Option<TextLanguage>,
    /// From the first call, after the user's yes.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(crate) confirmation_token: Option<String>,
}

/// An amount of money.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Money {
    /// A decimal number as text, such as "12500.00".
    #[schemars(regex(pattern = r"^[0-9]{1,12}([.][0-9]{1,2})?$"))]
    amount: String,
    /// ISO 4217.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    currency: String,
}

impl Arguments {
    /// Reads shapes. What a campaign must be, content-api knows, and says before anything is written.
    pub(crate) fn parse(arguments: JsonObject) -> Result<Self, Refusal> {
        let parsed: Self = parse(arguments, USAGE)?;
        let key = parsed.idempotency_key.as_bytes();
        let is_key = (1..=MAX_IDEMPOTENCY_KEY_BYTES).contains(&key.len())
            && key.iter().all(u8::is_ascii_graphic);
        if !is_key {
            let what = format!(
                "idempotency_key: expected 1 to {MAX_IDEMPOTENCY_KEY_BYTES} visible ASCII characters, \
                 such as a UUID"
            );
            return Err(complaint(&what, USAGE));
        }
        if parsed.content_ids.len() > MAX_CAMPAIGN_CONTENTS {
            let what = format!(
                "content_ids: {} given, expected at most {MAX_CAMPAIGN_CONTENTS}",
                parsed.content_ids.len()
            );
            return Err(complaint(&what, USAGE));
        }
        Ok(parsed)
    }

    /// As content-api takes it.
    pub(crate) fn campaign(&self) -> Result<CampaignRequest, Refusal> {
        let ids = self.content_ids.iter().enumerate().map(|(place, id)| {
            id.parse::<ImageId>().map_err(|_| {
                let what = format!("content_ids[{place}]: '{id}' is no id of an image");
                complaint(&what, USAGE)
            })
        });
        Ok(CampaignRequest {
            id: None,
            name: self.name.clone(),
            objective: self.objective.clone(),
            status: CampaignStatus::Planned,
            audience: self.audience.clone(),
            markets: self.markets.clone(),
            channels: self.channels.clone(),
            budget: Budget {
                amount: self.budget.amount.clone(),
                currency: self.budget.currency.clone(),
            },
            starts_on: self.starts_on.clone(),
            ends_on: self.ends_on.clone(),
            content_ids: ids.collect::<Result<_, _>>()?,
        })
    }
}
