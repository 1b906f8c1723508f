//! Refusing a call whose token lacks the tool's scopes, in HTTP's terms.
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
use contracts::limits::MAX_JSON_BODY_BYTES;
use http::StatusCode;
use serde::Deserialize;
use service_kit::ProblemResponse;

use crate::tools::GatewayTool;

/// As much of a request as says which tool it calls.
#[derive(Deserialize)]
struct Call {
    method: String,
    params: Option<Params>,
}

#[derive(Deserialize)]
struct Params {
    name: Option<String>,
}

/// Passes on whatever is not a call of a known tool: the protocol's handler has answers for it.
pub(super) async fn require_scopes_of_tool(
    State(verifier): State<Arc<Verifier>>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
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
    if let Some(tool) = called_tool(&body)
        && let Err(error) = caller.require(tool.scopes())
    {
        return verifier.problem(error).into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

fn called_tool(body: &[u8]) -> Option<GatewayTool> {
    let call: Call = serde_json::from_slice(body).ok()?;
    if call.method != "tools/call" {
        return None;
    }
    GatewayTool::named(&call.params?.name?)
}
