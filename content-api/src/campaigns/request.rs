//! What a caller says about a campaign: bounds, vocabulary and form, every fault at once.

use contracts::{
    ImageId,
    campaigns::{Budget, Campaign, CampaignRequest},
    limits::{MAX_CAMPAIGN_CONTENTS, MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS},
};
use images::vocabulary;
use service_kit::ProblemResponse;

use crate::{
    lifecycle::{Faults, check_channels, check_day, check_labels, check_territories, check_text},
    store::CampaignDraft,
};

/// Checks all of it.
pub(super) fn check(request: &CampaignRequest) -> Result<(), ProblemResponse> {
    let mut faults = Faults::default();
    check_text(&mut faults, "name", &request.name, MAX_TITLE_CHARS);
    check_text(
        &mut faults,
        "objective",
        &request.objective,
        MAX_DESCRIPTION_CHARS,
    );
    let audiences = vocabulary::AUDIENCES;
    check_labels(&mut faults, "audience", &request.audience, audiences);
    check_territories(&mut faults, "markets", &request.markets);
    if request.channels.is_empty() {
        faults.add("channels is empty: expected one at least, such as email");
    }
    check_channels(&mut faults, &request.channels);
    check_budget(&mut faults, &request.budget);
    let starts = check_day(&mut faults, "starts_on", &request.starts_on);
    let ends = check_day(&mut faults, "ends_on", &request.ends_on);
    if let (Some(starts), Some(ends)) = (starts, ends)
        && ends < starts
    {
        faults.add(format_args!(
            "it ends on {ends} before it starts on {starts}"
        ));
    }
    if request.content_ids.len() > MAX_CAMPAIGN_CONTENTS {
        faults.add(format_args!(
            "content_ids has {} values: expected at most {MAX_CAMPAIGN_CONTENTS}",
            request.content_ids.len()
        ));
    }
    faults.into_result("invalid-campaign", "Invalid campaign")
}

fn check_budget(faults: &mut Faults, budget: &Budget) {
    let (whole, cents) = match budget.amount.split_once('.') {
        None => (budget.amount.as_str(), "00"),
        Some(parts) => parts,
    };
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole, 12) || !digits(cents, 2) {
        faults.add("budget.amount must be a decimal number as text, such as \"12500.00\"");
    }
    let currency = budget.currency.as_bytes();
    if currency.len() != 3 || !currency.iter().all(u8::is_ascii_uppercase) {
        faults.add("budget.currency must be an ISO 4217 code, such as USD");
    }
}

/// As it is stored: documents sorted, each once.
pub(super) fn draft(id: ImageId, request: CampaignRequest) -> CampaignDraft {
    let mut content_ids = request.content_ids;
    content_ids.sort_unstable();
    content_ids.dedup();
    CampaignDraft {
        id,
        name: request.name,
        objective: request.objective,
        status: request.status,
        audience: request.audience,
        markets: request.markets,
        channels: request.channels,
        budget: request.budget,
        starts_on: request.starts_on,
        ends_on: request.ends_on,
        content_ids,
    }
}

/// The request that would register it as it is.
pub(super) fn of(campaign: &Campaign) -> CampaignRequest {
    let campaign = campaign.clone();
    CampaignRequest {
        id: Some(campaign.id),
        name: campaign.name,
        objective: campaign.objective,
        status: campaign.status,
        audience: campaign.audience,
        markets: campaign.markets,
        channels: campaign.channels,
        budget: campaign.budget,
        starts_on: campaign.starts_on,
        ends_on: campaign.ends_on,
        content_ids: campaign.content_ids,
    }
}

/// Names of the fields that differ, but for those that have events of their own.
pub(super) fn differences(before: &Campaign, after: &CampaignDraft) -> Vec<String> {
    [
        ("name", before.name != after.name),
        ("objective", before.objective != after.objective),
        ("audience", before.audience != after.audience),
        ("markets", before.markets != after.markets),
        ("channels", before.channels != after.channels),
        ("budget", before.budget != after.budget),
        ("starts_on", before.starts_on != after.starts_on),
        ("ends_on", before.ends_on != after.ends_on),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(name, _)| name.to_owned())
    .collect()
}
