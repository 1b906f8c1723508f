//! Failures that an assistant reads: what was wrong, what is valid, what to do next.

use audit::Outcome;
use rmcp::model::{CallToolResult, ContentBlock};

use crate::{
    confirmation::ConfirmationFault,
    tools::stored_text::clean,
    upstream::{Fault, UpstreamError},
};

/// Longest explanation that goes out, in characters.
const MAX_DETAIL_CHARS: usize = 1_500;
/// What to try after when a service names no time, in seconds.
const DEFAULT_RETRY_SECONDS: u32 = 5;
/// What to do about arguments that do not hold.
const CORRECT: &str = "Correct the arguments and call again.";

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
    /// No service answered; what each said is for the assistant.
    #[error("no part of the answer could be had")]
    Nothing(String),
    /// Something was to be written and was not confirmed as it must be.
    #[error(transparent)]
    Confirmation(#[from] ConfirmationFault),
    /// Time was up before there was anything to show.
    #[error("the answer took too long")]
    TooSlow,
    /// More than an assistant should be sent, in bytes of JSON.
    #[error("the reply has {0} bytes, more than an assistant should be sent")]
    TooLong(usize),
}

impl Refusal {
    /// Which of them, for metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Arguments(_) => "invalid_arguments",
            Self::Upstream(error) => match error.fault {
                Fault::Refused(_) => "refused",
                Fault::Unavailable { .. } => "unavailable",
                Fault::GatewayRefused(_) | Fault::NoToken(_) => "not_let_in",
                Fault::Unexpected(_) => "not_understood",
            },
            Self::Nothing(_) => "nothing",
            Self::Confirmation(_) => "unconfirmed",
            Self::TooSlow => "too_slow",
            Self::TooLong(_) => "too_long",
        }
    }

    /// For the audit: refused is what the caller can mend, failed what nobody did wrong who asked.
    pub(crate) fn audited(&self) -> Outcome {
        match self {
            Self::Arguments(_) | Self::Confirmation(_) | Self::TooLong(_) => Outcome::Refused,
            Self::Upstream(error) => match error.fault {
                Fault::Refused(_) => Outcome::Refused,
                Fault::Unavailable { .. }
                | Fault::GatewayRefused(_)
                | Fault::NoToken(_)
                | Fault::Unexpected(_) => Outcome::Failed,
            },
            Self::Nothing(_) | Self::TooSlow => Outcome::Failed,
        }
    }

    pub(crate) fn into_result(self) -> CallToolResult {
        let text = match self {
            Self::Arguments(detail) => {
                format!("{} {CORRECT}", sentence(&detail))
            }
            Self::Upstream(error) => explain(&error),
            Self::Nothing(said) => clean(&said, MAX_DETAIL_CHARS),
            Self::Confirmation(fault) => unconfirmed(fault).to_owned(),
            Self::TooSlow => {
                "PromptSales did not answer in time; nothing was looked up to the end, so \
                 this says nothing about what exists. Try again, or ask for less at once."
                    .to_owned()
            }
            Self::TooLong(_) => {
                "The answer is longer than an assistant should be sent; ask for less at once: fewer \
                 results, fewer columns, a narrower filter."
                    .to_owned()
            }
        };
        CallToolResult::error(vec![ContentBlock::text(text)])
    }
}

/// A detail, ready for another sentence behind it.
fn sentence(detail: &str) -> String {
    let mut said = clean(detail, MAX_DETAIL_CHARS);
    if !said.ends_with(['.', '!', '?', '…']) {
        said.push('.');
    }
    said
}

/// Why nothing was written, and how to get there.
fn unconfirmed(fault: ConfirmationFault) -> &'static str {
    match fault {
        ConfirmationFault::Foreign => {
            "Nothing was written: this confirmation is not one that was given out to this caller for these \
             arguments. Call again without a confirmation_token, show the new summary to the user, and \
             repeat exactly the same arguments with its token."
        }
        ConfirmationFault::Expired => {
            "Nothing was written: this confirmation has expired. Call again without a confirmation_token, \
             show the new summary to the user, and confirm sooner."
        }
        ConfirmationFault::Used => {
            "Nothing more was written: this confirmation was used before, so the campaign is registered, or \
             is being registered. If its answer was lost, call again without a confirmation_token and \
             otherwise the same, and have the user confirm anew: within a day the same idempotency_key \
             gives the campaign that is there and registers no other."
        }
        ConfirmationFault::Missing => {
            "Nothing was written: the user's answer came without the requestState that went out with the \
             question. Call again from the beginning."
        }
        ConfirmationFault::Busy => {
            "Nothing was written: too many campaigns are being confirmed just now. Try again in a minute."
        }
    }
}

/// What an assistant should know of a service that gave no answer, and nothing of the cause.
pub(crate) fn explain(error: &UpstreamError) -> String {
    let service = error.service.title();
    match &error.fault {
        Fault::Refused(problem) => format!(
            "{}: {} {CORRECT}",
            clean(&problem.title, 100),
            sentence(&problem.detail)
        ),
        Fault::Unavailable { retry_after, .. } => format!(
            "{service} does not answer just now; nothing was looked up, so this says nothing about \
             what exists. Try again in {} seconds, and tell the user if it fails again.",
            retry_after.unwrap_or(DEFAULT_RETRY_SECONDS)
        ),
        Fault::GatewayRefused(_) | Fault::NoToken(_) => format!(
            "This gateway is not let in to {}: a fault of the installation, not of the question. \
             Trying again will not help; ask the operator to check the gateway's own OAuth client \
             ({}).",
            error.service.name(),
            error.service.scope()
        ),
        Fault::Unexpected(_) => format!(
            "{service} gave an answer that this gateway cannot read: a fault of the installation, \
             not of the question. Ask the operator to look at the gateway's log."
        ),
    }
}
