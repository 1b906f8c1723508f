//! Calling sales-warehouse.

use contracts::{
    Language, MetricQuery, SalesAnswer,
    sales::{Catalogue, Question},
};
use reqwest::Method;
use serde_json::Value;

use crate::{
    origin::Origin,
    upstream::{Upstream, UpstreamError},
};

/// sales-warehouse's HTTP interface.
#[derive(Debug)]
pub(crate) struct WarehouseClient {
    upstream: Upstream,
}

/// Which part of the members of a dimension is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Members<'a> {
    pub(crate) dimension: &'a str,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

impl WarehouseClient {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    /// `POST /v1/questions`: answers a question, or says what it was understood as where only a
    /// plan is wanted.
    pub(crate) async fn ask(
        &self,
        question: &Question,
        origin: &Origin,
    ) -> Result<SalesAnswer, UpstreamError> {
        self.upstream
            .post(&["v1", "questions"], question, origin)
            .await
    }

    /// `POST /v1/metrics/query`, with the answer's words in `language`.
    pub(crate) async fn query(
        &self,
        query: &MetricQuery,
        language: Language,
        origin: &Origin,
    ) -> Result<SalesAnswer, UpstreamError> {
        let request = self
            .upstream
            .request(Method::POST, &["v1", "metrics", "query"])
            .query(&[("language", language.code())])
            .json(query);
        self.upstream.json(request, origin).await
    }

    /// `GET /v1/freshness`: how old each source's data is.
    pub(crate) async fn freshness(&self, origin: &Origin) -> Result<Value, UpstreamError> {
        let request = self.upstream.request(Method::GET, &["v1", "freshness"]);
        self.upstream.json(request, origin).await
    }

    /// `GET /v1/metrics`: what can be asked about, and a page of one dimension's members.
    pub(crate) async fn catalogue(
        &self,
        language: Language,
        members: Option<Members<'_>>,
        origin: &Origin,
    ) -> Result<Catalogue, UpstreamError> {
        let mut request = self
            .upstream
            .request(Method::GET, &["v1", "metrics"])
            .query(&[("language", language.code())]);
        if let Some(page) = members {
            let (offset, limit) = (page.offset.to_string(), page.limit.to_string());
            request = request.query(&[
                ("members", page.dimension),
                ("offset", &offset),
                ("limit", &limit),
            ]);
        }
        self.upstream.json(request, origin).await
    }
}
