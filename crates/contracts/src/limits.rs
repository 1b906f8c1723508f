//! Bounds on what a request may hold. Each has a test where it is enforced.

/// Longest id, in bytes.
pub const MAX_ID_BYTES: usize = 80;
/// Longest description that getContent and search take, in Unicode scalar values.
pub const MAX_QUERY_CHARS: usize = 2_000;
/// Most results one answer may hold.
pub const MAX_RESULTS: u32 = 100;
/// Results when the caller names no limit.
pub const DEFAULT_RESULTS: u32 = 10;
/// Largest JSON request body, in bytes, of the public API.
pub const MAX_JSON_BODY_BYTES: usize = 64 * 1024;
/// Largest JSON request body, in bytes, between services (a batch of documents).
pub const MAX_INTERNAL_BODY_BYTES: usize = 8 * 1024 * 1024;
/// Most documents in one push to the embedder.
pub const MAX_DOCUMENTS_PER_PUSH: usize = 256;
/// Highest revision that a push may carry, 2^53 - 1: there is always one above it.
pub const MAX_REVISION: i64 = (1 << 53) - 1;
/// Most documents on one page of what the indexes hold.
pub const MAX_HELD_DOCUMENTS: u32 = 1_000;
/// Documents on such a page when the caller names no limit.
pub const DEFAULT_HELD_DOCUMENTS: u32 = 256;
/// Most texts in one embeddings request.
pub const MAX_TEXTS_PER_REQUEST: usize = 512;
/// Most values in one filter list.
pub const MAX_FILTER_VALUES: usize = 50;
/// Narrowest and widest rendition, in pixels.
pub const RENDITION_WIDTHS: std::ops::RangeInclusive<u32> = 16..=2_400;
