//! `POST /v1/search`.

use super::{
    AppState,
    bounds::{check_day, check_list, check_storable},
    error::{from_search, invalid},
};
use auth::{Authorized, scope::ContentRead};
use axum::extract::State;
use contracts::{
    Filters,
    limits::{MAX_FILTER_VALUES, MAX_QUERY_CHARS, MAX_RESULTS},
    search::{SearchAnswer, SearchRequest},
};
use service_kit::{Json, ProblemResult};

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
    check_filters(&request.filters)
        .map_err(|reason| invalid("invalid-filter", "Invalid filter", format!("{reason}.")))
}

fn check_filters(filters: &Filters) -> Result<(), String> {
    let lists = [
        ("themes", &filters.themes),
        ("campaign_themes", &filters.campaign_themes),
        ("channels", &filters.channels),
        ("audience", &filters.audience),
    ];
    for (name, values) in lists {
        check_list(values, MAX_FILTER_VALUES).map_err(|reason| format!("{name}: {reason}"))?;
    }
    if let Some(territory) = &filters.territory {
        check_storable(territory).map_err(|reason| format!("territory: {reason}"))?;
    }
    if let Some(day) = &filters.usable_on {
        check_day(day).map_err(|reason| format!("usable_on {reason}"))?;
    }
    Ok(())
}
