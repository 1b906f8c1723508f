//! Calling content-api's `/v1/campaigns`.

use contracts::{
    ImageId,
    campaigns::{Campaign, CampaignRequest, LogPage},
};
use reqwest::Method;

use crate::{
    origin::Origin,
    upstream::{Fault, Upstream, UpstreamError},
};

/// Names the request to content-api, which does it once.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// content-api's HTTP interface, as far as it concerns campaigns.
#[derive(Debug)]
pub(crate) struct CampaignClient {
    reading: Upstream,
    writing: Upstream,
}

/// A page of a campaign's log that is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogWanted<'a> {
    pub(crate) campaign: &'a ImageId,
    /// content-api's own.
    pub(crate) cursor: Option<&'a str>,
    pub(crate) limit: usize,
}

impl CampaignClient {
    /// Two ways to the same service: what reads has no token that could write.
    pub(crate) fn new(reading: Upstream, writing: Upstream) -> Self {
        Self { reading, writing }
    }

    /// `POST /v1/campaigns?dry_run=true`: whether it would be registered.
    pub(crate) async fn check(
        &self,
        campaign: &CampaignRequest,
        origin: &Origin,
    ) -> Result<(), UpstreamError> {
        let request = self
            .writing
            .request(Method::POST, &["v1", "campaigns"])
            .query(&[("dry_run", "true")])
            .json(campaign);
        self.writing.send(request, origin).await.map(drop)
    }

    /// `POST /v1/campaigns`: registers it once for each key.
    pub(crate) async fn register(
        &self,
        campaign: &CampaignRequest,
        key: &str,
        origin: &Origin,
    ) -> Result<Campaign, UpstreamError> {
        let request = self
            .writing
            .request(Method::POST, &["v1", "campaigns"])
            .header(IDEMPOTENCY_KEY, key)
            .json(campaign);
        self.writing.json(request, origin).await
    }

    /// `GET /v1/campaigns/{id}/log`; `None` where there is no such campaign.
    pub(crate) async fn log(
        &self,
        wanted: LogWanted<'_>,
        origin: &Origin,
    ) -> Result<Option<LogPage>, UpstreamError> {
        let path = ["v1", "campaigns", wanted.campaign.as_str(), "log"];
        let mut request = self
            .reading
            .request(Method::GET, &path)
            .query(&[("limit", wanted.limit.to_string())]);
        if let Some(cursor) = wanted.cursor {
            request = request.query(&[("cursor", cursor)]);
        }
        match self.reading.json(request, origin).await {
            Ok(page) => Ok(Some(page)),
            Err(error) => match &error.fault {
                Fault::Refused(problem) if problem.status == 404 => Ok(None),
                _ => Err(error),
            },
        }
    }
}
