//! `/metrics`: requests, calls of tools by how they ended, calls of the services behind, where questions went.

use serde_json::json;

use crate::support::{Behaviour, World};

/// The value of a series, by its name and labels.
fn value(text: &str, series: &str) -> Option<f64> {
    let begins = format!("{series} ");
    let line = text.lines().find(|line| line.starts_with(&begins))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn called(text: &str, tool: &str, outcome: &str) -> Option<f64> {
    let name = "mcp_gateway_tool_call_duration_seconds_count";
    value(
        text,
        &format!("{name}{{tool=\"{tool}\",outcome=\"{outcome}\"}}"),
    )
}

#[tokio::test]
async fn calls_are_counted_by_tool_and_outcome_and_so_are_the_services_behind() {
    let world = World::start().await;
    world.get_content(json!({"description": "beach"})).await;
    world.get_content(json!({"nonsense": 1})).await;
    world.content.behave(Behaviour::Unavailable(7));
    world.get_content(json!({"description": "beach"})).await;
    world.content.behave(Behaviour::Nonsense);
    world.get_content(json!({"description": "beach"})).await;
    let text = world.scraped().await;
    for outcome in ["ok", "invalid_arguments", "unavailable", "not_understood"] {
        assert_eq!(
            called(&text, "getContent", outcome),
            Some(1.0),
            "{outcome}: {text}"
        );
    }
    let series = |kind: &str, labels: &str| {
        let name = format!("http_{kind}_request_duration_seconds_count");
        value(
            &text,
            &format!("{name}{{service=\"mcp-gateway\",{labels}}}"),
        )
    };
    assert_eq!(
        series("server", "method=\"POST\",route=\"/mcp\",status=\"2xx\""),
        Some(4.0),
        "{text}"
    );
    assert_eq!(
        series("client", "peer=\"content-api\",status=\"5xx\""),
        Some(1.0),
        "{text}"
    );
    let active = "http_server_active_requests{service=\"mcp-gateway\"}";
    assert_eq!(value(&text, active), Some(0.0));
}

#[tokio::test]
async fn a_tool_that_nobody_has_becomes_no_series_and_routes_are_counted() {
    let world = World::start().await;
    let params = json!({"name": "made_up_by_a_caller", "arguments": {}});
    let call = world.modern(&world.analyst(), "tools/call", params);
    call.send().await.unwrap();
    let question = json!({"question": "images of a beach", "route": "content"});
    world.call("ask", question).await;
    let text = world.scraped().await;
    assert!(!text.contains("made_up"), "{text}");
    let routed = "mcp_gateway_questions_routed_total{route=\"content\"}";
    assert_eq!(value(&text, routed), Some(1.0), "{text}");
    assert_eq!(called(&text, "ask", "ok"), Some(1.0), "{text}");
}
