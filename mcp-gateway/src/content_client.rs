//! Calling content-api, as the gateway.

use std::{fmt, sync::Arc, time::Duration};

use auth::{TokenError, TokenSource};
use contracts::{GetContentAnswer, GetContentRequest, ImageId, Problem};
use http::{HeaderValue, StatusCode, header};
use reqwest::{RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::Config;

/// Largest JSON answer, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Largest rendition, in bytes: a reply carries up to three of them.
pub(crate) const MAX_THUMBNAIL_BYTES: usize = 256 * 1024;

/// Why content-api gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// It refused the request, and says why.
    #[error("content-api refused: {}", .0.detail)]
    Refused(Box<Problem>),
    /// It refused the gateway itself: 401 or 403.
    #[error("content-api refused the gateway's own token with {0}")]
    GatewayRefused(StatusCode),
    /// The gateway has no token.
    #[error("the gateway has no token of its own: {0}")]
    NoToken(#[source] Box<TokenError>),
    /// It does not answer, or says that it cannot just now.
    #[error("content-api is unavailable: {cause}")]
    Unavailable {
        /// What happened, for the log.
        cause: String,
        /// Seconds after which to try again, where content-api said so.
        retry_after: Option<u32>,
    },
    /// It answered with something else than agreed.
    #[error("content-api answered with {0}")]
    Unexpected(String),
}

/// A picture, as fetched.
pub(crate) struct Thumbnail {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// content-api's HTTP interface.
pub(crate) struct ContentClient {
    config: Config,
    client: reqwest::Client,
    tokens: Arc<TokenSource>,
}

impl ContentClient {
    pub(crate) fn new(config: Config, client: reqwest::Client, tokens: Arc<TokenSource>) -> Self {
        Self {
            config,
            client,
            tokens,
        }
    }

    /// How long a reply waits for its thumbnails.
    pub(crate) fn thumbnails_deadline(&self) -> Duration {
        self.config.thumbnails_deadline
    }

    /// `POST /v1/getContent`. `request_id` ties both services' log lines together.
    pub(crate) async fn get_content(
        &self,
        request: &GetContentRequest,
        request_id: Option<&HeaderValue>,
    ) -> Result<GetContentAnswer, UpstreamError> {
        let request = self
            .client
            .post(self.url(&["v1", "getContent"]))
            .json(request)
            .timeout(self.config.search_deadline);
        let response = self.send(request, request_id).await?;
        let body = read(response, MAX_ANSWER_BYTES).await?;
        serde_json::from_slice(&body).map_err(|error| {
            UpstreamError::Unexpected(format!("another JSON than agreed: {error}"))
        })
    }

    /// `GET /v1/content/{id}/image` as JPEG, which every client can show. `width` is in pixels.
    pub(crate) async fn thumbnail(
        &self,
        id: &ImageId,
        width: u32,
        request_id: Option<&HeaderValue>,
    ) -> Result<Thumbnail, UpstreamError> {
        let mut url = self.url(&["v1", "content", id.as_str(), "image"]);
        url.query_pairs_mut()
            .append_pair("width", &width.to_string())
            .append_pair("format", "jpeg");
        let request = self.client.get(url).header(header::ACCEPT, "image/jpeg");
        let response = self.send(request, request_id).await?;
        let found = response.headers().get(header::CONTENT_TYPE).cloned();
        let Some(media_type) = found.as_ref().and_then(image_type) else {
            return Err(UpstreamError::Unexpected(format!(
                "{found:?} where an image was due"
            )));
        };
        let bytes = read(response, MAX_THUMBNAIL_BYTES).await?;
        Ok(Thumbnail { media_type, bytes })
    }

    /// Sends with the gateway's token; once more with a new one if content-api refuses the first,
    /// as it does after the issuer changed its keys.
    async fn send(
        &self,
        request: RequestBuilder,
        request_id: Option<&HeaderValue>,
    ) -> Result<Response, UpstreamError> {
        let mut again = request.try_clone();
        let mut request = request;
        loop {
            let token = self
                .tokens
                .token()
                .await
                .map_err(|error| UpstreamError::NoToken(Box::new(error)))?;
            request = request.bearer_auth(token.expose_secret());
            if let Some(id) = request_id {
                request = request.header(service_kit::http::REQUEST_ID, id);
            }
            let response = request.send().await.map_err(unreachable)?;
            if response.status() == StatusCode::UNAUTHORIZED {
                self.tokens.forget(&token);
                if let Some(second) = again.take() {
                    request = second;
                    continue;
                }
            }
            return accept(response).await;
        }
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.config.content_api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// Lets successes through and reads what the others say.
async fn accept(response: Response) -> Result<Response, UpstreamError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(UpstreamError::GatewayRefused(status));
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let cause = format!("it answered {status}");
        return Err(UpstreamError::Unavailable { cause, retry_after });
    }
    let body = read(response, MAX_ANSWER_BYTES).await?;
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(UpstreamError::Refused(Box::new(problem))),
        Err(_) => Err(UpstreamError::Unexpected(format!(
            "{status} without a problem document"
        ))),
    }
}

async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, UpstreamError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > most {
            return Err(UpstreamError::Unexpected(format!("more than {most} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreachable(error: reqwest::Error) -> UpstreamError {
    let error = error.without_url();
    let cause = std::error::Error::source(&error)
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    UpstreamError::Unavailable {
        cause,
        retry_after: None,
    }
}

fn image_type(value: &HeaderValue) -> Option<&'static str> {
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    ["image/jpeg", "image/png", "image/webp"]
        .into_iter()
        .find(|known| essence.eq_ignore_ascii_case(known))
}

impl fmt::Debug for ContentClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentClient")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
