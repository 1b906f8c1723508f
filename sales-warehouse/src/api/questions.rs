//! `POST /v1/questions`, `POST /v1/metrics/query`, `GET /v1/metrics`.

mod catalogue;

use auth::{Authorized, scope::SalesRead};
use axum::{
    Router,
    extract::{FromRef, Query, State, rejection::QueryRejection},
    routing::{get, post},
};
use contracts::{
    Language,
    limits::MAX_QUERY_CHARS,
    sales::{ChartFormat, Question},
};
use http::StatusCode;
use sales_questions::MetricQuery;
use serde::Deserialize;
use service_kit::{Json, ProblemResponse, ProblemResult, with_causes};
use time::OffsetDateTime;

use super::Deps;
use crate::questions::{Answer, Options, QuestionError, Questions};

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

/// The routes.
pub fn routes(deps: Deps) -> Router {
    let questions = Questions::new(deps.warehouse.clone(), deps.clock.clone());
    Router::new()
        .route("/v1/questions", post(ask))
        .route("/v1/metrics/query", post(query))
        .route("/v1/metrics", get(catalogue::get_metrics))
        .with_state(Shared { questions, deps })
}

async fn ask(
    _caller: Authorized<SalesRead>,
    State(shared): State<Shared>,
    Json(question): Json<Question>,
) -> ProblemResult<Json<Answer>> {
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
    let answered = shared
        .questions
        .ask(&question.text, question.language, options);
    answered.await.map(Json).map_err(|error| problem(&error))
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

async fn query(
    _caller: Authorized<SalesRead>,
    State(shared): State<Shared>,
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
    let answered = shared.questions.query(query, language, options);
    answered.await.map(Json).map_err(|error| problem(&error))
}

fn invalid(detail: String) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::BAD_REQUEST,
        "invalid-query",
        "Invalid query",
        detail,
    )
}

fn problem(error: &QuestionError) -> ProblemResponse {
    match error {
        QuestionError::Query(fault) => invalid(fault.to_string()),
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
