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
/// Largest image file that can be uploaded, in bytes.
pub const MAX_IMAGE_BYTES: u64 = 20_000_000;
/// Longest `Idempotency-Key`, in bytes of printable ASCII.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 128;
/// Longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
/// Longest description, alternative text and campaign objective, in characters.
pub const MAX_DESCRIPTION_CHARS: usize = 2_000;
/// Most hashtags of one language, and most values of one list.
pub const MAX_LIST_VALUES: usize = 50;
/// Longest hashtag, in characters.
pub const MAX_HASHTAG_CHARS: usize = 80;
/// Most former image files that a document remembers.
pub const MAX_FORMER_IMAGES: usize = 20;
/// Most items on a page of a list.
pub const MAX_PAGE: u32 = 200;
/// Items on a page of a list when the caller names no limit.
pub const DEFAULT_PAGE: u32 = 50;
/// Most changes on a page of the change feed.
pub const MAX_CHANGES: u32 = 1_000;
/// Most documents that one campaign uses.
pub const MAX_CAMPAIGN_CONTENTS: usize = 500;
/// Days that an entry of a campaign's log is kept.
pub const LOG_DAYS: i64 = 90;
