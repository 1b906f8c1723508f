//! Calling content-api.

use std::time::Duration;

use contracts::{
    ContentDocument, GetContentAnswer, GetContentRequest, ImageId, lifecycle::ContentPage,
};
use http::{HeaderValue, header};
use reqwest::Method;

use crate::{
    origin::Origin,
    upstream::{Fault, Upstream, UpstreamError},
};

/// Largest rendition, in bytes: a reply carries up to three of them.
pub(crate) const MAX_THUMBNAIL_BYTES: usize = 256 * 1024;

/// A picture, as fetched.
pub(crate) struct Thumbnail {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// content-api's HTTP interface.
#[derive(Debug)]
pub(crate) struct ContentClient {
    upstream: Upstream,
    thumbnails_deadline: Duration,
}

impl ContentClient {
    pub(crate) fn new(upstream: Upstream, thumbnails_deadline: Duration) -> Self {
        Self {
            upstream,
            thumbnails_deadline,
        }
    }

    /// How long a reply waits for its thumbnails.
    pub(crate) fn thumbnails_deadline(&self) -> Duration {
        self.thumbnails_deadline
    }

    /// `POST /v1/getContent`.
    pub(crate) async fn get_content(
        &self,
        request: &GetContentRequest,
        origin: &Origin,
    ) -> Result<GetContentAnswer, UpstreamError> {
        self.upstream
            .post(&["v1", "getContent"], request, origin)
            .await
    }

    /// `GET /v1/content/{id}`; `None` where there is no such image.
    pub(crate) async fn document(
        &self,
        id: &ImageId,
        origin: &Origin,
    ) -> Result<Option<ContentDocument>, UpstreamError> {
        let path = ["v1", "content", id.as_str()];
        let request = self.upstream.request(Method::GET, &path);
        match self.upstream.json(request, origin).await {
            Ok(document) => Ok(Some(document)),
            Err(error) => match &error.fault {
                Fault::Refused(problem) if problem.status == 404 => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// `GET /v1/content`: a page of the approved images. `cursor` is content-api's own.
    pub(crate) async fn list(
        &self,
        cursor: Option<&str>,
        limit: usize,
        origin: &Origin,
    ) -> Result<ContentPage, UpstreamError> {
        let limit = limit.to_string();
        let mut request = self
            .upstream
            .request(Method::GET, &["v1", "content"])
            .query(&[("status", "approved"), ("limit", &limit)]);
        if let Some(cursor) = cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        self.upstream.json(request, origin).await
    }

    /// `GET /v1/content/{id}/image` as JPEG, which every client can show. `width` is in pixels.
    pub(crate) async fn thumbnail(
        &self,
        id: &ImageId,
        width: u32,
        origin: &Origin,
    ) -> Result<Thumbnail, UpstreamError> {
        let path = ["v1", "content", id.as_str(), "image"];
        let request = self
            .upstream
            .request(Method::GET, &path)
            .query(&[("width", width.to_string().as_str()), ("format", "jpeg")])
            .header(header::ACCEPT, "image/jpeg");
        let response = self.upstream.send(request, origin).await?;
        let found = response.headers().get(header::CONTENT_TYPE).cloned();
        let Some(media_type) = found.as_ref().and_then(image_type) else {
            let instead = format!("{found:?} where an image was due");
            return Err(self.upstream.failed(Fault::Unexpected(instead)));
        };
        let bytes = self.upstream.read(response, MAX_THUMBNAIL_BYTES).await?;
        Ok(Thumbnail { media_type, bytes })
    }
}

fn image_type(value: &HeaderValue) -> Option<&'static str> {
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    ["image/jpeg", "image/png", "image/webp"]
        .into_iter()
        .find(|known| essence.eq_ignore_ascii_case(known))
}
