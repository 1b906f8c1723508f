//! Changes of a document: what is said about it, its image, its status, its end.

use auth::Caller;
use bytes::Bytes;
use contracts::{
    ContentDocument, ImageId, Scope,
    campaigns::CampaignEvent,
    content::{Origin, Status},
    lifecycle::{ContentMetadata, StoredContent},
    limits::MAX_FORMER_IMAGES,
};
use http::StatusCode;
use serde_json::Value;
use service_kit::ProblemResponse;

use super::{Lifecycle, creating::outdated, metadata};
use crate::{
    error::no_such_content,
    merge_patch::merge,
    requests::IfMatch,
    store::{ContentDraft, Write},
};

/// Tries to change a document of whose revision the caller says nothing.
const TRIES: usize = 5;

impl Lifecycle {
    /// Merges `patch` (RFC 7396) into what is said about a document.
    ///
    /// What a caller without `content:approve` changes on an approved document makes a draft of it.
    pub async fn patch(
        &self,
        caller: &Caller,
        id: &ImageId,
        expected: &IfMatch,
        patch: Value,
    ) -> Result<ContentDocument, ProblemResponse> {
        let change = |document: ContentDocument| {
            let changed = patched(metadata_of(&document), patch.clone())?;
            if changed.id.as_ref() != Some(id) {
                return Err(invalid_patch("id is fixed: it cannot be changed."));
            }
            metadata::check(&changed)?;
            let before = ContentDraft::from(document);
            let mut draft = ContentDraft {
                text: changed.text,
                themes: changed.themes,
                campaign_themes: changed.campaign_themes,
                channels: changed.channels,
                audience: changed.audience,
                rights: changed.rights,
                ..before.clone()
            };
            if draft == before {
                return Ok((draft, Vec::new()));
            }
            let events = touched(caller, &mut draft);
            Ok((draft, events))
        };
        self.update(caller, id, expected, change).await
    }

    /// Gives a document another image; the one before stays fetchable under its URL.
    pub async fn new_version(
        &self,
        caller: &Caller,
        id: &ImageId,
        expected: &IfMatch,
        file: Bytes,
    ) -> Result<StoredContent, ProblemResponse> {
        self.document(id).await?;
        let image = self.intake.clean(file).await?;
        self.keep_file(&image).await?;
        let change = |document: ContentDocument| {
            let mut draft = ContentDraft::from(document);
            if draft.image.sha256 == image.facts.sha256 {
                return Ok((draft, Vec::new()));
            }
            let former = std::mem::replace(&mut draft.image, image.facts.clone());
            draft
                .former_images
                .retain(|kept| kept.sha256 != former.sha256 && kept.sha256 != draft.image.sha256);
            draft.former_images.push(former);
            let over = draft.former_images.len().saturating_sub(MAX_FORMER_IMAGES);
            draft.former_images.drain(..over);
            let mut events = touched(caller, &mut draft);
            events.push(CampaignEvent::ContentImageReplaced {
                content_id: id.clone(),
            });
            Ok((draft, events))
        };
        let document = self.update(caller, id, expected, change).await?;
        // An erasure may have taken the file between its writing and the document's.
        self.keep_file(&image).await?;
        Ok(StoredContent {
            duplicates: self.duplicates(id, &document.image).await?,
            document,
        })
    }

    /// Approves or retires.
    pub async fn set_status(
        &self,
        caller: &Caller,
        id: &ImageId,
        expected: &IfMatch,
        status: Status,
    ) -> Result<ContentDocument, ProblemResponse> {
        let change = |document: ContentDocument| {
            let mut draft = ContentDraft::from(document);
            if draft.status == status {
                return Ok((draft, Vec::new()));
            }
            draft.status = status;
            draft.origin = Origin::Api;
            let event = status_event(id, status);
            Ok((draft, vec![event]))
        };
        self.update(caller, id, expected, change).await
    }

