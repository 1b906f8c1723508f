//! Resources and prompts.

use rmcp::{ErrorData, model::*};
use serde_json::{Value, json};

use super::input_required::{answered, ask};

/// One red pixel, as PNG.
pub(super) const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
/// As long as a client may keep anything of it.
pub(super) const TTL_MS: u64 = 60_000;

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";

pub(super) fn resources() -> ListResourcesResult {
    let resource =
        |uri: &str, name: &str, kind: &str| Resource::new(uri, name).with_mime_type(kind);
    let all = vec![
        resource(TEXT, "text", "text/plain"),
        resource(BINARY, "binary", "image/png"),
    ];
    ListResourcesResult::with_all_items(all)
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

pub(super) fn templates() -> ListResourceTemplatesResult {
    let template = ResourceTemplate::new("test://template/{id}/data", "template")
        .with_mime_type("application/json");
    ListResourceTemplatesResult::with_all_items(vec![template])
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

pub(super) fn read(uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let contents = match uri {
        TEXT => {
            let text = "This is the content of the static text resource.";
            ResourceContents::text(text, uri).with_mime_type("text/plain")
        }
        BINARY => ResourceContents::blob(PICTURE, uri).with_mime_type("image/png"),
        _ => {
            let id = uri.strip_prefix("test://template/");
            let id = id.and_then(|rest| rest.strip_suffix("/data"));
            let id = id.ok_or_else(|| {
                ErrorData::resource_not_found("nothing there", Some(json!({"uri": uri})))
            })?;
            let text = json!({"id": id, "templateTest": true, "data": format!("Data for {id}")});
            ResourceContents::text(text.to_string(), uri).with_mime_type("application/json")
        }
    };
    Ok(ReadResourceResult::new(vec![contents])
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private))
}

pub(super) fn prompts() -> ListPromptsResult {
    let prompt = |name: &str, arguments| Prompt::new(name, Some("A fixture"), arguments);
    let argument = |name: &str| {
        PromptArgument::new(name)
            .with_description("Any text")
            .with_required(true)
    };
    let all = vec![
        prompt("test_simple_prompt", None),
        prompt(
            "test_prompt_with_arguments",
            Some(vec![argument("arg1"), argument("arg2")]),
        ),
        prompt(
            "test_prompt_with_embedded_resource",
            Some(vec![argument("resourceUri")]),
        ),
        prompt("test_prompt_with_image", None),
        prompt("test_input_required_result_prompt", None),
    ];
    ListPromptsResult::with_all_items(all)
        .with_ttl_ms(TTL_MS)
        .with_cache_scope(CacheScope::Private)
}

pub(super) fn prompt(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let said = |name: &str| {
        let arguments = request.arguments.as_ref();
        let value = arguments.and_then(|arguments| arguments.get(name));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let text = |text: String| PromptMessage::new_text(Role::User, text);
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![text("This is a simple prompt for testing.".to_owned())],
        "test_prompt_with_arguments" => {
            let (first, second) = (said("arg1"), said("arg2"));
            vec![text(format!(
                "Prompt with arguments: '{first}', '{second}'"
            ))]
        }
        "test_prompt_with_embedded_resource" => {
            let resource = ResourceContents::text("Embedded resource content", said("resourceUri"))
                .with_mime_type("text/plain");
            vec![
                PromptMessage::new(Role::User, ContentBlock::resource(resource)),
                text("Please process the embedded resource above.".to_owned()),
            ]
        }
        "test_prompt_with_image" => {
            let picture = ContentBlock::image(PICTURE, "image/png");
            vec![
                PromptMessage::new(Role::User, picture),
                text("Please analyze the image above.".to_owned()),
            ]
        }
        "test_input_required_result_prompt" => {
            let Some(answer) = answered(request.input_responses.as_ref(), "user_context") else {
                let wanted = (
                    "user_context".to_owned(),
                    ask("In what context?", "context"),
                );
                let wanted = [wanted].into_iter().collect();
                return Ok(InputRequiredResult::from_input_requests(wanted).into());
            };
            vec![text(format!("Context: {}", json!(answer)))]
        }
        name => {
            let what = format!("unknown prompt '{name}'");
            return Err(ErrorData::invalid_params(what, None));
        }
    };
    Ok(GetPromptResult::new(messages).into())
}
