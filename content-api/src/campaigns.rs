//! Campaigns: registering and changing them. What happens to one is worked out here and written with
//! it; what happens to the documents that it uses, the store tells its log.

mod request;

use std::sync::Arc;

use auth::Caller;
use contracts::{
    ImageId,
    campaigns::{Campaign, CampaignEvent, CampaignRequest},
    content::Status,
};
use http::StatusCode;
use serde_json::Value;
use service_kit::{Clock, ProblemResponse};

use crate::{
    lifecycle::{id_from, outdated},
    merge_patch::merge,
    requests::{IfMatch, RequestKey, id_taken},
    store::{CampaignDraft, Stamp, Store, Write},
};

/// Tries to change a campaign of whose revision the caller says nothing.
const TRIES: usize = 5;

/// Registers and changes campaigns.
pub struct Campaigns {
    /// Keeps them.
    pub store: Arc<dyn Store>,
    /// Tells the time.
    pub clock: Clock,
}

impl Campaigns {
    /// Registers one. The same key with the same request gives the same answer again.
    pub async fn register(
        &self,
        caller: &Caller,
        key: &RequestKey,
        request: CampaignRequest,
    ) -> Result<String, ProblemResponse> {
        request::check(&request)?;
        let wanted = request.id.clone();
        let id = wanted.unwrap_or_else(|| id_from(&request.name, key));
        let stamp = self.stamp(caller);
        let fingerprint = RequestKey::fingerprint(&request);
        let store = self.store.as_ref();
        let claim = key.claim(store, fingerprint, id, stamp.now).await?;
        if let Some(answer) = claim.answer {
            return Ok(answer);
        }
        let draft = request::draft(claim.subject, request);
        // A repeated request finds its campaign, whatever became of the documents since.
        if self.store.campaign(&draft.id).await?.is_none() {
            self.check_contents(&draft.content_ids).await?;
        }
        let events = events(None, &draft);
        let written = self
            .store
            .register(&draft, key.as_str(), &events, &stamp)
            .await?;
        match written {
            Write::Done(_) | Write::Repeated { .. } => {}
            Write::Conflict { .. } | Write::Erased | Write::Absent => {
                return Err(id_taken(&draft.id));
            }
        }
        let campaign = self.campaign(&draft.id).await?;
        key.keep(store, &campaign).await
    }

    /// Whether [`Campaigns::register`] would take it, as far as that can be said before: nothing is
    /// written, and no key is claimed.
    pub async fn check(&self, request: &CampaignRequest) -> Result<(), ProblemResponse> {
        request::check(request)?;
        if let Some(id) = &request.id
            && self.store.campaign(id).await?.is_some()
        {
            return Err(id_taken(id));
        }
        self.check_contents(&request.content_ids).await
    }

    /// Merges `patch` (RFC 7396) into what was registered.
    pub async fn patch(
        &self,
        caller: &Caller,
        id: &ImageId,
        expected: &IfMatch,
        patch: &Value,
    ) -> Result<Campaign, ProblemResponse> {
        let mut tries = 0;
        loop {
            let campaign = self.campaign(id).await?;
            let found = campaign.revision;
            if !expected.admits(found) {
                return Err(outdated(found));
            }
            let draft = patched(&campaign, patch.clone())?;
            let attached = |content: &&ImageId| !campaign.content_ids.contains(content);
            let new: Vec<ImageId> = draft.content_ids.iter().filter(attached).cloned().collect();
            self.check_contents(&new).await?;
            let events = events(Some(&campaign), &draft);
            let stamp = self.stamp(caller);
            tries += 1;
            match self.store.change(&draft, found, &events, &stamp).await? {
                Write::Done(_) => return self.campaign(id).await,
                Write::Erased | Write::Absent => return Err(no_such_campaign(id.as_str())),
                Write::Conflict { .. } if *expected == IfMatch::Any && tries < TRIES => {}
                Write::Conflict { revision } | Write::Repeated { revision } => {
                    return Err(outdated(revision));
                }
            }
        }
    }

