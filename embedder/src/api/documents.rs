//! `PUT` and `DELETE /v1/documents`.

use super::{
    AppState,
    bounds::{check_day, check_list, check_storable},
    error::{from_indexing, invalid},
};
use auth::{Authorized, scope::IndexWrite};
use axum::extract::State;
use contracts::{
    ImageId,
    index::{
        DeleteDocuments, DeleteDocumentsAnswer, Deletion, IndexDocument, PutDocuments,
        PutDocumentsAnswer, SearchText,
    },
    limits::{MAX_DOCUMENTS_PER_PUSH, MAX_REVISION},
};
use service_kit::{Json, ProblemResponse, ProblemResult};

/// Longest title, in characters.
const MAX_TITLE: usize = 200;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 4_000;
/// Most hashtags of one language, and most values of one facet.
const MAX_VALUES: usize = 50;
/// Longest hashtag or facet value, in characters.
const MAX_VALUE: usize = 80;

/// Inserts or replaces; a repeated push changes nothing.
pub async fn put(
    _caller: Authorized<IndexWrite>,
    State(state): State<AppState>,
    Json(request): Json<PutDocuments>,
) -> ProblemResult<Json<PutDocumentsAnswer>> {
    check_count(request.documents.len())?;
    for document in &request.documents {
        check(document).map_err(|reason| refused(&document.id, &reason))?;
    }
    state
        .indexer
        .put(request.documents)
        .await
        .map(Json)
        .map_err(from_indexing)
}

/// Deletes; a repeated or unknown deletion is no error.
pub async fn delete(
    _caller: Authorized<IndexWrite>,
    State(state): State<AppState>,
    Json(request): Json<DeleteDocuments>,
) -> ProblemResult<Json<DeleteDocumentsAnswer>> {
    check_count(request.documents.len())?;
    for Deletion { id, revision } in &request.documents {
        check_revision(*revision).map_err(|reason| refused(id, &reason))?;
    }
    state
        .indexer
        .delete(request.documents)
        .await
        .map(Json)
        .map_err(from_indexing)
}

fn refused(id: &ImageId, reason: &str) -> ProblemResponse {
    let detail = format!("Document '{id}': {reason}.");
    invalid("invalid-document", "Invalid document", detail)
}

fn check_revision(revision: i64) -> Result<(), String> {
    if (0..=MAX_REVISION).contains(&revision) {
        return Ok(());
    }
    Err(format!(
        "revision is {revision}, expected 0 to {MAX_REVISION}"
    ))
}

fn check_count(count: usize) -> ProblemResult<()> {
    if (1..=MAX_DOCUMENTS_PER_PUSH).contains(&count) {
        return Ok(());
    }
    let detail = format!("{count} documents were sent; expected 1 to {MAX_DOCUMENTS_PER_PUSH}.");
    Err(invalid(
        "invalid-count",
        "Invalid number of documents",
        detail,
    ))
}

fn check(document: &IndexDocument) -> Result<(), String> {
    check_revision(document.revision)?;
    if document.text.is_empty() {
        return Err("no text in any language, expected one in 'es' or 'en'".to_owned());
    }
    for (language, text) in &document.text {
        check_text(text).map_err(|reason| format!("{reason} in '{language}'"))?;
    }
    let facets = &document.facets;
    let lists = [
        &facets.themes,
        &facets.campaign_themes,
        &facets.channels,
        &facets.audience,
        &facets.territories,
    ];
    for values in lists {
        check_values(values)?;
    }
    for day in [Some(&facets.usable_from), facets.usable_until.as_ref()]
        .into_iter()
        .flatten()
    {
        check_day(day)?;
    }
    Ok(())
}

fn check_text(text: &SearchText) -> Result<(), String> {
    let bounded = |name: &str, value: &str, most: usize| {
        let length = value.chars().count();
        if value.trim().is_empty() || length > most {
            return Err(format!(
                "{name} has {length} characters, expected 1 to {most}"
            ));
        }
        check_storable(value)
    };
    bounded("the title", &text.title, MAX_TITLE)?;
    bounded("the description", &text.description, MAX_DESCRIPTION)?;
    check_values(&text.hashtags)?;
    check_values(&text.keywords)
}

fn check_values(values: &[String]) -> Result<(), String> {
    check_list(values, MAX_VALUES)?;
    match values
        .iter()
        .find(|value| value.is_empty() || value.chars().count() > MAX_VALUE)
    {
        Some(value) => Err(format!(
            "a value of {} characters, expected 1 to {MAX_VALUE}",
            value.chars().count()
        )),
        None => Ok(()),
    }
}
