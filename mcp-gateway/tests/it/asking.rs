//! `ask`: where a question goes, and what comes back.

use contracts::Scope;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Behaviour, Reply, World, answered, asked_back, declined, hit, text_of, unavailable, with_meta,
};

pub async fn output_schema(world: &World, tool: &str) -> jsonschema::Validator {
    let reply = Reply::of(world.modern(&world.analyst(), "tools/list", json!({}))).await;
    let tools = reply.result()["tools"].as_array().unwrap().clone();
    let found = tools.iter().find(|one| one["name"] == tool).unwrap();
    jsonschema::validator_for(&found["outputSchema"]).unwrap()
}

/// The structured answer, held against the tool's schema.
pub async fn ask(world: &World, arguments: Value) -> (Value, String) {
    let schema = output_schema(world, "ask").await;
    let result = world.call("ask", arguments).await;
    assert_ne!(result["isError"], true, "{result}");
    let structured = result["structuredContent"].clone();
    let faults: Vec<_> = schema
        .iter_errors(&structured)
        .map(|e| e.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:?} {structured}");
    (structured, text_of(&result))
}

#[tokio::test]
async fn a_scene_goes_to_content_search() {
    let world = World::start().await;
    let (answer, text) = ask(
        &world,
        json!({"question": "a photo of two beaches at sunset, warm light"}),
    )
    .await;
    assert_eq!(answer["route"], "content", "{answer}");
    assert!(answer["score"].as_f64().unwrap() > answer["runner_up"]["score"].as_f64().unwrap());
    assert_eq!(answer["content"]["results"][0]["id"], "two-beaches");
    assert!(answer.get("sales").is_none() && answer.get("missing").is_none());
    assert!(
        text.contains("route: content") && text.contains("<stored-content>"),
        "{text}"
    );
}

#[tokio::test]
async fn a_measure_goes_to_the_warehouse() {
    let world = World::start().await;
    world.content.answer(Vec::new());
    world.warehouse.answers(|_, _| {
        answered(
            &["channel", "revenue"],
            json!([["email", 12.5], ["<sms>", null]]),
        )
    });
    let (answer, text) = ask(&world, json!({"question": "revenue by channel last month"})).await;
    assert_eq!(answer["route"], "warehouse", "{answer}");
    let sales = &answer["sales"];
    assert_eq!(sales["rows"], json!([["email", 12.5], ["<sms>", null]]));
    assert_eq!(
        (&sales["sql"], &sales["total"]),
        (&json!("SELECT 1"), &json!(2))
    );
    assert_eq!(sales["definitions"][0]["metric"], "roas");
    assert_eq!(sales["freshness"][0]["source"], "promptads");
    // Names come from stored data: fenced, and unable to close the fence.
    assert!(text.contains("| &lt;sms&gt; | — |"), "{text}");
    assert_eq!(text.matches("</stored-content>").count(), 1);
}

#[tokio::test]
async fn what_nobody_has_is_said_with_what_there_is() {
    let world = World::start().await;
    world.content.answer(Vec::new());
    world.warehouse.answers(|_, _| declined("command"));
    let (answer, _) = ask(
        &world,
        json!({"question": "escribe un poema sobre el clima"}),
    )
    .await;
    assert_eq!(
        (&answer["route"], &answer["language"]),
        (&json!("neither"), &json!("en"))
    );
    let (answer, _) = ask(
        &world,
        json!({"question": "escribe un poema sobre el clima", "language": "es"}),
    )
    .await;
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("encontrar imágenes"),
        "{answer}"
    );
}

fn bare_name(world: &World) {
    world.content.answer(Vec::new());
    world.warehouse.answers(|_, _| {
        asked_back(
            "missing_measure",
            &[("Revenue", "revenue"), ("ROAS", "roas")],
        )
    });
}