    /// The campaign of that id.
    pub async fn campaign(&self, id: &ImageId) -> Result<Campaign, ProblemResponse> {
        let found = self.store.campaign(id).await?;
        found.ok_or_else(|| no_such_campaign(id.as_str()))
    }

    fn stamp(&self, caller: &Caller) -> Stamp {
        Stamp {
            now: self.clock.now(),
            by: caller.subject().to_owned(),
        }
    }

    /// Documents that are to be attached exist, and are not retired.
    async fn check_contents(&self, ids: &[ImageId]) -> Result<(), ProblemResponse> {
        if ids.is_empty() {
            return Ok(());
        }
        let found = self.store.get(ids).await?;
        let usable = |id: &&ImageId| {
            let document = found.iter().find(|document| document.id == **id);
            document.is_some_and(|document| document.status != Status::Retired)
        };
        let missing: Vec<&str> = ids
            .iter()
            .filter(|id| !usable(id))
            .map(ImageId::as_str)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let shown = missing[..missing.len().min(10)].join(", ");
        Err(ProblemResponse::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown-content",
            "Unknown content",
            format!(
                "{} of content_ids cannot be attached: {shown}. Each must exist and not be retired.",
                missing.len()
            ),
        ))
    }
}

/// There is no such campaign.
pub fn no_such_campaign(id: &str) -> ProblemResponse {
    let shown: String = id
        .chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect();
    ProblemResponse::new(
        StatusCode::NOT_FOUND,
        "no-such-campaign",
        "No such campaign",
        format!("There is no campaign with the id '{shown}'."),
    )
}

fn patched(campaign: &Campaign, patch: Value) -> Result<CampaignDraft, ProblemResponse> {
    let invalid = |detail: String| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        ProblemResponse::new(status, "invalid-patch", "Invalid patch", detail)
    };
    if !patch.is_object() {
        let detail = "The patch must be a JSON object (RFC 7396).";
        return Err(invalid(detail.to_owned()));
    }
    let mut value =
        serde_json::to_value(request::of(campaign)).expect("a request always serialises");
    merge(&mut value, patch);
    let changed: CampaignRequest = serde_json::from_value(value).map_err(|error| {
        invalid(format!(
            "With this patch it would be no campaign any more: {error}."
        ))
    })?;
    if changed.id.as_ref() != Some(&campaign.id) {
        return Err(invalid("id is fixed: it cannot be changed.".to_owned()));
    }
    if !campaign.status.may_become(changed.status) {
        return Err(invalid(format!(
            "A campaign that is {} cannot become {}.",
            campaign.status.as_str(),
            changed.status.as_str()
        )));
    }
    request::check(&changed)?;
    Ok(request::draft(campaign.id.clone(), changed))
}

/// What its log says of a change, or of its registration.
fn events(before: Option<&Campaign>, after: &CampaignDraft) -> Vec<CampaignEvent> {
    let mut events = Vec::new();
    let (former, status): (&[ImageId], _) = match before {
        None => {
            events.push(CampaignEvent::Registered);
            (&[], after.status)
        }
        Some(before) => (&before.content_ids, before.status),
    };
    let fields = before.map(|before| request::differences(before, after));
    if let Some(fields) = fields.filter(|fields| !fields.is_empty()) {
        events.push(CampaignEvent::Changed { fields });
    }
    if status != after.status {
        events.push(CampaignEvent::StatusChanged {
            from: status,
            to: after.status,
        });
    }
    for content_id in after.content_ids.iter().filter(|id| !former.contains(id)) {
        let content_id = content_id.clone();
        events.push(CampaignEvent::ContentAttached { content_id });
    }
    let kept = |id: &&ImageId| after.content_ids.contains(id);
    for content_id in former.iter().filter(|id| !kept(id)) {
        let content_id = content_id.clone();
        events.push(CampaignEvent::ContentDetached { content_id });
    }
    events
}
