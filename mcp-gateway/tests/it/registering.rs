//! `register_campaign`.

use std::time::Duration;

use contracts::{Problem, Scope};
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Reply, World, campaign, text_of, with_meta};

const WRITE: &[Scope] = &[Scope::CampaignsWrite];

pub async fn schema_of(world: &World, tool: &str) -> jsonschema::Validator {
    let token = world.token(&Scope::ALL);
    let reply = Reply::of(world.modern(&token, "tools/list", json!({}))).await;
    let tools = reply.result()["tools"].as_array().unwrap().clone();
    let found = tools.iter().find(|one| one["name"] == tool).unwrap();
    jsonschema::validator_for(&found["outputSchema"]).unwrap()
}

/// The result, whose structured part holds to the tool's schema.
async fn register_as(world: &World, token: &str, arguments: Value) -> Value {
    let params = json!({"name": "register_campaign", "arguments": arguments});
    let reply = Reply::of(world.modern(token, "tools/call", params)).await;
    let result = reply.result().clone();
    if result["isError"] != true {
        let schema = schema_of(world, "register_campaign").await;
        assert!(
            schema.is_valid(&result["structuredContent"]),
            "{:?} {result}",
            schema
                .iter_errors(&result["structuredContent"])
                .map(|fault| fault.to_string())
                .collect::<Vec<_>>()
        );
    }
    result
}

async fn register(world: &World, arguments: Value) -> Value {
    register_as(world, &world.token(WRITE), arguments).await
}

fn with(mut arguments: Value, name: &str, value: Value) -> Value {
    arguments[name] = value;
    arguments
}

async fn token_for(world: &World, arguments: &Value) -> Value {
    let result = register(world, arguments.clone()).await;
    let structured = &result["structuredContent"];
    assert_eq!(structured["status"], "confirmation_required", "{result}");
    structured["confirmation_token"].clone()
}

#[tokio::test]
async fn nothing_is_written_before_the_second_call_and_once_after_it() {
    let world = World::start().await;
    let first = register(&world, campaign()).await;
    let shown = &first["structuredContent"];
    assert_eq!(shown["status"], "confirmation_required");
    assert_eq!(shown["expires_in_seconds"], 600);
    assert_eq!(shown["campaign"]["budget"], "12500.00 USD");
    assert_eq!(shown["campaign"]["content_ids"], json!(["two-beaches"]));
    let text = text_of(&first);
    assert!(
        text.contains("Nothing has been written yet") && text.contains("<stored-content>"),
        "{text}"
    );
    let campaigns = world.content.campaigns.clone();
    assert!(campaigns.registered().is_empty());
    assert_eq!(campaigns.checked()[0]["name"], "Verano 2027");

    let confirmed = with(
        campaign(),
        "confirmation_token",
        shown["confirmation_token"].clone(),
    );
    let second = register(&world, confirmed.clone()).await;
    assert_eq!(second["structuredContent"]["status"], "registered");
    assert_eq!(second["structuredContent"]["campaign"]["id"], "summer");
    let (key, body) = campaigns.registered().remove(0);
    assert_eq!(key.len(), 64);
    assert_eq!(
        body,
        json!({
            "name": "Verano 2027", "objective": "Más visitas", "status": "planned",
            "audience": ["families"], "markets": ["CR"], "channels": ["email"],
            "budget": {"amount": "12500.00", "currency": "USD"},
            "starts_on": "2027-01-01", "ends_on": "2027-03-31", "content_ids": ["two-beaches"],
        })
    );

    let replayed = register(&world, confirmed).await;
    assert_eq!(replayed["isError"], true);
    assert!(
        text_of(&replayed).contains("used before"),
        "{}",
        text_of(&replayed)
    );
    // As the refusal says: another yes with the same key gives the same campaign.
    let token = token_for(&world, &campaign()).await;
    let third = register(&world, with(campaign(), "confirmation_token", token)).await;
    assert_eq!(third["structuredContent"]["campaign"]["id"], "summer");
    assert_eq!(campaigns.registered().len(), 1);
}

