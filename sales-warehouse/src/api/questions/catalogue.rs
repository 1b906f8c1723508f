//! What can be asked about.

use auth::{Authorized, scope::SalesRead};
use axum::extract::{Query, State, rejection::QueryRejection};
use contracts::{Language, Problem};
use sales_questions::{
    eval::{self, Verified},
    model::{Dimension, Kind, Metric, Unit},
};
use serde::{Deserialize, Serialize};
use service_kit::{Json, ProblemResponse, ProblemResult};
use utoipa::ToSchema;

use super::{Shared, invalid, problem};

/// Members in an answer, unless the caller asks for another number.
const DEFAULT_LIMIT: usize = 100;
/// Most that it may ask for.
const MAX_LIMIT: usize = 1_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    language: Option<Language>,
    /// The dimension whose members are wanted.
    members: Option<String>,
    offset: usize,
    limit: Option<usize>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Catalogue {
    metrics: Vec<MetricEntry>,
    dimensions: Vec<DimensionEntry>,
    /// Of the dimension that was asked for.
    members: Option<MembersPage>,
    /// Questions whose rows were checked against SQL written by hand.
    verified: Vec<Verified>,
}

#[derive(Debug, Serialize, ToSchema)]
struct MetricEntry {
    name: String,
    label: String,
    description: String,
    unit: Unit,
    kind: Kind,
    lower_is_better: bool,
    synonyms: Vec<String>,
    /// What it can be grouped and filtered by.
    dimensions: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct DimensionEntry {
    name: String,
    label: String,
    description: String,
    synonyms: Vec<String>,
    members: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct MembersPage {
    dimension: String,
    total: usize,
    offset: usize,
    items: Vec<MemberEntry>,
}

#[derive(Debug, Serialize, ToSchema)]
struct MemberEntry {
    code: String,
    names: Vec<String>,
}

/// The metrics, the dimensions, the members of one, and the verified questions.
#[utoipa::path(
    get,
    path = "/v1/metrics",
    tag = "questions",
    security(("oauth2" = ["sales:read"])),
    params(
        ("language" = Option<Language>, Query, description = "Of labels and descriptions, `en` when absent"),
        ("members" = Option<String>, Query, description = "The dimension whose members are wanted"),
        ("offset" = Option<usize>, Query, description = "Members to pass over"),
        ("limit" = Option<usize>, Query, description = "Most members to show, 100 when absent",
            minimum = 1, maximum = 1000),
    ),
    responses(
        (status = 200, description = "What can be asked about", body = Catalogue),
        (status = 400, description = "invalid-authorization-header or invalid-query",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "missing-token or invalid-token",
            body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "insufficient-scope",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "unavailable or deadline-exceeded",
            body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn get_metrics(
    _caller: Authorized<SalesRead>,
    State(shared): State<Shared>,
    page: Result<Query<Page>, QueryRejection>,
) -> ProblemResult<Json<Catalogue>> {
    let Query(page) = page.map_err(|rejection| invalid(rejection.body_text()))?;
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid(format!("A limit is from 1 to {MAX_LIMIT}.")));
    }
    let model = shared.questions.model();
    let language = page.language.unwrap_or(Language::En);
    let known = shared
        .questions
        .known()
        .await
        .map_err(|error| problem(&error, language))?;
    let of = |dimension: &str| {
        let wanted = dimension.to_owned();
        let all = known.members.iter();
        all.filter(move |member| member.dimension == wanted)
    };
    let members = match page.members {
        None => None,
        Some(name) if model.dimension(&name).is_none() => {
            return Err(invalid(format!("There is no dimension '{name}'.")));
        }
        Some(name) => Some(MembersPage {
            total: of(&name).count(),
            offset: page.offset,
            items: of(&name)
                .skip(page.offset)
                .take(limit)
                .map(|member| MemberEntry {
                    code: member.code.clone(),
                    names: member.names.clone(),
                })
                .collect(),
            dimension: name,
        }),
    };
    let metric = |one: &Metric| MetricEntry {
        name: one.name.clone(),
        label: one.label(language).to_owned(),
        description: one.description(language).to_owned(),
        unit: one.unit,
        kind: one.kind,
        lower_is_better: one.lower_is_better(),
        synonyms: one.synonyms.clone(),
        dimensions: model
            .dimensions()
            .iter()
            .filter(|dimension| model.reaches(&one.name, &dimension.name))
            .map(|dimension| dimension.name.clone())
            .collect(),
    };
    let dimension = |one: &Dimension| DimensionEntry {
        name: one.name.clone(),
        label: one.label(language).to_owned(),
        description: one.description.clone(),
        synonyms: one.synonyms.clone(),
        members: of(&one.name).count(),
    };
    Ok(Json(Catalogue {
        metrics: model.metrics().iter().map(metric).collect(),
        dimensions: model.dimensions().iter().map(dimension).collect(),
        members,
        verified: eval::verified().map_err(|error| ProblemResponse::internal(&error))?,
    }))
}
