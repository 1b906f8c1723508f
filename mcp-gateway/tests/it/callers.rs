//! The services behind are told who asks, by a word of the gateway's that they check.

use auth::{AssertionKey, AssertionSigner, CALLER_HEADER};
use contracts::Scope;
use http::StatusCode;
use serde_json::{Value, json};
use service_kit::Clock;

use crate::support::{Reply, World, campaign, text_of};

const SEARCH: &str = "content: assistant at assistant via mcp-gateway";

#[tokio::test]
async fn every_service_hears_who_asks_and_through_whom() {
    let world = World::start().await;
    world.call("ask", json!({"question": "two beaches"})).await;
    let params = json!({"name": "register_campaign", "arguments": campaign()});
    let token = world.token(&[Scope::CampaignsWrite]);
    Reply::of(world.modern(&token, "tools/call", params)).await;
    assert_eq!(
        world.trust.heard(),
        [
            "campaigns: assistant at assistant via mcp-gateway",
            SEARCH,
            "embedder: assistant at assistant via mcp-gateway",
            "warehouse: assistant at assistant via mcp-gateway",
        ]
    );
}

#[tokio::test]
async fn what_stands_before_a_services_paths_is_none_of_its_business() {
    for prefix in ["/behind/proxy", "/behind/proxy/"] {
        let world = World::start_with(|config| config.content_api.set_path(prefix)).await;
        world.get_content(json!({"description": "beach"})).await;
        assert_eq!(world.trust.heard(), [SEARCH]);
    }
}

#[tokio::test]
async fn without_a_key_the_gateway_speaks_for_itself() {
    let world = World::start_with(|config| config.callers = None).await;
    world.get_content(json!({"description": "beach"})).await;
    assert_eq!(
        world.trust.heard(),
        ["content: mcp-gateway at mcp-gateway via nobody"]
    );
    let keys = format!("{}.well-known/jwks.json", world.public_url);
    assert_eq!(
        Reply::of(world.http.get(keys)).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_word_that_is_not_believed_is_an_error_and_no_answer_in_the_gateways_name() {
    let world = World::start_with(|config| {
        let key = AssertionKey::from_pem(&AssertionKey::generate_pem()).unwrap();
        let callers = config.callers.as_mut().unwrap();
        callers.signer = AssertionSigner::new("mcp-gateway", key, Clock::system());
    })
    .await;
    let result = world.get_content(json!({"description": "beach"})).await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(text_of(&result).contains("not let in"), "{result}");
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn a_service_of_another_name_does_not_believe_it() {
    let world = World::start_with(|config| {
        config.callers.as_mut().unwrap().content_audience = "https://other.example".to_owned();
    })
    .await;
    let result = world.get_content(json!({"description": "beach"})).await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn an_assistant_cannot_speak_for_somebody_else() {
    let world = World::start().await;
    let params = json!({"name": "getContent", "arguments": {"description": "beach"}});
    for word in ["eva", "a.b.c"] {
        let request = world.modern(&world.reader(), "tools/call", params.clone());
        let reply = Reply::of(request.header(CALLER_HEADER, word)).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{:?}", reply.body);
        assert_eq!(reply.body["type"], "urn:promptsales:problem:invalid-caller");
    }
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn the_keys_are_published_without_their_secret() {
    let world = World::start().await;
    let keys = format!("{}.well-known/jwks.json", world.public_url);
    let reply = Reply::of(world.http.get(keys)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.body, json!(world.trust.signer.public_keys()));
    let key = &reply.body["keys"][0];
    assert_eq!((&key["crv"], &key["d"]), (&json!("P-256"), &Value::Null));
}
