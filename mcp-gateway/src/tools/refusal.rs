//! Failures that an assistant reads: what was wrong, what is valid, what to do next.

use rmcp::model::{CallToolResult, ContentBlock};

use crate::{content_client::UpstreamError, tools::stored_text::clean};

/// Longest explanation that goes out, in characters.
const MAX_DETAIL_CHARS: usize = 1_500;
/// What to try after when content-api names no time, in seconds.
const DEFAULT_RETRY_SECONDS: u32 = 5;

/// Why a tool did not do its work. It becomes a result with `isError`, not a protocol error: an
/// assistant sees the former and can act on it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The arguments do not hold. The text may quote them, so it stays out of the log.
    #[error("invalid arguments")]
    Arguments(String),
    /// The service behind did not answer the question.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

impl Refusal {
    pub(crate) fn into_result(self) -> CallToolResult {
        let text = match self {
            Self::Arguments(detail) => {
                format!(
                    "{} Correct the arguments and call again.",
                    clean(&detail, MAX_DETAIL_CHARS)
                )
            }
            Self::Upstream(UpstreamError::Refused(problem)) => format!(
                "{}: {} Correct the arguments and call again.",
                clean(&problem.title, 100),
                clean(&problem.detail, MAX_DETAIL_CHARS)
            ),
            Self::Upstream(UpstreamError::Unavailable { retry_after, .. }) => format!(
                "Content search does not answer just now; nothing was searched, so this says nothing \
                 about whether images exist. Try again in {} seconds, and tell the user if it fails \
                 again.",
                retry_after.unwrap_or(DEFAULT_RETRY_SECONDS)
            ),
            Self::Upstream(UpstreamError::GatewayRefused(_) | UpstreamError::NoToken(_)) => {
                "This gateway is not let in to content search: a fault of the installation, not of \
                 the question. Trying again will not help; ask the operator to check the gateway's \
                 own OAuth client (content:read)."
                    .to_owned()
            }
            Self::Upstream(UpstreamError::Unexpected(_)) => {
                "Content search gave an answer that this gateway cannot read: a fault of the \
                 installation, not of the question. Ask the operator to look at the gateway's log."
                    .to_owned()
            }
        };
        CallToolResult::error(vec![ContentBlock::text(text)])
    }
}