#[tokio::test]
async fn an_older_client_gets_choices_and_the_calls_that_they_stand_for() {
    let world = World::start().await;
    bare_name(&world);
    let params = json!({"name": "ask", "arguments": {"question": "summer sale"}});
    let reply = Reply::of(world.legacy(&world.analyst(), "tools/call", params)).await;
    let answer = &reply.result()["structuredContent"];
    assert_eq!(answer["route"], "ambiguous", "{answer}");
    assert_eq!(answer["choices"].as_array().unwrap().len(), 3);
    let choice = &answer["choices"][1];
    assert_eq!(choice["tool"], "ask");
    assert_eq!(choice["arguments"]["route"], "warehouse");
    // The choice's call does what it says; the warehouse asks back on its own account.
    let (next, _) = ask(&world, choice["arguments"].clone()).await;
    assert_eq!(
        (&next["route"], &next["score"]),
        (&json!("warehouse"), &json!(1.0))
    );
    let choice = &next["choices"][1];
    assert_eq!(
        (&choice["tool"], &choice["label"]),
        (&json!("query_sales"), &json!("ROAS"))
    );
    assert_eq!(
        choice["arguments"],
        json!({"metrics": ["roas"], "dimensions": [], "filters": [], "order": [], "language": "en"})
    );
    world
        .warehouse
        .answers(|_, _| answered(&["roas"], json!([[2.5]])));
    let result = world.call("query_sales", choice["arguments"].clone()).await;
    assert_eq!(
        result["structuredContent"]["rows"],
        json!([[2.5]]),
        "{result}"
    );
}

/// A modern call by a client that shows forms.
async fn with_forms(world: &World, mut params: Value) -> Value {
    params["name"] = "ask".into();
    let mut params = with_meta(params);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"elicitation": {"form": {}}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let request = world
        .post(&body)
        .bearer_auth(world.analyst())
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", "ask");
    Reply::of(request).await.result().clone()
}

fn chosen(id: &Value) -> Value {
    json!({"clarification": {"action": "accept", "content": {"choice": id}}})
}

#[tokio::test]
async fn a_modern_client_is_asked_back_until_it_is_clear() {
    let world = World::start().await;
    bare_name(&world);
    let arguments = json!({"question": "summer sale"});
    let first = with_forms(&world, json!({"arguments": arguments})).await;
    assert_eq!(first["resultType"], "input_required", "{first}");
    let options = |result: &Value| {
        result["inputRequests"]["clarification"]["params"]["requestedSchema"]["properties"]["choice"]["oneOf"].clone()
    };
    assert_eq!(options(&first)[1]["const"], "warehouse");
    let again = json!({"arguments": arguments, "inputResponses": chosen(&json!("warehouse"))});
    let second = with_forms(&world, again).await;
    assert_eq!(options(&second)[1]["title"], "ROAS", "{second}");
    let id = options(&second)[1]["const"].clone();
    world.warehouse.answers(|uri, body| {
        if uri.path() == "/v1/questions" {
            return asked_back(
                "missing_measure",
                &[("ROAS", "roas"), ("Revenue", "revenue")],
            );
        }
        assert_eq!(body["metrics"], json!(["roas"]));
        answered(&["roas"], json!([[2.5]]))
    });
    let again = json!({"arguments": arguments, "inputResponses": chosen(&id)});
    let third = with_forms(&world, again).await;
    assert_eq!(
        third["structuredContent"]["sales"]["rows"],
        json!([[2.5]]),
        "{third}"
    );
}

#[tokio::test]
async fn a_user_who_does_not_choose_gets_the_choices_to_read() {
    let world = World::start().await;
    bare_name(&world);
    let arguments = json!({"question": "summer sale"});
    for response in [
        json!({"clarification": {"action": "decline"}}),
        // Tampered with: nothing that was offered.
        chosen(&json!("warehouse/0000000000000000")),
    ] {
        let declined = response["clarification"]["action"] == "decline";
        let result = with_forms(
            &world,
            json!({"arguments": arguments, "inputResponses": response}),
        )
        .await;
        if declined {
            assert_eq!(
                result["structuredContent"]["message"], "Nothing was chosen.",
                "{result}"
            );
        } else {
            assert_eq!(result["resultType"], "input_required", "{result}");
        }
    }
}

#[tokio::test]
async fn routing_goes_on_with_what_is_there_and_says_so() {
    let world = World::start().await;
    world.embedder.go_away();
    world.warehouse.answers(|_, _| unavailable());
    let (answer, _) = ask(
        &world,
        json!({"question": "show me photos of a dog on the beach"}),
    )
    .await;
    assert_eq!(answer["route"], "content", "{answer}");
    let missing = answer["missing"][0].as_str().unwrap();
    assert!(
        missing.contains("embedder") && missing.contains("sales-warehouse"),
        "{missing}"
    );
    assert!(!missing.contains("secret"));
}

