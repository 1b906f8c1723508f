//! What is known about a question before its route is decided.

use std::time::Duration;

use contracts::{
    GetContentRequest, Language,
    sales::{AnswerKind, Question},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::compound::{self, Compound};
use crate::{
    content_client::ContentClient,
    embedder_client::{EmbedderClient, Embedding},
    origin::Origin,
    upstream::{Service, UpstreamError},
    warehouse_client::WarehouseClient,
};

/// Wordings of the warehouse's part of a question that are tried.
const MAX_WORDINGS: usize = 4;
/// Images that are looked at: whether one stands out says more than how near it is.
const IMAGES: i64 = 5;

/// What the services say about a question. What one of them did not say is `None`, and the service
/// is among `missing`. It can be kept, so that a model is fitted again without the services.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The question's own vector.
    pub(crate) embedding: Option<Embedding>,
    /// What the warehouse would make of it.
    pub(crate) plan: Option<Plan>,
    /// What the warehouse would make of its own part of a question in two parts.
    pub(crate) part: Option<Plan>,
    /// How well the best image fits.
    pub(crate) hit: Option<Hit>,
    /// The question's language, as the warehouse or content-api guessed it.
    pub(crate) language: Option<Language>,
    /// Services that said nothing.
    #[serde(skip)]
    pub(crate) missing: Vec<Service>,
}

/// What the warehouse would make of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) kind: AnswerKind,
    /// Why it is no answer.
    pub(crate) reason: Option<String>,
    /// The part of the words that it understands, 0 to 1.
    pub(crate) explained: f64,
    /// Whether it sees a metric.
    pub(crate) metric: bool,
    /// Whether it sees a dimension or one of its members.
    pub(crate) dimension: bool,
    /// Whether each row would be a campaign.
    pub(crate) by_campaign: bool,
    /// Whether each row would be an image.
    pub(crate) by_content: bool,
    /// Whether it sees days that count.
    pub(crate) time: bool,
    /// Whether it sees a first or last so many, or an order.
    pub(crate) ranked: bool,
    /// How many metrics, dimensions and filters it would ask by.
    pub(crate) metrics: usize,
    pub(crate) dimensions: usize,
    pub(crate) filters: usize,
    /// How many ways on it offers.
    pub(crate) choices: usize,
}

/// The best image for a text, however far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hit {
    /// 0 to 1; 0 where there is no image at all.
    pub(crate) score: f64,
    /// Nearness of meaning, -1 to 1.
    pub(crate) dense: f64,
    /// Words in common, 0 to 1.
    pub(crate) lexical: f64,
    /// How many of its words the image's text has.
    pub(crate) matched: usize,
    /// Mean nearness of meaning of the first few.
    pub(crate) mean_dense: f64,
}

/// The services that give evidence.
#[derive(Clone, Copy)]
pub(crate) struct Witnesses<'a> {
    pub(crate) embedder: &'a EmbedderClient,
    pub(crate) warehouse: &'a WarehouseClient,
    pub(crate) content: &'a ContentClient,
    /// Longest wait for all of it: tokens, and calls one after the other, included.
    pub(crate) deadline: Duration,
}

