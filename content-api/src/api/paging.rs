//! Pages of lists: limits and cursors.

use axum::extract::{Query, rejection::QueryRejection};
use contracts::{
    ImageId,
    limits::{DEFAULT_PAGE, MAX_PAGE},
};
use service_kit::ProblemResponse;

use crate::error::invalid_parameter;

/// The parameters, each of them known and there once.
pub fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, ProblemResponse> {
    query.map(|Query(query)| query).map_err(|rejection| {
        invalid_parameter("invalid-query", "Invalid query", rejection.body_text())
    })
}

/// Items on a page, 1 to `most`.
pub fn limit(asked: Option<&str>, usual: u32, most: u32) -> Result<u32, ProblemResponse> {
    let Some(asked) = asked else { return Ok(usual) };
    asked
        .parse()
        .ok()
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| {
            let detail = format!("The limit must be a whole number from 1 to {most}.");
            invalid_parameter("invalid-limit", "Invalid limit", detail)
        })
}

/// Items on a page of an ordinary list.
pub fn page_limit(asked: Option<&str>) -> Result<u32, ProblemResponse> {
    limit(asked, DEFAULT_PAGE, MAX_PAGE)
}

/// The cursor of what comes after an id. Callers are to take it as it is.
pub fn after_id(id: &ImageId) -> String {
    format!("i.{id}")
}

/// The id in such a cursor.
pub fn id_in(cursor: Option<&str>) -> Result<Option<ImageId>, ProblemResponse> {
    cursor
        .map(|cursor| {
            let id = cursor.strip_prefix("i.").and_then(|id| id.parse().ok());
            id.ok_or_else(unknown_cursor)
        })
        .transpose()
}

/// The cursor of what comes after a position.
pub fn after_position(position: i64) -> String {
    format!("p.{position}")
}

/// The position in such a cursor; 0, the beginning, without one.
pub fn position_in(cursor: Option<&str>) -> Result<i64, ProblemResponse> {
    let Some(cursor) = cursor else { return Ok(0) };
    let position = cursor.strip_prefix("p.").and_then(|text| text.parse().ok());
    position
        .filter(|position| *position >= 0)
        .ok_or_else(unknown_cursor)
}

fn unknown_cursor() -> ProblemResponse {
    invalid_parameter(
        "invalid-cursor",
        "Invalid cursor",
        "The cursor is none of this list: send one as an earlier page gave it, or none.",
    )
}
