//! Conditional requests, RFC 9110 section 13.

use http::{HeaderMap, header};

/// Does the caller hold this version already? The comparison of `If-None-Match` is weak.
pub fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|held| held == "*" || held.trim_start_matches("W/") == etag)
}
