//! `POST` and `GET /v1/content`, and `POST /v1/content/{id}/versions`.

use auth::{
    Authorized,
    scope::{ContentRead, ContentWrite},
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
    content::Status,
    lifecycle::{ContentMetadata, ContentPage, StoredContent},
};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use service_kit::{Json, ProblemResponse, ProblemResult};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{AppState, documents::validators, paging, upload::Upload};
use crate::{
    error::{invalid_parameter, no_such_content},
    requests::{IfMatch, RequestKey},
    store::Browse,
};

/// The body of an upload, for the document.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Only its schema is used.
pub struct NewContent {
    /// A PNG, JPEG or WebP file of at most 20 MB and 40 megapixels. It is written anew: camera
    /// metadata, comments and whatever else it holds are dropped.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// JSON.
    metadata: ContentMetadata,
}

/// The body of an upload without metadata.
#[derive(utoipa::ToSchema)]
#[allow(dead_code)] // Only its schema is used.
pub struct NewImage {
    /// As in `NewContent`.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
}

/// Stores an image with what is said about it, as a draft.
///
/// One language is enough: `missing_languages` names the other. Images that look alike are named in
/// `duplicates` and no reason to refuse this one. The same `Idempotency-Key` with the same body
/// gives the same answer for a day, with another body a 422, and a 410 once its document was erased.
#[utoipa::path(
    post,
    path = "/v1/content",
    tag = "content",
    security(("oauth2" = ["content:write"])),
    params(("Idempotency-Key" = String, Header, description = "1 to 128 visible characters")),
    request_body(content = NewContent, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Stored, or stored before by the same request",
            body = StoredContent, headers(("Location" = String, description = "The document"))),
        (status = 400, description = "missing-idempotency-key, invalid-idempotency-key, \
            invalid-multipart or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "id-taken",
            body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "erased: what the key created was erased since",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "body-too-large or image-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "unsupported-media-type or unsupported-image",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "invalid-metadata, invalid-image or idempotency-key-reused",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(
    caller: Authorized<ContentWrite>,
    State(state): State<AppState>,
    headers: HeaderMap,
    upload: Upload,
) -> ProblemResult<Response> {
    let key = RequestKey::of(&headers, &caller, "POST /v1/content")?;
    let metadata = upload.metadata.ok_or_else(|| {
        let detail = "the part metadata is missing: expected a JSON object";
        invalid_metadata(detail)
    })?;
    let metadata: ContentMetadata =
        serde_json::from_slice(&metadata).map_err(|error| invalid_metadata(&error.to_string()))?;
    let answer = state
        .lifecycle
        .create(&caller, &key, upload.image, metadata)
        .await?;
    let stored: StoredContent =
        serde_json::from_str(&answer).map_err(|error| ProblemResponse::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (
            header::LOCATION,
            format!("/v1/content/{}", stored.document.id),
        ),
    ];
    let validators = validators(stored.document.revision);
    Ok((StatusCode::CREATED, headers, validators, answer).into_response())
}

fn invalid_metadata(detail: &str) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid-metadata",
        "Invalid metadata",
        format!("metadata: {detail}."),
    )
}

/// Gives a document another image. The former one stays fetchable under its immutable URL.
///
/// An approved document becomes a draft, unless the token also has `content:approve`.
#[utoipa::path(
    post,
    path = "/v1/content/{id}/versions",
    tag = "content",
    security(("oauth2" = ["content:write"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what is to change"),
    ),
    request_body(content = NewImage, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "Changed; the same image changes nothing",
            body = StoredContent),
        (status = 400, description = "invalid-multipart or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "revision-changed",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "body-too-large or image-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "unsupported-media-type or unsupported-image",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "invalid-image",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn new_version(
    caller: Authorized<ContentWrite>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    upload: Upload,
) -> ProblemResult<Response> {
    let id = content_id(id)?;
    let expected = IfMatch::of(&headers);
    let stored = state
        .lifecycle
        .new_version(&caller, &id, &expected, upload.image)
        .await?;
    Ok((validators(stored.document.revision), Json(stored)).into_response())
}

/// The id in a path. Text that is no id names no document either.
pub(super) fn content_id(
    id: Result<Path<String>, PathRejection>,
) -> Result<ImageId, ProblemResponse> {
    let Path(id) = id.map_err(|_| no_such_content("that is not UTF-8"))?;
    id.parse().map_err(|_| no_such_content(&id))
}

/// Texts, so that a fault in each has a problem of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    cursor: Option<String>,
    limit: Option<String>,
    status: Option<String>,
    hashtag: Option<String>,
    channel: Option<String>,
    changed_since: Option<String>,
}

/// Documents, whatever their status, in the order of their ids.
#[utoipa::path(
    get,
    path = "/v1/content",
    tag = "content",
    security(("oauth2" = ["content:read"])),
    params(
        ("cursor" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "50 when absent", minimum = 1, maximum = 200),
        ("status" = Option<String>, Query, description = "`draft`, `approved` or `retired`"),
        ("hashtag" = Option<String>, Query, description = "In any language, in any case"),
        ("channel" = Option<String>, Query, description = "Such as `email`"),
        ("changed_since" = Option<String>, Query, description = "An RFC 3339 time"),
    ),
    responses(
        (status = 200, description = "One page", body = ContentPage),
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
pub async fn list(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> ProblemResult<Json<ContentPage>> {
    let query = paging::query(query)?;
    let limit = paging::page_limit(query.limit.as_deref())?;
    let after = paging::id_in(query.cursor.as_deref())?;
    let wanted = Browse {
        status: query.status.as_deref().map(parse_status).transpose()?,
        hashtag: query.hashtag,
        channel: query.channel.map(known_channel).transpose()?,
        changed_since: query.changed_since.as_deref().map(parse_time).transpose()?,
    };
    if wanted
        .hashtag
        .as_ref()
        .is_some_and(|tag| tag.contains('\0'))
    {
        return Err(invalid_filter(
            "hashtag holds a character that no hashtag has.",
        ));
    }
    let page = state.store.browse(&wanted, after.as_ref(), limit).await?;
    Ok(Json(ContentPage {
        documents: page.items,
        next: page.next.as_ref().map(paging::after_id),
    }))
}

fn parse_status(text: &str) -> Result<Status, ProblemResponse> {
    [Status::Draft, Status::Approved, Status::Retired]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| invalid_filter("status must be draft, approved or retired."))
}

fn known_channel(text: String) -> Result<String, ProblemResponse> {
    let known = images::vocabulary::CHANNELS;
    if known.contains(&text.as_str()) {
        return Ok(text);
    }
    let detail = format!("channel must be one of {}.", known.join(", "));
    Err(invalid_filter(&detail))
}

fn parse_time(text: &str) -> Result<OffsetDateTime, ProblemResponse> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| invalid_filter("changed_since must be a time such as 2026-11-22T08:00:00Z."))
}

fn invalid_filter(detail: &str) -> ProblemResponse {
    invalid_parameter("invalid-filter", "Invalid filter", detail)
}
