//! Tools that answer at once.

use rmcp::{ErrorData, RoleServer, model::*, service::RequestContext};
use serde_json::{Value, json};

use super::{catalogue::PICTURE, fixture::Fixture, input_required::ask};

/// A WAV file without a sound.
const SOUND: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

const NAMES: [&str; 13] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_tool_with_logging",
    "test_error_handling",
    "test_tool_with_progress",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_logging_tool",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
];

pub(super) fn definitions() -> Vec<Tool> {
    NAMES.into_iter().map(without_arguments).collect()
}

pub(super) fn without_arguments(name: &'static str) -> Tool {
    let schema = json!({"type": "object", "properties": {}});
    let Value::Object(schema) = schema else {
        unreachable!()
    };
    Tool::new(name, "A fixture of the conformance suite", schema)
}

pub(super) fn done(text: impl Into<String>) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

pub(super) fn unknown(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("unknown tool '{name}'"), None)
}

pub(super) async fn call(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let shown = |blocks| Ok(CallToolResult::success(blocks).into());
    let picture = || ContentBlock::image(PICTURE, "image/png");
    match request.name.as_ref() {
        "test_simple_text" => Ok(done("This is a simple text response for testing.")),
        "test_image_content" => shown(vec![picture()]),
        "test_audio_content" => {
            let sound = AudioContent::new(SOUND, "audio/wav");
            shown(vec![ContentBlock::Audio(sound)])
        }
        "test_embedded_resource" => shown(vec![embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )]),
        "test_multiple_content_types" => shown(vec![
            ContentBlock::text("Multiple content types test:"),
            picture(),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            ),
        ]),
        "test_error_handling" => {
            let why = "This tool intentionally returns an error for testing";
            Ok(CallToolResult::error(vec![ContentBlock::text(why)]).into())
        }
        "test_tool_with_logging" => {
            for message in [
                "Tool execution started",
                "Tool processing data",
                "Tool execution completed",
            ] {
                log(context, LoggingLevel::Info, message).await?;
            }
            Ok(done("logged"))
        }
        "test_logging_tool" => {
            if let Some(level) = context.meta.log_level() {
                log(context, level, "a level was asked for").await?;
            }
            Ok(done("logged what was asked for"))
        }
        "test_tool_with_progress" => progress(context).await,
        "test_missing_capability" => {
            let capabilities = context.meta.client_capabilities().unwrap_or_default();
            if capabilities.sampling.is_none() {
                let needed = ClientCapabilities::builder().enable_sampling().build();
                return Err(ErrorData::missing_required_client_capability(needed));
            }
            Ok(done("the capability is there"))
        }
        "test_streaming_elicitation" => {
            let wanted = [("value".to_owned(), ask("Provide a value", "value"))];
            Ok(InputRequiredResult::from_input_requests(wanted.into_iter().collect()).into())
        }
        "test_trigger_tool_change" => {
            for listener in fixture.listeners() {
                // One that is gone hinders nobody.
                drop(listener.notify_tool_list_changed().await);
            }
            Ok(done("said"))
        }
        "test_trigger_prompt_change" => {
            for listener in fixture.listeners() {
                drop(listener.notify_prompt_list_changed().await);
            }
            Ok(done("said"))
        }
        name => Err(unknown(name)),
    }
}

fn embedded(uri: &str, kind: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(text, uri).with_mime_type(kind))
}

async fn log(
    context: &RequestContext<RoleServer>,
    level: LoggingLevel,
    message: &str,
) -> Result<(), ErrorData> {
    let message = LoggingMessageNotificationParam::new(level, json!(message));
    let sent = context.peer.notify_logging_message(message).await;
    sent.map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

async fn progress(context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let Some(token) = context.meta.get_progress_token() else {
        return Ok(done("nobody wants to know"));
    };
    for progress in [0.0, 50.0, 100.0] {
        let step = ProgressNotificationParam::new(token.clone(), progress).with_total(100.0);
        let sent = context.peer.notify_progress(step).await;
        sent.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    }
    Ok(done("done"))
}