#[tokio::test]
async fn a_confirmation_is_for_its_caller_and_its_arguments_alone() {
    let world = World::start().await;
    let token = token_for(&world, &campaign()).await;
    let text = token.as_str().unwrap();
    let confirmed = with(campaign(), "confirmation_token", token.clone());
    let mut tampered = text.to_owned();
    tampered.replace_range(20..21, if &text[20..21] == "A" { "B" } else { "A" });
    let budget = json!({"amount": "99999.00", "currency": "USD"});
    for arguments in [
        with(confirmed.clone(), "budget", budget),
        with(confirmed.clone(), "idempotency_key", json!("another")),
        with(confirmed.clone(), "content_ids", json!([])),
        with(confirmed.clone(), "confirmation_token", json!(tampered)),
        with(confirmed.clone(), "confirmation_token", json!("yes")),
        with(confirmed.clone(), "confirmation_token", json!("")),
    ] {
        let result = register(&world, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        let said = text_of(&result);
        assert!(
            said.contains("Nothing was written") && said.contains("not one that was given out"),
            "{said}"
        );
    }
    let lifetime = Duration::from_secs(60);
    let scopes = WRITE.iter().copied().collect();
    let other = world.idp.issue("eva", &scopes, &world.resource(), lifetime);
    let other = secrecy::ExposeSecret::expose_secret(&other.unwrap()).to_owned();
    let result = register_as(&world, &other, confirmed.clone()).await;
    assert!(text_of(&result).contains("not one that was given out"));
    assert!(world.content.campaigns.registered().is_empty());
    // What changes nothing of the campaign may differ, and the confirmation is still good.
    let result = register(&world, with(confirmed, "language", json!("es"))).await;
    assert_eq!(result["structuredContent"]["status"], "registered");
    assert!(text_of(&result).contains("La campaña está registrada"));
}

#[tokio::test]
async fn two_callers_with_the_same_key_have_a_campaign_each() {
    let world = World::start().await;
    let scopes = WRITE.iter().copied().collect();
    for caller in ["ana", "eva"] {
        let lifetime = Duration::from_secs(60);
        let token = world
            .idp
            .issue(caller, &scopes, &world.resource(), lifetime);
        let token = secrecy::ExposeSecret::expose_secret(&token.unwrap()).to_owned();
        let first = register_as(&world, &token, campaign()).await;
        let sealed = first["structuredContent"]["confirmation_token"].clone();
        let confirmed = with(campaign(), "confirmation_token", sealed);
        register_as(&world, &token, confirmed).await;
    }
    assert_eq!(world.content.campaigns.registered().len(), 2);
}

#[tokio::test]
async fn an_old_confirmation_counts_no_more() {
    let world =
        World::start_with(|config| config.confirmation_lifetime = Duration::from_millis(1)).await;
    let token = token_for(&world, &campaign()).await;
    // Time itself has to pass.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let result = register(&world, with(campaign(), "confirmation_token", token)).await;
    assert!(text_of(&result).contains("has expired"), "{result}");

    // The same with the state of a form.
    let asked = with_forms(&world, json!({"arguments": campaign()})).await;
    let state = asked["requestState"].clone();
    assert!(state.is_string(), "{asked}");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let again = json!({
        "arguments": campaign(), "inputResponses": said(json!(true)), "requestState": state,
    });
    let result = with_forms(&world, again).await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(text_of(&result).contains("has expired"), "{result}");
    assert!(world.content.campaigns.registered().is_empty());
}

#[tokio::test]
async fn what_content_api_refuses_is_said_before_anybody_is_asked() {
    let world = World::start().await;
    let detail = "channels has 'fax': expected one of email, instagram.";
    let refusal = Problem::new(422, "invalid-campaign", "Invalid campaign", detail);
    world.content.campaigns.refuse(Some(refusal));
    let result = register(&world, campaign()).await;
    assert_eq!(result["isError"], true);
    assert!(text_of(&result).contains(detail), "{result}");
    // A write that fails leaves its confirmation good.
    world.content.campaigns.refuse(None);
    let token = token_for(&world, &campaign()).await;
    let confirmed = with(campaign(), "confirmation_token", token);
    let away = Problem::new(503, "unavailable", "Unavailable", "x");
    world.content.campaigns.refuse(Some(away));
    let result = register(&world, confirmed.clone()).await;
    assert!(
        text_of(&result).contains("The campaign register does not answer"),
        "{result}"
    );
    world.content.campaigns.refuse(None);
    let result = register(&world, confirmed).await;
    assert_eq!(result["structuredContent"]["status"], "registered");
}

#[tokio::test]
async fn wrong_arguments_name_the_field() {
    let world = World::start().await;
    for (name, value, said) in [
        (
            "budget",
            json!({"amount": 12500, "currency": "USD"}),
            "budget.amount: invalid type",
        ),
        (
            "budget",
            json!({"amount": "1"}),
            "budget: missing field `currency`",
        ),
        ("markets", json!("CR"), "markets: invalid type"),
        (
            "content_ids",
            json!(["Two Beaches"]),
            "content_ids[0]: 'Two Beaches'",
        ),
        (
            "content_ids",
            json!(vec!["a"; 501]),
            "content_ids: 501 given, expected at most 500",
        ),
        (
            "idempotency_key",
            json!(""),
            "idempotency_key: expected 1 to 128",
        ),
        (
            "idempotency_key",
            json!("a b"),
            "idempotency_key: expected 1 to 128",
        ),
        (
            "idempotency_key",
            json!("k".repeat(129)),
            "idempotency_key: expected 1 to 128",
        ),
        ("status", json!("active"), "unknown field `status`"),
        ("language", json!("fr"), "language: unknown variant `fr`"),
    ] {
        let result = register(&world, with(campaign(), name, value)).await;
        let text = text_of(&result);
        assert!(
            text.contains(said) && text.contains("register_campaign takes:"),
            "{text}"
        );
    }
    assert!(world.content.campaigns.checked().is_empty());
    let key = with(campaign(), "idempotency_key", json!("k".repeat(128)));
    assert_ne!(register(&world, key).await["isError"], true);
}

/// A modern client that shows forms.
async fn with_forms(world: &World, params: Value) -> Value {
    let mut params = with_meta(params);
    params["name"] = "register_campaign".into();
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let request = world
        .post(&body)
        .bearer_auth(world.token(WRITE))
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", "register_campaign");
    Reply::of(request).await.result().clone()
}

fn said(yes: Value) -> Value {
    json!({"confirmation": {"action": "accept", "content": {"register": yes}}})
}

#[tokio::test]
async fn a_client_with_forms_is_asked_and_its_state_is_held_to() {
    let world = World::start().await;
    let campaigns = world.content.campaigns.clone();
    let arguments = with(campaign(), "language", json!("es"));
    let first = with_forms(&world, json!({"arguments": arguments})).await;
    assert_eq!(first["resultType"], "input_required", "{first}");
    let request = &first["inputRequests"]["confirmation"]["params"];
    assert!(
        request["message"]
            .as_str()
            .unwrap()
            .contains("¿Registramos esta campaña?"),
        "{first}"
    );
    let state = first["requestState"].as_str().unwrap();

    let again = |responses: Value, state: Value| json!({"arguments": arguments, "inputResponses": responses, "requestState": state});
    for (responses, state, expected) in [
        (said(json!(true)), Value::Null, "without the requestState"),
        (
            said(json!(true)),
            json!("forged"),
            "not one that was given out",
        ),
        (
            said(json!(true)),
            json!(state.replacen('.', ".A", 1)),
            "not one that was given out",
        ),
    ] {
        let result = with_forms(&world, again(responses, state)).await;
        assert!(text_of(&result).contains(expected), "{result}");
    }
    // What went out with a form is no token: nobody but the user's client answers for the user.
    let result = register(
        &world,
        with(arguments.clone(), "confirmation_token", json!(state)),
    )
    .await;
    assert!(text_of(&result).contains("not one that was given out"));
    for no in [
        said(json!(false)),
        said(json!("true")),
        json!({"confirmation": {"action": "decline"}}),
        json!({"confirmation": {"action": "cancel", "content": {"register": true}}}),
    ] {
        let result = with_forms(&world, again(no, json!(state))).await;
        assert_eq!(
            result["structuredContent"]["status"], "not_registered",
            "{result}"
        );
    }
    assert!(campaigns.registered().is_empty());

    let yes = again(said(json!(true)), json!(state));
    let result = with_forms(&world, yes.clone()).await;
    assert_eq!(
        result["structuredContent"]["status"], "registered",
        "{result}"
    );
    let result = with_forms(&world, yes).await;
    assert!(text_of(&result).contains("used before"), "{result}");
    assert_eq!(campaigns.registered().len(), 1);
}

#[tokio::test]
async fn registering_needs_its_own_scope_and_reading_the_log_another() {
    let world = World::start().await;
    for (tool, held, needed) in [
        (
            "register_campaign",
            [Scope::ContentRead, Scope::SalesRead],
            "campaigns:write",
        ),
        (
            "get_campaign_log",
            [Scope::CampaignsWrite, Scope::SalesRead],
            "content:read",
        ),
    ] {
        let params = json!({"name": tool, "arguments": campaign()});
        let reply = Reply::of(world.modern(&world.token(&held), "tools/call", params)).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        let challenge = reply.header("www-authenticate");
        assert!(
            challenge.contains(&format!("scope=\"{needed}\"")),
            "{challenge}"
        );
    }
    assert!(world.content.campaigns.checked().is_empty());
}

#[tokio::test]
async fn the_list_says_that_registering_is_no_read() {
    let world = World::start().await;
    let reply = Reply::of(world.legacy(&world.token(WRITE), "tools/list", json!({}))).await;
    let tools = reply.result()["tools"].as_array().unwrap();
    let hints = &tools[0]["annotations"];
    assert_eq!(tools.len(), 1);
    assert_eq!(
        (&hints["readOnlyHint"], &hints["destructiveHint"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(hints["idempotentHint"], true);
}
