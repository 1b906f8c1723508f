//! `GET /v1/content/{id}/image`.

use auth::{Authorized, scope::ContentRead};
use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    response::{IntoResponse, Response},
};
use contracts::{ContentDocument, ImageFacts, Problem, limits::RENDITION_WIDTHS};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use images::{Format, negotiate};
use serde::Deserialize;
use service_kit::{ProblemResponse, ProblemResult};

use super::{AppState, documents::find, preconditions::not_modified};
use crate::{
    error::{invalid_parameter, no_such_content},
    image_urls::version,
};

/// The URL names the bytes, so they never change. `private`: it takes a token to see them.
const IMMUTABLE: &str = "private, max-age=31536000, immutable";
/// The URL names the document, whose image may be replaced.
const REVALIDATE: &str = "private, no-cache";

/// Texts, so that a fault in each has a problem of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageQuery {
    width: Option<String>,
    format: Option<String>,
    v: Option<String>,
}

/// An image, in the width and format asked for.
///
/// Without `format` the `Accept` header decides; without `width` it comes in its own. It is never
/// enlarged: a width beyond its own gives its own.
#[utoipa::path(
    get,
    path = "/v1/content/{id}/image",
    tag = "content",
    security(("oauth2" = ["content:read"])),
    params(
        ("id" = String, Path, description = "The document's slug"),
        ("width" = Option<u32>, Query, description = "Pixels", minimum = 16, maximum = 2400),
        ("format" = Option<String>, Query, description = "`webp`, `png` or `jpeg`"),
        ("v" = Option<String>, Query, description =
            "The first 16 digits of the file's SHA-256: makes the answer immutable"),
        ("Accept" = Option<String>, Header, description = "Media types, with q-values"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag held already"),
    ),
    responses(
        (status = 200, description = "The image",
            content(("image/webp"), ("image/png"), ("image/jpeg")),
            headers(("ETag" = String, description = "File, width and format"))),
        (status = 304, description = "The caller holds this image"),
        (status = 400, description =
            "invalid-width, invalid-format, invalid-query or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "no-such-content",
            body = Problem, content_type = "application/problem+json"),
        (status = 406, description = "not-acceptable",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_image(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<ImageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> ProblemResult<Response> {
    let Path(id) = id.map_err(|_| no_such_content("that is not UTF-8"))?;
    let Query(query) = query.map_err(|rejection| {
        let detail = format!(
            "{}. Known parameters are width, format and v, each once.",
            rejection.body_text()
        );
        invalid_parameter("invalid-query", "Invalid query", detail)
    })?;
    let width = query.width.as_deref().map(parse_width).transpose()?;
    let explicit = query.format.as_deref().map(parse_format).transpose()?;
    let document = find(state.store.as_ref(), &id).await?;
    let image = asked_for(&document, query.v.as_deref());
    let format = match explicit {
        Some(format) => format,
        None => negotiated(&headers, image)?,
    };
    let shown = width.unwrap_or(image.width).min(image.width);
    let etag = format!("\"{}-{shown}-{format}\"", version(&image.sha256));
    let is_current = query.v.as_deref() == Some(version(&image.sha256));
    let cache_control = if is_current { IMMUTABLE } else { REVALIDATE };
    let validators = [
        (header::ETAG, header_value(&etag)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static(cache_control),
        ),
        (header::VARY, HeaderValue::from_static("Accept")),
    ];
    if not_modified(&headers, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, validators).into_response());
    }
    let bytes = state
        .renditions
        .get(image, width, format)
        .await
        .map_err(|error| ProblemResponse::from(error.as_ref()))?;
    let content_type = [(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.media_type()),
    )];
    Ok((validators, content_type, bytes).into_response())
}

fn parse_width(text: &str) -> Result<u32, ProblemResponse> {
    text.parse()
        .ok()
        .filter(|width| RENDITION_WIDTHS.contains(width))
        .ok_or_else(|| {
            let detail = format!(
                "The width must be a whole number of pixels from {} to {}.",
                RENDITION_WIDTHS.start(),
                RENDITION_WIDTHS.end()
            );
            invalid_parameter("invalid-width", "Invalid width", detail)
        })
}

fn parse_format(text: &str) -> Result<Format, ProblemResponse> {
    text.parse().map_err(|_| {
        let known = Format::ALL.map(Format::name).join(", ");
        let detail = format!("The format must be one of {known}.");
        invalid_parameter("invalid-format", "Invalid format", detail)
    })
}

/// A URL with a version always shows the same image; one that was never there, the present one.
fn asked_for<'a>(document: &'a ContentDocument, wanted: Option<&str>) -> &'a ImageFacts {
    let mut former = document.former_images.iter().rev();
    former
        .find(|image| wanted == Some(version(&image.sha256)))
        .unwrap_or(&document.image)
}

fn negotiated(headers: &HeaderMap, image: &ImageFacts) -> Result<Format, ProblemResponse> {
    let original = Format::from_media_type(&image.media_type).unwrap_or(Format::Webp);
    // Several Accept lines mean the same as one with commas (RFC 9110 section 5.3).
    let accept: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let accept = (!accept.is_empty()).then(|| accept.join(", "));
    negotiate(accept.as_deref(), original).map_err(|error| {
        ProblemResponse::new(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "Not acceptable",
            format!("{error}."),
        )
    })
}

fn header_value(text: &str) -> HeaderValue {
    // Digits, letters, hyphens and quotation marks: always a valid value.
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}
