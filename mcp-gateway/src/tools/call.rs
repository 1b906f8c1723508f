//! What every call of a tool has, and what happens around all of them: a deadline, a bounded reply,
//! a line in the log, and failures as results that an assistant can read.

use std::time::Instant;

use audit::{Event, Outcome, Trail};
use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, InputResponses, JsonObject, Tool,
    ToolAnnotations,
};
use schemars::JsonSchema;
use serde::Serialize;
use tracing::Instrument as _;

use crate::{
    Gateway,
    origin::Origin,
    tools::{GatewayTool, refusal::Refusal, schema},
};

/// Bytes of JSON that a reply may have, pictures aside: a reply may cost 25,000 tokens. Spanish and
/// English take more than three bytes each, digits and names two and a half.
const MAX_REPLY_BYTES: usize = 62_500;

/// A call of a tool that its caller may call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) arguments: JsonObject,
    pub(crate) round: Round,
    pub(crate) origin: Origin,
    /// Takes what a tool knows of its answer, for the audit event.
    pub(crate) trail: Trail,
}

/// What a client sent along to go on with a call, and whether it can be asked back.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// To what was asked back.
    pub(crate) responses: Option<InputResponses>,
    /// What went out with the question back. It comes from the client: nothing to believe unopened.
    pub(crate) state: Option<String>,
    /// The client takes `input_required` results and shows forms.
    pub(crate) can_ask_back: bool,
}

impl Call<'_> {
    /// Does the work. Whatever goes wrong is part of the result, for the assistant to read.
    pub(crate) async fn run(&self, tool: GatewayTool) -> CallToolResponse {
        let title = format!("tool {}", tool.name());
        let span = tracing::info_span!("tool", otel.kind = "internal", otel.name = title);
        self.run_within(tool).instrument(span).await
    }

    async fn run_within(&self, tool: GatewayTool) -> CallToolResponse {
        let began = Instant::now();
        let limit = self.gateway.config().tool_deadline;
        let outcome = match tokio::time::timeout(limit, tool.work(self)).await {
            Ok(outcome) => outcome.and_then(within_budget),
            Err(_) => Err(Refusal::TooSlow),
        };
        let (name, subject) = (tool.name(), self.origin.subject());
        let took = began.elapsed();
        let ended = outcome.as_ref().map_or_else(Refusal::kind, |_| "ok");
        self.gateway.metrics().called(tool, ended, took);
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (audited, reason) = match &outcome {
            Ok(_) => (Outcome::Allowed, None),
            Err(refusal) => (refusal.audited(), Some(refusal.to_string())),
        };
        self.audit(tool, audited, reason, Some(took_ms));
        match outcome {
            Ok(response) => {
                tracing::info!(tool = name, subject, took_ms, "tool called");
                response
            }
            Err(refusal) => {
                tracing::warn!(tool = name, subject, took_ms, error = %refusal, "tool failed");
                refusal.into_result().into()
            }
        }
    }
}

impl Call<'_> {
    /// Somebody hung up before there was an answer.
    pub(crate) fn cancelled(&self, tool: GatewayTool) {
        let reason = Some("cancelled by the client".to_owned());
        self.audit(tool, Outcome::Failed, reason, None);
    }

    fn audit(
        &self,
        tool: GatewayTool,
        outcome: Outcome,
        reason: Option<String>,
        took_ms: Option<u64>,
    ) {
        let (event, _) = self.trail.taken();
        let (subject, client_id) = self.origin.identity();
        let request_id = self.origin.request_id.as_ref();
        self.gateway.config().audit.record(Event {
            action: tool.name().to_owned(),
            outcome: event.outcome.or(Some(outcome)),
            reason: event.reason.clone().or(reason),
            subject: Some(subject.to_owned()),
            client_id: Some(client_id.to_owned()),
            request_id: request_id.and_then(|id| id.to_str().ok().map(str::to_owned)),
            took_ms,
            ..event
        });
    }
}

/// Every tool bounds what it shows; this holds where one forgot something.
fn within_budget(response: CallToolResponse) -> Result<CallToolResponse, Refusal> {
    let CallToolResponse::Complete(result) = &response else {
        return Ok(response);
    };
    let blocks = result.content.iter().filter(|one| one.as_image().is_none());
    let bytes = blocks.map(bytes_of).sum::<usize>() + bytes_of(&result.structured_content);
    if bytes > MAX_REPLY_BYTES {
        return Err(Refusal::TooLong(bytes));
    }
    Ok(response)
}

/// As JSON.
fn bytes_of(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

/// A tool that changes nothing, as `tools/list` shows it: `A` is what it takes, `O` what it returns.
pub(crate) fn reading<A: JsonSchema, O: JsonSchema>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
) -> Tool {
    define::<A, O>(name, title, description, true)
}

/// A tool that adds something, and once only, however often it is called with the same arguments.
pub(crate) fn adding<A: JsonSchema, O: JsonSchema>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
) -> Tool {
    define::<A, O>(name, title, description, false)
}

fn define<A: JsonSchema, O: JsonSchema>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    read_only: bool,
) -> Tool {
    Tool::new(name, description, schema::input::<A>())
        .with_title(title)
        .with_raw_output_schema(schema::output::<O>())
        .with_annotations(
            ToolAnnotations::with_title(title)
                .read_only(read_only)
                .destructive(false)
                .idempotent(true)
                .open_world(false),
        )
}

/// A result with its blocks and its structured form.
pub(crate) fn result(blocks: Vec<ContentBlock>, answer: &impl Serialize) -> CallToolResult {
    let mut result = CallToolResult::success(blocks);
    result.structured_content =
        Some(serde_json::to_value(answer).expect("texts and numbers always serialise"));
    result
}

#[cfg(test)]
mod tests {
    use rmcp::model::{CallToolResult, ContentBlock};

    use super::{MAX_REPLY_BYTES, within_budget};

    #[test]
    fn a_reply_over_the_budget_goes_to_nobody_and_pictures_do_not_count() {
        let of = |text: usize, picture: usize| {
            let blocks = vec![
                ContentBlock::text("x".repeat(text)),
                ContentBlock::image("y".repeat(picture), "image/jpeg"),
            ];
            within_budget(CallToolResult::success(blocks).into())
        };
        assert!(of(MAX_REPLY_BYTES - 100, MAX_REPLY_BYTES).is_ok());
        assert!(of(MAX_REPLY_BYTES, 0).is_err());
    }
}