#[tokio::test]
async fn a_route_whose_system_is_away_is_an_error_to_read() {
    let world = World::start().await;
    world.warehouse.answers(|_, _| unavailable());
    let result = world
        .call("ask", json!({"question": "beach", "route": "warehouse"}))
        .await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(text_of(&result).contains("The sales warehouse does not answer just now"));
    world.content.behave(Behaviour::Unavailable(7));
    let result = world
        .call("ask", json!({"question": "beach", "route": "content"}))
        .await;
    assert!(
        text_of(&result).contains("Try again in 7 seconds"),
        "{result}"
    );
}

#[tokio::test]
async fn a_service_that_hangs_is_left_out_at_its_deadline() {
    let world =
        World::start_with(|config| config.routing_deadline = std::time::Duration::from_millis(300))
            .await;
    world.warehouse.answers(|_, _| None);
    world.content.answer(vec![hit("two-beaches")]);
    let (answer, _) = ask(&world, json!({"question": "photos of two beaches at dusk"})).await;
    assert_eq!(answer["route"], "content", "{answer}");
    assert!(
        answer["missing"][0]
            .as_str()
            .unwrap()
            .contains("sales-warehouse")
    );
}

#[tokio::test]
async fn calls_one_after_the_other_have_one_deadline() {
    let deadline = std::time::Duration::from_secs(3);
    let world = World::start_with(|config| config.routing_deadline = deadline).await;
    // Each answer comes in time; two of them, one after the other, do not.
    world.warehouse.takes(deadline * 6 / 10);
    let text = "show me the images of the campaigns with the best ROAS last quarter";
    let began = std::time::Instant::now();
    let evidence = world.gateway.evidence(text, None).await;
    assert!(began.elapsed() < deadline * 3 / 2, "{:?}", began.elapsed());
    // What was heard before counts: the first wording's plan, where the second one's is late.
    assert!(evidence.missing().is_empty(), "{:?}", evidence.missing());
    let heard = serde_json::to_value(&evidence).unwrap();
    assert_eq!(heard["plan"]["reason"], "out_of_scope", "{heard}");
    assert_eq!(heard["part"]["reason"], "out_of_scope", "{heard}");
    assert_eq!(
        world.warehouse.asked().len(),
        3,
        "the whole and two wordings"
    );
    assert!(!heard["hit"].is_null() && !heard["embedding"].is_null());
    // Too late for any of them.
    world.warehouse.takes(deadline * 2);
    let evidence = world.gateway.evidence(text, None).await;
    let missing: Vec<_> = evidence.missing().iter().map(|one| one.name()).collect();
    assert_eq!(missing, ["sales-warehouse"]);
}

#[tokio::test]
async fn wrong_arguments_name_the_field_and_the_valid_values() {
    let world = World::start().await;
    for (arguments, said) in [
        (json!({}), "missing field `question`"),
        (json!({"question": "  "}), "question: it is blank"),
        (
            json!({"question": "x".repeat(2_001)}),
            "2001 characters given, expected at most 2000",
        ),
        (
            json!({"question": "x", "route": "neither"}),
            "route: unknown variant `neither`",
        ),
        (
            json!({"question": "x", "language": "fr"}),
            "language: unknown variant `fr`",
        ),
        (json!({"question": "x", "more": 1}), "unknown field `more`"),
    ] {
        let result = world.call("ask", arguments).await;
        let text = text_of(&result);
        assert_eq!(result["isError"], true, "{result}");
        assert!(text.contains(said) && text.contains("ask takes:"), "{text}");
    }
    assert!(world.warehouse.asked().is_empty());
}

#[tokio::test]
async fn both_scopes_are_needed_and_named_at_once() {
    let world = World::start().await;
    let params = json!({"name": "ask", "arguments": {"question": "beach"}});
    for scope in [Scope::ContentRead, Scope::SalesRead] {
        let token = world.token(&[scope]);
        let reply = Reply::of(world.modern(&token, "tools/call", params.clone())).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        let challenge = reply.header("www-authenticate");
        assert!(
            challenge.contains("scope=\"content:read sales:read\""),
            "{challenge}"
        );
    }
    assert!(world.warehouse.asked().is_empty() && world.content.searches().is_empty());
}
