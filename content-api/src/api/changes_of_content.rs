//! `PATCH` and `DELETE /v1/content/{id}`, `POST /v1/content/{id}/approve` and `/retire`.

use auth::{
    Authorized, Caller,
    scope::{ContentApprove, ContentWrite},
};
use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::{IntoResponse, Response},
};
use contracts::{
    ContentDocument, Problem, Scope,
    content::Status,
    lifecycle::{ContentMetadata, ErasureAnswer},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use service_kit::{Json, ProblemResult};

use super::{AppState, contents::content_id, documents::validators, paging};
use crate::requests::IfMatch;

/// Changes what is said about an image: a JSON merge patch (RFC 7396) of its metadata.
///
/// An approved document becomes a draft, unless the token also has `content:approve`.
#[utoipa::path(
    patch,
    path = "/v1/content/{id}",
    tag = "content",
    security(("oauth2" = ["content:write"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("If-Match" = String, Header, description = "The ETag of what is to change, or `*`"),
    ),
    request_body(content = ContentMetadata, content_type = "application/merge-patch+json",
        description = "Only what is to change; `null` removes"),
    responses(
        (status = 200, description = "As it is now", body = ContentDocument,
            headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "malformed-json or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "revision-changed",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "body-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "unsupported-media-type",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "invalid-patch or invalid-metadata",
            body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "missing-if-match",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn patch(
    caller: Authorized<ContentWrite>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    Json(patch): Json<Value>,
) -> ProblemResult<Response> {
    let id = content_id(id)?;
    let expected = IfMatch::required(&headers)?;
    let document = state
        .lifecycle
        .patch(&caller, &id, &expected, patch)
        .await?;
    Ok((validators(document.revision), Json(document)).into_response())
}

/// Deletes a document: nothing finds or shows it any more. Or erases it, also when it was deleted:
/// out of store, indexes, caches and logs, with a record of what was removed where. While that says
/// that it is not complete, send the request again.
#[utoipa::path(
    delete,
    path = "/v1/content/{id}",
    tag = "content",
    security(("oauth2" = ["content:write"]), ("oauth2" = ["content:approve"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("erase" = Option<bool>, Query, description = "Erase it: needs `content:approve`"),
        ("If-Match" = Option<String>, Header,
            description = "The ETag of what is to go; an erasure asks for none"),
    ),
    responses(
        (status = 200, description = "Erased: the record of it", body = ErasureAnswer),
        (status = 204, description = "Deleted"),
        (status = 400, description = "invalid-query or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "revision-changed",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn delete(
    caller: Caller,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<DeleteQuery>, QueryRejection>,
    headers: HeaderMap,
) -> ProblemResult<Response> {
    let query = paging::query(query);
    let erases = query.as_ref().is_ok_and(|query| query.erase);
    let scope = if erases {
        Scope::ContentApprove
    } else {
        Scope::ContentWrite
    };
    // A query that makes no sense is told to whom may do one or the other.
    let needed: &[Scope] = match &query {
        Ok(_) => &[scope],
        Err(_) => &[],
    };
    caller
        .require(needed)
        .map_err(|error| state.verifier.problem(error))?;
    query?;
    let id = content_id(id)?;
    if erases {
        let answer = state.lifecycle.erase(&caller, &id).await?;
        return Ok(Json(answer).into_response());
    }
    let expected = IfMatch::of(&headers);
    state.lifecycle.delete(&caller, &id, &expected).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// How to delete.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteQuery {
    #[serde(default)]
    erase: bool,
}

/// Approves a document: from now on it is found where its rights allow.
#[utoipa::path(
    post,
    path = "/v1/content/{id}/approve",
    tag = "content",
    security(("oauth2" = ["content:approve"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was looked at"),
    ),
    responses(
        (status = 200, description = "As it is now", body = ContentDocument),
        (status = 400, description = "invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "revision-changed",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn approve(
    caller: Authorized<ContentApprove>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> ProblemResult<Response> {
    set_status(caller, state, id, headers, Status::Approved).await
}

/// Retires a document: it is not found any more, and stays readable by its id.
#[utoipa::path(
    post,
    path = "/v1/content/{id}/retire",
    tag = "content",
    security(("oauth2" = ["content:approve"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("If-Match" = Option<String>, Header, description = "The ETag of what was looked at"),
    ),
    responses(
        (status = 200, description = "As it is now", body = ContentDocument),
        (status = 400, description = "invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "revision-changed",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn retire(
    caller: Authorized<ContentApprove>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> ProblemResult<Response> {
    set_status(caller, state, id, headers, Status::Retired).await
}

async fn set_status(
    caller: Authorized<ContentApprove>,
    state: AppState,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    status: Status,
) -> ProblemResult<Response> {
    let id = content_id(id)?;
    let expected = IfMatch::of(&headers);
    let document = state
        .lifecycle
        .set_status(&caller, &id, &expected, status)
        .await?;
    Ok((validators(document.revision), Json(document)).into_response())
}
