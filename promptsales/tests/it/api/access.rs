//! Tokens that are missing, meaningless, or for something else.

use reqwest::Method;
use serde_json::json;

use crate::support::{Api, Reply, shared_up, token};

#[tokio::test]
async fn without_the_right_token_there_is_no_answer() {
    let Some(up) = shared_up() else { return };
    let api = Api::of(up);
    let under_scoped = token(up.home(), &["--scope", "sales:read"]);
    let for_mcp = token(up.home(), &["--mcp"]);
    // The last letter of the signature holds spare bits; one in its middle does not.
    let (body, signature) = api.token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{body}.{other}{}", &signature[1..]);
    let invalid = r#"error="invalid_token""#;
    let cases = [
        (None, 401, "missing-token", r#"Bearer realm="promptsales""#),
        (Some("garbage"), 401, "invalid-token", invalid),
        (Some(forged.as_str()), 401, "invalid-token", invalid),
        (Some(for_mcp.as_str()), 401, "invalid-token", invalid),
        (
            Some(under_scoped.as_str()),
            403,
            "insufficient-scope",
            r#"error="insufficient_scope", scope="content:read""#,
        ),
    ];
    let routes = [
        (Method::POST, "/v1/getContent"),
        (Method::GET, "/v1/content/sushi-platter"),
        (Method::GET, "/v1/content/sushi-platter/image"),
    ];
    for (token, status, slug, challenge) in cases {
        for (method, path) in &routes {
            let url = api.base.join(path).unwrap();
            let mut request = api.http.request(method.clone(), url);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let reply = Reply::of(request.json(&json!({"description": "sushi"}))).await;
            let problem = reply.problem(status, slug);
            let said = reply.header("www-authenticate");
            assert!(
                said.starts_with("Bearer ") && said.contains(challenge),
                "{said}"
            );
            // What was sent is never said again.
            let text = format!("{said} {problem:?}");
            assert!(token.is_none_or(|token| !text.contains(token)), "{text}");
        }
    }
}

#[tokio::test]
async fn indexes_are_not_open_to_a_reader() {
    let Some(up) = shared_up() else { return };
    let mut api = Api::of(up);
    api.base = up.endpoints().embedder;
    let push = api
        .request(Method::PUT, "/v1/documents")
        .json(&json!({"documents": []}));
    Reply::of(push).await.problem(403, "insufficient-scope");
    let repair = api.request(Method::POST, "/v1/index/reconcile");
    Reply::of(repair).await.problem(403, "insufficient-scope");
    assert_eq!(api.get("/v1/index/status").await.status, 200);
}
