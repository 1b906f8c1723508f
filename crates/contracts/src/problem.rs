//! Errors on the wire: `application/problem+json`, RFC 9457.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, for a program (`type`) and for a person (`title`, `detail`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable URN such as `urn:promptsales:problem:invalid-limit`. Programs match on it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every occurrence of `type`.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What was wrong this time, what was expected, and what to do.
    pub detail: String,
    /// The request's id, to quote when asking for help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem of the PromptSales namespace; `slug` is the stable last part of its `type`.
    pub fn new(status: u16, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:promptsales:problem:{slug}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            request_id: None,
        }
    }

    /// The last part of `type`, such as `invalid-limit`.
    pub fn slug(&self) -> &str {
        self.kind.rsplit(':').next().unwrap_or_default()
    }
}
