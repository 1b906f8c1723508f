//! Refusing a request that comes too often, or whose token lacks the scopes of the tool, resource or
//! prompt, in HTTP's terms.
//!
//! MCP wants 403 with a challenge that names every scope at once, so that a client can ask for a
//! better token. Inside the protocol's handler it would be too late for a status, so the request's
//! body is read here, within its bound, and handed on unchanged.

use std::sync::Arc;

use auth::{Caller, Verifier};
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use contracts::{Scope, limits::MAX_JSON_BODY_BYTES};
use http::StatusCode;
use serde::Deserialize;
use service_kit::ProblemResponse;

use super::limits::Limiters;
use crate::{prompts::GatewayPrompt, resources::Address, tools::GatewayTool};

/// As much of a request as says what it is for. Of the parameters, what the method does not read may be
/// anything: it must not hide what it does.
#[derive(Deserialize)]
struct Call {
    method: String,
    #[serde(default)]
    params: serde_json::Value,
}

/// What requests are admitted by.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) verifier: Arc<Verifier>,
    pub(super) limiters: Arc<Limiters>,
}

/// Passes on whatever is not for something known: the protocol's handler has answers for it.
pub(super) async fn admit(
    State(gate): State<Gate>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(refused) = gate.limiters.request(&caller).await {
        return refused.into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_JSON_BODY_BYTES).await else {
        return ProblemResponse::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "Body too large",
            format!("The body cannot be read; it may hold at most {MAX_JSON_BODY_BYTES} bytes."),
        )
        .into_response();
    };
    let wanted = Wanted::of(&body);
    if let Some(wanted) = &wanted
        && let Err(error) = caller.require(wanted.scopes())
    {
        return gate.verifier.problem(error).into_response();
    }
    if let Some(Wanted::Tool(tool)) = wanted
        && let Err(refused) = gate.limiters.call(&caller, tool).await
    {
        return refused.into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// What a request is for.
enum Wanted {
    Tool(GatewayTool),
    Prompt(GatewayPrompt),
    Resource(Address),
}

impl Wanted {
    fn of(body: &[u8]) -> Option<Self> {
        let Call { method, params } = serde_json::from_slice(body).ok()?;
        let text = |name: &str| params.get(name)?.as_str();
        match method.as_str() {
            "tools/call" => GatewayTool::named(text("name")?).map(Self::Tool),
            "prompts/get" => GatewayPrompt::named(text("name")?).map(Self::Prompt),
            "resources/read" => Address::parse(text("uri")?).map(Self::Resource),
            _ => None,
        }
    }

    fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::Tool(tool) => tool.scopes(),
            Self::Prompt(prompt) => prompt.scopes(),
            Self::Resource(address) => address.scopes(),
        }
    }
}
