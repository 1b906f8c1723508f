//! `POST /v1/questions`, `POST /v1/metrics/query`, `GET /v1/metrics`.

mod catalogue;

use audit::{Outcome, Trail};
use auth::{Authorized, scope::SalesRead};
use axum::extract::{FromRef, Query, State, rejection::QueryRejection};
use contracts::{
    Language, Problem,
    limits::MAX_QUERY_CHARS,
    sales::{ChartFormat, Question},
};
use http::StatusCode;
use sales_questions::MetricQuery;
use serde::Deserialize;
use service_kit::{Json, ProblemResponse, ProblemResult, with_causes};
use time::OffsetDateTime;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Deps;
use crate::questions::{Answer, Kind, Options, QuestionError, Questions};

/// What these routes work with.
#[derive(Clone)]
struct Shared {
    questions: Questions,
    deps: Deps,
}

impl FromRef<Shared> for std::sync::Arc<auth::Verifier> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.deps.verifier)
    }
}

/// The routes, with their part of the OpenAPI document.
pub fn routes(deps: Deps) -> OpenApiRouter {
    let questions = Questions::new(deps.warehouse.clone(), deps.clock.clone());
    OpenApiRouter::new()
        .routes(routes!(ask))
        .routes(routes!(query))
        .routes(routes!(catalogue::get_metrics))
        .with_state(Shared { questions, deps })
}

/// Answers a question in words, or asks back, or says why not.
#[utoipa::path(
    post,
    path = "/v1/questions",
    tag = "questions",
    security(("oauth2" = ["sales:read"])),
    request_body = Question,
    responses(
        (status = 200, description = "An answer, a question back, or a refusal: see `kind`", body = Answer),
        (status = 400, description = "invalid-question, invalid-json or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "question-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn ask(
    _caller: Authorized<SalesRead>,
    State(shared): State<Shared>,
    trail: Trail,
    Json(question): Json<Question>,
) -> ProblemResult<Json<Answer>> {
    trail.note(|event| event.question = Some(question.text.clone()));
    let length = question.text.chars().count();
    if question.text.trim().is_empty() || length > MAX_QUERY_CHARS {
        return Err(ProblemResponse::new(
            StatusCode::BAD_REQUEST,
            "invalid-question",
            "Invalid question",
            format!(
                "A question has from 1 to {MAX_QUERY_CHARS} characters; this one has {length}."
            ),
        ));
    }
    let options = Options {
        plan_only: question.plan_only,
        now: question.now,
        chart: question.chart,
    };
    let language = question.language.unwrap_or(Language::En);
    let answered = shared
        .questions
        .ask(&question.text, question.language, options);
    let answer = answered.await.map_err(|error| problem(&error, language))?;
    note(&trail, &answer, options);
    Ok(Json(answer))
}

/// What was understood and how many rows came of it, so that an operator sees why.
fn note(trail: &Trail, answer: &Answer, options: Options) {
    trail.note(|event| {
        event.plan = serde_json::to_value(&answer.query)
            .ok()
            .filter(|plan| !plan.is_null());
        match answer.kind {
            Kind::Answer if options.plan_only => event.reason = Some("plan_only".to_owned()),
            Kind::Answer => event.results = Some(answer.rows.len() as u64),
            Kind::Clarify => event.reason = Some("clarify".to_owned()),
            Kind::Decline => {
                event.outcome = Some(Outcome::Refused);
                event.reason = Some(answer.reason.unwrap_or("decline").to_owned());
            }
        }
    });
}

/// How a metric query is answered.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct QueryOptions {
    language: Option<Language>,
    plan_only: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    now: Option<OffsetDateTime>,
    chart: Option<ChartFormat>,
}

/// Answers a metric query.
#[utoipa::path(
    post,
    path = "/v1/metrics/query",
    tag = "questions",
    security(("oauth2" = ["sales:read"])),
    params(
        ("language" = Option<Language>, Query, description = "Of the answer, `en` when absent"),
        ("plan_only" = Option<bool>, Query, description = "Stop before the database is asked"),
        ("now" = Option<String>, Query, description = "What \"now\" is, RFC 3339; the service's clock when absent"),
        ("chart" = Option<ChartFormat>, Query, description = "Draw the rows, where there is something to draw"),
    ),
    request_body = MetricQuery,
    responses(
        (status = 200, description = "Rows, with what they mean", body = Answer),
        (status = 400, description = "invalid-query, invalid-json or invalid-authorization-header",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "question-too-large",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
async fn query(
    _caller: Authorized<SalesRead>,
    State(shared): State<Shared>,
    trail: Trail,
    options: Result<Query<QueryOptions>, QueryRejection>,
    Json(query): Json<MetricQuery>,
) -> ProblemResult<Json<Answer>> {
    let Query(asked) = options.map_err(|rejection| invalid(rejection.body_text()))?;
    let options = Options {
        plan_only: asked.plan_only,
        now: asked.now,
        chart: asked.chart,
    };
    let language = asked.language.unwrap_or(Language::En);
    trail.note(|event| event.plan = serde_json::to_value(&query).ok());
    let answered = shared.questions.query(query, language, options);
    let answer = answered.await.map_err(|error| problem(&error, language))?;
    note(&trail, &answer, options);
    Ok(Json(answer))
}

fn invalid(detail: String) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::BAD_REQUEST,
        "invalid-query",
        "Invalid query",
        detail,
    )
}

fn problem(error: &QuestionError, language: Language) -> ProblemResponse {
    match error {
        QuestionError::Query(fault) => invalid(fault.message(language)),
        QuestionError::TooLong => ProblemResponse::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "question-too-large",
            "Question too large",
            error.to_string(),
        ),
        QuestionError::Database(cause) => super::unavailable(cause),
        QuestionError::Model(_) | QuestionError::Chart(_) => {
            ProblemResponse::internal(&with_causes(error))
        }
    }
}