impl Witnesses<'_> {
    /// Asks all of them at once. A service that fails or is late gives no evidence; where only a part
    /// of what it was asked is late, the rest counts.
    pub(crate) async fn hear(
        &self,
        text: &str,
        language: Option<Language>,
        origin: &Origin,
    ) -> Evidence {
        let compound = compound::read(text);
        let (embedding, plan, part, hit) = tokio::join!(
            self.in_time(Service::Embedder, self.embedder.embed(text, origin)),
            self.in_time(Service::Warehouse, self.plan(text, language, origin)),
            self.part(compound.as_ref(), language, origin),
            self.in_time(Service::Content, self.hit(text, language, origin)),
        );
        let mut missing = Vec::new();
        let mut note = |error: &UpstreamError| {
            tracing::warn!(%error, "a question is routed without its evidence");
            if !missing.contains(&error.service) {
                missing.push(error.service);
            }
        };
        let embedding = embedding.inspect_err(&mut note).ok();
        let (plan, guess) = plan.inspect_err(&mut note).ok().unzip();
        let part = part.inspect_err(&mut note).ok().flatten();
        let (hit, other_guess) = hit.inspect_err(&mut note).ok().unzip();
        Evidence {
            embedding,
            plan,
            part,
            hit,
            language: guess.or(other_guess),
            missing,
        }
    }

    async fn in_time<T>(
        &self,
        service: Service,
        work: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        self.until(Instant::now() + self.deadline, service, work)
            .await
    }

    async fn until<T>(
        &self,
        deadline: Instant,
        service: Service,
        work: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        let outcome = tokio::time::timeout_at(deadline, work).await;
        outcome.unwrap_or_else(|_| Err(UpstreamError::late(service, self.deadline)))
    }

    async fn plan(
        &self,
        text: &str,
        language: Option<Language>,
        origin: &Origin,
    ) -> Result<(Plan, Language), UpstreamError> {
        let question = Question {
            text: text.to_owned(),
            language,
            plan_only: true,
            ..Question::default()
        };
        let answer = self.warehouse.ask(&question, origin).await?;
        let evidence = answer.evidence.unwrap_or_default();
        let by = |dimension: &str| {
            let mut queries = answer.query.iter();
            queries.any(|query| query.dimensions.iter().any(|one| one == dimension))
        };
        let query = answer.query.as_ref();
        let plan = Plan {
            kind: answer.kind,
            explained: evidence.explained.clamp(0.0, 1.0),
            metric: evidence.metric,
            dimension: evidence.dimension,
            by_campaign: by("campaign"),
            by_content: by("content"),
            time: query.is_some_and(|query| query.time.is_some()),
            ranked: query.is_some_and(|query| query.limit.is_some() || !query.order.is_empty()),
            metrics: query.map_or(0, |query| query.metrics.len()),
            dimensions: query.map_or(0, |query| query.dimensions.len()),
            filters: query.map_or(0, |query| query.filters.len()),
            choices: answer.choices.len(),
            reason: answer.reason,
        };
        Ok((plan, answer.language))
    }

    /// The first wording that the warehouse would answer, else what it makes of the first; also where a later one fails
    /// or is late.
    async fn part(
        &self,
        compound: Option<&Compound>,
        language: Option<Language>,
        origin: &Origin,
    ) -> Result<Option<Plan>, UpstreamError> {
        let deadline = Instant::now() + self.deadline;
        let mut first = None;
        let wordings = compound.map_or(&[][..], Compound::sales);
        for wording in wordings.iter().take(MAX_WORDINGS) {
            let plan = self.plan(wording, language, origin);
            let plan = match self.until(deadline, Service::Warehouse, plan).await {
                Ok((plan, _)) => plan,
                Err(error) if first.is_none() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a question is routed without its other wordings");
                    break;
                }
            };
            if plan.kind == AnswerKind::Answer {
                return Ok(Some(plan));
            }
            first.get_or_insert(plan);
        }
        Ok(first)
    }

    async fn hit(
        &self,
        text: &str,
        language: Option<Language>,
        origin: &Origin,
    ) -> Result<(Hit, Language), UpstreamError> {
        let request = GetContentRequest {
            description: text.to_owned(),
            limit: Some(IMAGES),
            language,
            filters: Default::default(),
            // How near the best one is says more than whether it passed.
            min_score: Some(0.0),
        };
        let answer = self.content.get_content(&request, origin).await?;
        let count = answer.results.len().max(1) as f64;
        let dense = answer.results.iter().map(|one| finite(one.reason.dense));
        let mean_dense = dense.sum::<f64>() / count;
        let hit = answer.results.first().map(|best| Hit {
            mean_dense,
            matched: best.reason.matched_terms.len(),
            score: finite(best.score),
            dense: finite(best.reason.dense),
            lexical: finite(best.reason.lexical),
        });
        Ok((hit.unwrap_or_default(), answer.language))
    }
}

fn finite(value: f32) -> f64 {
    if value.is_finite() { value.into() } else { 0.0 }
}

impl Evidence {
    /// Services that said nothing.
    pub fn missing(&self) -> &[Service] {
        &self.missing
    }

    /// The question's own vector and the model that made it.
    pub fn embedding(&self) -> Option<(&str, &[f32])> {
        let embedding = self.embedding.as_ref()?;
        Some((&embedding.model, &embedding.vector))
    }
}