    /// Deletes. Nothing finds or shows it from the moment that this returns.
    pub async fn delete(
        &self,
        caller: &Caller,
        id: &ImageId,
        expected: &IfMatch,
    ) -> Result<(), ProblemResponse> {
        let expected = match expected {
            IfMatch::Any => None,
            IfMatch::Revisions(_) => {
                let found = self.document(id).await?.revision;
                if !expected.admits(found) {
                    return Err(outdated(found));
                }
                Some(found)
            }
        };
        match self.store.delete(id, expected, &self.stamp(caller)).await? {
            Write::Done(_) => {
                self.publisher.wake();
                Ok(())
            }
            Write::Conflict { revision } | Write::Repeated { revision } => Err(outdated(revision)),
            Write::Erased | Write::Absent => Err(no_such_content(id.as_str())),
        }
    }

    /// Changes the document as it is. Without a word about its revision, whatever that is.
    async fn update(
        &self,
        caller: &Caller,
        id: &ImageId,
        expected: &IfMatch,
        change: impl Fn(ContentDocument) -> Result<(ContentDraft, Vec<CampaignEvent>), ProblemResponse>,
    ) -> Result<ContentDocument, ProblemResponse> {
        let mut tries = 0;
        loop {
            let document = self.document(id).await?;
            let found = document.revision;
            if !expected.admits(found) {
                return Err(outdated(found));
            }
            let (draft, events) = change(document.clone())?;
            if draft == ContentDraft::from(document.clone()) {
                return Ok(document);
            }
            tries += 1;
            match self.replace(&draft, found, &events, caller).await {
                Err(problem)
                    if problem.problem().status == StatusCode::PRECONDITION_FAILED
                        && *expected == IfMatch::Any
                        && tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    async fn replace(
        &self,
        draft: &ContentDraft,
        expected: i64,
        events: &[CampaignEvent],
        caller: &Caller,
    ) -> Result<ContentDocument, ProblemResponse> {
        let stamp = self.stamp(caller);
        match self.store.replace(draft, expected, events, &stamp).await? {
            Write::Done(_) => {
                self.publisher.wake();
                self.document(&draft.id).await
            }
            Write::Conflict { revision } | Write::Repeated { revision } => Err(outdated(revision)),
            Write::Erased | Write::Absent => Err(no_such_content(draft.id.as_str())),
        }
    }
}

/// It is the caller's from now on, and approved no longer unless the caller may approve.
fn touched(caller: &Caller, draft: &mut ContentDraft) -> Vec<CampaignEvent> {
    draft.origin = Origin::Api;
    let may_approve = caller.scopes().contains(Scope::ContentApprove);
    if draft.status != Status::Approved || may_approve {
        return Vec::new();
    }
    draft.status = Status::Draft;
    vec![status_event(&draft.id, Status::Draft)]
}

fn status_event(id: &ImageId, to: Status) -> CampaignEvent {
    CampaignEvent::ContentStatusChanged {
        content_id: id.clone(),
        to,
    }
}

/// The part of a document that a patch may change.
fn metadata_of(document: &ContentDocument) -> ContentMetadata {
    let document = document.clone();
    ContentMetadata {
        id: Some(document.id),
        text: document.text,
        themes: document.themes,
        campaign_themes: document.campaign_themes,
        channels: document.channels,
        audience: document.audience,
        rights: document.rights,
    }
}

fn patched(metadata: ContentMetadata, patch: Value) -> Result<ContentMetadata, ProblemResponse> {
    if !patch.is_object() {
        return Err(invalid_patch("The patch must be a JSON object (RFC 7396)."));
    }
    let mut value = serde_json::to_value(metadata).expect("metadata always serialise");
    merge(&mut value, patch);
    serde_json::from_value(value).map_err(|error| {
        invalid_patch(&format!(
            "With this patch it would be no metadata any more: {error}. Status and image have \
             routes of their own."
        ))
    })
}

fn invalid_patch(detail: &str) -> ProblemResponse {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    ProblemResponse::new(status, "invalid-patch", "Invalid patch", detail)
}
