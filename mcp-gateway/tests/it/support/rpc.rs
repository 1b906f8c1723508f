//! MCP by hand: exactly the headers and bodies that a test wants.

use http::{HeaderMap, StatusCode};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::World;

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            status,
            headers,
            body,
        }
    }

    /// The JSON-RPC result.
    pub fn result(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        assert!(self.body.get("error").is_none(), "{:?}", self.body);
        &self.body["result"]
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    /// A POST to the endpoint, without a token.
    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.http
            .post(self.resource())
            .header("Accept", "application/json, text/event-stream")
            .json(body)
    }

    /// A request of 2026-07-28, with all that the revision demands.
    pub fn modern(&self, token: &str, method: &str, params: Value) -> RequestBuilder {
        let name = params["name"].as_str().map(str::to_owned);
        let body =
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": with_meta(params)});
        let request = self
            .post(&body)
            .bearer_auth(token)
            .header("MCP-Protocol-Version", "2026-07-28")
            .header("Mcp-Method", method);
        match name {
            Some(name) => request.header("Mcp-Name", name),
            None => request,
        }
    }

    /// A request of 2025-11-25.
    pub fn legacy(&self, token: &str, method: &str, params: Value) -> RequestBuilder {
        self.post(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
            .bearer_auth(token)
            .header("MCP-Protocol-Version", "2025-11-25")
    }

    /// A tool's result in the modern era, with a token that allows every read.
    pub async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let reply = Reply::of(self.modern(&self.analyst(), "tools/call", params)).await;
        reply.result().clone()
    }

    /// getContent's result in the modern era, with a token that allows it.
    pub async fn get_content(&self, arguments: Value) -> Value {
        let params = json!({"name": "getContent", "arguments": arguments});
        let reply = Reply::of(self.modern(&self.reader(), "tools/call", params)).await;
        reply.result().clone()
    }
}

/// The parameters with the metadata that 2026-07-28 demands of each request.
pub fn with_meta(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

/// The text blocks of a result.
pub fn text_of(result: &Value) -> String {
    let blocks = result["content"].as_array().unwrap();
    let texts = blocks.iter().filter_map(|block| block["text"].as_str());
    texts.collect::<Vec<_>>().join("\n")
}
