//! `POST /v1/search`.

use auth::{Authorized, scope::ContentRead};
use axum::extract::State;
use contracts::{
    limits::{MAX_QUERY_CHARS, MAX_RESULTS},
    search::{SearchAnswer, SearchRequest},
};
use service_kit::{Json, ProblemResult};
use time::{Date, format_description::well_known::Iso8601};

use super::{
    AppState,
    error::{from_search, invalid},
};

/// Finds documents by meaning and by words.
pub async fn search(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    Json(request): Json<SearchRequest>,
) -> ProblemResult<Json<SearchAnswer>> {
    check(&request)?;
    state
        .searcher
        .search(&request)
        .await
        .map(Json)
        .map_err(from_search)
}

fn check(request: &SearchRequest) -> ProblemResult<()> {
    let length = request.text.chars().count();
    if request.text.trim().is_empty() || length > MAX_QUERY_CHARS {
        let detail = format!(
            "The text has {length} characters; expected 1 to {MAX_QUERY_CHARS}, not all blank."
        );
        return Err(invalid("invalid-text", "Invalid text", detail));
    }
    if !(1..=MAX_RESULTS).contains(&request.limit) {
        let detail = format!("Limit {} is not in 1 to {MAX_RESULTS}.", request.limit);
        return Err(invalid("invalid-limit", "Invalid limit", detail));
    }
    if request
        .min_score
        .is_some_and(|score| !(0.0..=1.0).contains(&score))
    {
        let detail = "min_score must lie in 0 to 1.";
        return Err(invalid("invalid-min-score", "Invalid min_score", detail));
    }
    if let Some(day) = &request.filters.usable_on {
        Date::parse(day, &Iso8601::DATE).map_err(|_| {
            let detail = format!("usable_on '{day}' is no ISO 8601 day such as 2026-11-22.");
            invalid("invalid-filter", "Invalid filter", detail)
        })?;
    }
    Ok(())
}
