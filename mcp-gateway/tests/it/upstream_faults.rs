//! content-api away, slow or refusing: results that an assistant can act on.

use std::time::Duration;

use contracts::Problem;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Behaviour, Reply, World, text_of};

async fn failure(world: &World) -> String {
    let result = world.get_content(json!({"description": "beach"})).await;
    assert_eq!(result["isError"], true, "{result}");
    text_of(&result)
}

#[tokio::test]
async fn a_refusal_passes_on_the_cause_and_the_valid_values() {
    let world = World::start().await;
    // Services' details end without a stop, as error messages do.
    let detail = "filters.themes: 'sports' is no theme; expected one of food, sport, travel";
    world.content.behave(Behaviour::Problem(Problem::new(
        400,
        "invalid-filter",
        "Invalid filter",
        detail,
    )));
    let text = failure(&world).await;
    assert!(
        text.starts_with("Invalid filter: ") && text.contains(detail),
        "{text}"
    );
    let ending = "sport, travel. Correct the arguments and call again.";
    assert!(text.ends_with(ending), "{text}");
}

#[tokio::test]
async fn unavailable_says_when_to_try_again_and_nothing_of_the_cause() {
    let world = World::start().await;
    world.content.behave(Behaviour::Unavailable(7));
    let text = failure(&world).await;
    assert!(text.contains("does not answer just now"), "{text}");
    assert!(text.contains("Try again in 7 seconds"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn nobody_at_the_address_is_unavailable_too() {
    // A port that was free a moment ago.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url: url::Url = format!("http://{free}").parse().unwrap();
    let world = World::start_with(|config| config.content_api = url).await;
    let text = failure(&world).await;
    assert!(text.contains("does not answer just now"), "{text}");
    assert!(!text.contains(&free.port().to_string()), "{text}");
}

#[tokio::test]
async fn a_slow_search_is_given_up_at_its_deadline() {
    let world =
        World::start_with(|config| config.search_deadline = Duration::from_millis(200)).await;
    world.content.behave(Behaviour::Hang);
    assert!(failure(&world).await.contains("does not answer just now"));
    world.content.search_ended().await;
}

#[tokio::test]
async fn no_call_of_a_tool_takes_longer_than_its_deadline() {
    let world = World::start_with(|config| config.tool_deadline = Duration::from_millis(200)).await;
    world.content.behave(Behaviour::Hang);
    assert!(failure(&world).await.contains("did not answer in time"));
    world.content.search_ended().await;
}

#[tokio::test]
async fn an_unreadable_answer_is_the_installations_fault() {
    let world = World::start().await;
    world.content.behave(Behaviour::Nonsense);
    assert!(
        failure(&world)
            .await
            .contains("a fault of the installation")
    );
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_and_then_reported() {
    let world = World::start().await;
    world.content.behave(Behaviour::RefuseTokens);
    let text = failure(&world).await;
    assert!(text.contains("not let in"), "{text}");
    let searches = world.content.searches();
    assert_eq!(searches.len(), 2);
    // What is said about the caller belongs to one token, and counts once.
    for header in ["authorization", "promptsales-caller"] {
        assert_ne!(searches[0].0[header], searches[1].0[header], "{header}");
    }
}

#[tokio::test]
async fn a_gateway_without_a_token_of_its_own_says_whose_fault_it_is() {
    let world = World::start_with_secret("not-the-secret").await;
    let text = failure(&world).await;
    assert!(
        text.contains("not let in") && text.contains("operator"),
        "{text}"
    );
    assert!(!text.contains("not-the-secret"), "{text}");
    assert!(world.content.searches().is_empty());
}

#[tokio::test]
async fn a_caller_who_leaves_takes_the_search_along() {
    // Only the caller's leaving can end it in time.
    let world = World::start_with(|config| config.search_deadline = Duration::from_secs(600)).await;
    world.content.behave(Behaviour::Hang);
    let params = json!({"name": "getContent", "arguments": {"description": "beach"}});
    let call = tokio::spawn(Reply::of(world.modern(
        &world.reader(),
        "tools/call",
        params,
    )));
    world.content.search_began().await;
    call.abort();
    let ended = tokio::time::timeout(Duration::from_secs(15), world.content.search_ended()).await;
    ended.expect("the search goes on without its caller");
}

#[tokio::test]
async fn other_requests_go_on_while_content_api_is_away() {
    let world = World::start().await;
    world.content.behave(Behaviour::Unavailable(1));
    failure(&world).await;
    let reply = Reply::of(world.modern(&world.reader(), "tools/list", json!({}))).await;
    assert_eq!(
        reply.result()["tools"][0]["name"],
        Value::from("getContent")
    );
    let ready = Reply::of(world.http.get(world.public_url.join("/readyz").unwrap())).await;
    assert_eq!(ready.status, StatusCode::OK);
}
