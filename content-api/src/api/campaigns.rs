//! `/v1/campaigns`.

use auth::{
    Authorized,
    scope::{CampaignsWrite, ContentRead},
};
use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::{IntoResponse, Response},
};
use contracts::{
    ImageId, Problem,
    campaigns::{Campaign, CampaignPage, CampaignRequest, CampaignStatus, LogPage},
    limits::LOG_DAYS,
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use service_kit::{Json, ProblemResponse, ProblemResult};
use time::Duration;

use super::{AppState, documents::validators, paging};
use crate::{
    campaigns::no_such_campaign,
    error::invalid_parameter,
    requests::{IfMatch, RequestKey},
};

/// How a registration is meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterQuery {
    #[serde(default)]
    dry_run: bool,
}

/// Registers a campaign.
///
/// The same `Idempotency-Key` with the same body gives the same answer for a day, with another body
/// a 422. With `dry_run=true` the body is checked and nothing is written; that needs no key.
#[utoipa::path(
    post,
    path = "/v1/campaigns",
    tag = "campaigns",
    security(("oauth2" = ["campaigns:write"])),
    params(
        ("Idempotency-Key" = String, Header, description = "1 to 128 visible characters"),
        ("dry_run" = Option<bool>, Query, description = "Check, and write nothing"),
    ),
    request_body = CampaignRequest,
    responses(
        (status = 204, description = "It was a dry run, and the campaign would be registered"),
        (status = 201, description = "Registered, or registered before by the same request",
            body = Campaign, headers(("Location" = String, description = "The campaign"))),
        (status = 400, description = "missing-idempotency-key, invalid-idempotency-key, \
            invalid-query, malformed-json or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "id-taken",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "body-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "unsupported-media-type",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "invalid-body, invalid-campaign, unknown-content or \
            idempotency-key-reused",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn register(
    caller: Authorized<CampaignsWrite>,
    State(state): State<AppState>,
    query: Result<Query<RegisterQuery>, QueryRejection>,
    headers: HeaderMap,
    Json(request): Json<CampaignRequest>,
) -> ProblemResult<Response> {
    if paging::query(query)?.dry_run {
        state.campaigns.check(&request).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let key = RequestKey::of(&headers, &caller, "POST /v1/campaigns")?;
    let answer = state.campaigns.register(&caller, &key, request).await?;
    let campaign: Campaign =
        serde_json::from_str(&answer).map_err(|error| ProblemResponse::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::LOCATION, format!("/v1/campaigns/{}", campaign.id)),
    ];
    let validators = validators(campaign.revision);
    Ok((StatusCode::CREATED, headers, validators, answer).into_response())
}

/// One campaign.
#[utoipa::path(
    get,
    path = "/v1/campaigns/{id}",
    tag = "campaigns",
    security(("oauth2" = ["content:read"])),
    params(("id" = String, Path, description = "The campaign's slug")),
    responses(
        (status = 200, description = "The campaign; `ETag` is its revision", body = Campaign),
        (status = 400, description = "invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-campaign",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_campaign(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
) -> ProblemResult<Response> {
    let campaign = state.campaigns.campaign(&campaign_id(id)?).await?;
    Ok((validators(campaign.revision), Json(campaign)).into_response())
}

/// Changes a campaign: a JSON merge patch (RFC 7396) of what was registered. Documents are attached
/// and detached by sending the whole of `content_ids`.
#[utoipa::path(
    patch,
    path = "/v1/campaigns/{id}",
    tag = "campaigns",
    security(("oauth2" = ["campaigns:write"])),
    params(
        ("id" = String, Path, description = "The campaign's slug"),
        ("If-Match" = String, Header, description = "The ETag of what is to change, or `*`"),
    ),
    request_body(content = CampaignRequest, content_type = "application/merge-patch+json",
        description = "Only what is to change; `null` removes"),
    responses(
        (status = 200, description = "As it is now", body = Campaign),
        (status = 400, description = "malformed-json or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-campaign",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "revision-changed",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "body-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "unsupported-media-type",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "invalid-patch, invalid-campaign or unknown-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "missing-if-match",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn patch_campaign(
    caller: Authorized<CampaignsWrite>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Json(patch): Json<Value>,
) -> ProblemResult<Response> {
    let id = campaign_id(id)?;
    let expected = IfMatch::required(&headers)?;
    let campaign = state
        .campaigns
        .patch(&caller, &id, &expected, &patch)
        .await?;
    Ok((validators(campaign.revision), Json(campaign)).into_response())
}

/// Texts, so that a fault in each has a problem of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    cursor: Option<String>,
    limit: Option<String>,
    status: Option<String>,
}

/// Campaigns, in the order of their ids.
#[utoipa::path(
    get,
    path = "/v1/campaigns",
    tag = "campaigns",
    security(("oauth2" = ["content:read"])),
    params(
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "50 when absent", minimum = 1, maximum = 200),
        ("status" = Option<String>, Query, description = "Such as `active`"),
    ),
    responses(
        (status = 200, description = "One page", body = CampaignPage),
        (status = 400, description = "invalid-cursor, invalid-limit, invalid-filter, invalid-query \
            or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list_campaigns(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> ProblemResult<Json<CampaignPage>> {
    let query = paging::query(query)?;
    let limit = paging::page_limit(query.limit.as_deref())?;
    let after = paging::id_in(query.cursor.as_deref())?;
    let status = query.status.as_deref().map(parse_status).transpose()?;
    let page = state.store.campaigns(status, after.as_ref(), limit).await?;
    Ok(Json(CampaignPage {
        campaigns: page.items,
        next: page.next.as_ref().map(paging::after_id),
    }))
}

/// Texts, so that a fault in each has a problem of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    cursor: Option<String>,
    limit: Option<String>,
}

/// What happened to a campaign in the last 90 days, oldest first.
#[utoipa::path(
    get,
    path = "/v1/campaigns/{id}/log",
    tag = "campaigns",
    security(("oauth2" = ["content:read"])),
    params(
        ("id" = String, Path, description = "The campaign's slug"),
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "50 when absent", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "One page", body = LogPage),
        (status = 400, description = "invalid-cursor, invalid-limit, invalid-query or \
            invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-campaign",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_log(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> ProblemResult<Json<LogPage>> {
    let query = paging::query(query)?;
    let limit = paging::page_limit(query.limit.as_deref())?;
    let after = paging::position_in(query.cursor.as_deref())?;
    let campaign = state.campaigns.campaign(&campaign_id(id)?).await?;
    let since = state.campaigns.clock.now() - Duration::days(LOG_DAYS);
    let entries = state.store.log(&campaign.id, after, since, limit).await?;
    let is_full = entries.len() as u64 >= u64::from(limit);
    let last = entries.last().filter(|_| is_full);
    Ok(Json(LogPage {
        next: last.map(|last| paging::after_position(last.position)),
        entries,
    }))
}

fn campaign_id(id: Result<Path<String>, PathRejection>) -> Result<ImageId, ProblemResponse> {
    let Path(id) = id.map_err(|_| no_such_campaign("that is not UTF-8"))?;
    id.parse().map_err(|_| no_such_campaign(&id))
}

fn parse_status(text: &str) -> Result<CampaignStatus, ProblemResponse> {
    use CampaignStatus::{Active, Cancelled, Finished, Paused, Planned};
    let all = [Planned, Active, Paused, Finished, Cancelled];
    all.into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| {
            let known = all.map(CampaignStatus::as_str).join(", ");
            let detail = format!("status must be one of {known}.");
            invalid_parameter("invalid-filter", "Invalid filter", detail)
        })
}
