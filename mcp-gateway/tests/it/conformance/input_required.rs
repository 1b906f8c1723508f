//! Tools that ask back: `input_required` results of 2026-07-28 (SEP-2322).

use rmcp::{ErrorData, RoleServer, model::*, service::RequestContext};
use serde_json::{Map, Value, json};

use super::{
    fixture::Fixture,
    tools::{done, unknown, without_arguments},
};

pub(super) const PREFIX: &str = "test_input_required_result_";

const NAMES: [&str; 8] = [
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
];

pub(super) fn definitions() -> impl Iterator<Item = Tool> {
    NAMES.into_iter().map(without_arguments)
}

/// A form with one text.
pub(super) fn ask(message: &str, field: &str) -> InputRequest {
    let schema = json!({
        "type": "object", "properties": {field: {"type": "string"}}, "required": [field],
    });
    InputRequest::Elicitation(ElicitRequest::new(
        ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: message.to_owned(),
            requested_schema: serde_json::from_value(schema).unwrap(),
        },
    ))
}

fn ask_name() -> (String, InputRequest) {
    ("user_name".to_owned(), ask("What is your name?", "name"))
}

fn ask_model(name: &str, prompt: &str) -> (String, InputRequest) {
    let messages = vec![SamplingMessage::user_text(prompt)];
    let request = CreateMessageRequest::new(CreateMessageRequestParams::new(messages, 100));
    (name.to_owned(), InputRequest::CreateMessage(request))
}

fn ask_roots() -> (String, InputRequest) {
    let request = InputRequest::ListRoots(ListRootsRequest::default());
    ("client_roots".to_owned(), request)
}

fn wanted<const N: usize>(
    requests: [(String, InputRequest); N],
    state: Option<String>,
) -> CallToolResponse {
    InputRequiredResult::new(Some(requests.into_iter().collect()), state).into()
}

/// What was answered, where it is an object: anything else counts as missing and is asked for again.
pub(super) fn answered<'a>(
    responses: Option<&'a InputResponses>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    responses?.get(name)?.as_object()
}

pub(super) fn call(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let responses = request.input_responses.as_ref();
    let state = opened(fixture, request.request_state.as_deref())?;
    let text = |name: &str, path: &str| {
        let answer = Value::Object(answered(responses, name)?.clone());
        let found = answer.pointer(path).and_then(Value::as_str);
        Some(found.unwrap_or_default().to_owned())
    };
    Ok(
        match request.name.strip_prefix(PREFIX).unwrap_or_default() {
            "elicitation" => match text("user_name", "/content/name") {
                Some(name) => done(format!("Hello, {name}!")),
                None => wanted([ask_name()], None),
            },
            "sampling" => match text("capital_question", "/content/text") {
                Some(said) => done(format!("The model says: {said}")),
                None => {
                    let question = "What is the capital of France?";
                    wanted([ask_model("capital_question", question)], None)
                }
            },
            "list_roots" => match text("client_roots", "/roots/0/uri") {
                Some(root) => done(format!("The first root is {root}")),
                None => wanted([ask_roots()], None),
            },
            "request_state" | "tampered_state" => match state {
                Some(_) => done("state-ok"),
                None => {
                    let confirm = ("confirm".to_owned(), ask("Please confirm", "ok"));
                    wanted([confirm], Some(sealed(fixture, 1)?))
                }
            },
            "multiple_inputs" => {
                let mut names = ["user_name", "greeting", "client_roots"].into_iter();
                if state.is_some() && names.all(|name| answered(responses, name).is_some()) {
                    return Ok(done("all is there"));
                }
                let greeting = ask_model("greeting", "Write a greeting");
                let state = Some(sealed(fixture, 1)?);
                wanted([ask_name(), greeting, ask_roots()], state)
            }
            "multi_round" => match state {
                None => wanted([ask_name()], Some(sealed(fixture, 1)?)),
                Some(1) => {
                    let colour = ("colour".to_owned(), ask("What is your colour?", "colour"));
                    wanted([colour], Some(sealed(fixture, 2)?))
                }
                Some(_) => done("both rounds are over"),
            },
            "capabilities" if responses.is_some() => done("thank you"),
            "capabilities" => only_what_it_can(context),
            _ => return Err(unknown(&request.name)),
        },
    )
}

/// Asks nothing that the client did not declare.
fn only_what_it_can(context: &RequestContext<RoleServer>) -> CallToolResponse {
    let client = context.meta.client_capabilities().unwrap_or_default();
    let greeting = ask_model("greeting", "Write a greeting");
    let requests: InputRequests = [
        client.elicitation.is_some().then(ask_name),
        client.sampling.is_some().then_some(greeting),
        client.roots.is_some().then(ask_roots),
    ]
    .into_iter()
    .flatten()
    .collect();
    if requests.is_empty() {
        return done("there is nothing that this client can be asked");
    }
    InputRequiredResult::from_input_requests(requests).into()
}

fn sealed(fixture: &Fixture, round: i64) -> Result<String, ErrorData> {
    let sealed = fixture.codec.seal_json(&round);
    sealed.map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// The state comes from the client: nothing to believe unopened.
fn opened(fixture: &Fixture, state: Option<&str>) -> Result<Option<i64>, ErrorData> {
    let opened = state
        .map(|state| fixture.codec.open_json(state))
        .transpose();
    opened.map_err(|_| ErrorData::invalid_params("requestState is not ours", None))
}
