//! `query_sales` and `describe_sales`.

use serde_json::{Value, json};

use super::asking::output_schema;
use crate::support::{World, answered, text_of, unavailable};

/// Characters that 25,000 tokens have at the least: digits and names take two and a half each.
const BUDGET_CHARS: usize = 62_500;

async fn structured(world: &World, tool: &str, arguments: Value) -> Value {
    let schema = output_schema(world, tool).await;
    let result = world.call(tool, arguments).await;
    assert_ne!(result["isError"], true, "{result}");
    let structured = result["structuredContent"].clone();
    let faults: Vec<_> = schema
        .iter_errors(&structured)
        .map(|e| e.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:?} {structured}");
    assert!(!schema.is_valid(&json!({"rows": 1})));
    structured
}

#[tokio::test]
async fn a_query_goes_through_as_written_and_comes_back_in_pages() {
    let world = World::start().await;
    let rows: Vec<Value> = (0..120)
        .map(|n| json!([format!("CMP-{n:06}"), n]))
        .collect();
    world
        .warehouse
        .answers(move |_, _| answered(&["campaign", "roas"], json!(rows)));
    let mut query = json!({
        "metrics": ["roas"], "dimensions": ["campaign"],
        "filters": [{"field": "market", "op": "in", "value": ["MX", "ES"]}, {"field": "roas", "op": ">", "value": 1.5}],
        "time": {"from": "2026-07-01", "to": "2026-10-01"}, "grain": "month",
        "order": [{"by": "roas", "dir": "desc"}], "limit": 200, "compare": "previous_year", "language": "es",
    });
    let mut seen = 0;
    loop {
        let page = structured(&world, "query_sales", query.clone()).await;
        assert_eq!(page["total"], 120);
        assert_eq!(page["rows"][0][1], seen);
        seen += page["rows"].as_array().unwrap().len();
        assert_eq!(page["truncated"], seen < 120);
        match page.get("next_cursor") {
            Some(cursor) => query["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(seen, 120);
    let (uri, sent) = world.warehouse.asked().remove(0);
    assert_eq!(uri, "/v1/metrics/query?language=es");
    assert_eq!(sent["filters"], query["filters"]);
    assert_eq!(sent["time"], query["time"]);
    assert_eq!(sent["compare"], "previous_year");
    // A cursor goes on with its own query only.
    query["metrics"] = json!(["clicks"]);
    let result = world.call("query_sales", query).await;
    assert_eq!(result["isError"], true, "{result}");
    assert!(text_of(&result).contains("cursor"), "{result}");
}

#[tokio::test]
async fn the_longest_answer_stays_within_the_budget() {
    let world = World::start().await;
    let names: Vec<String> = (0..40)
        .map(|n| format!("column {n} {}", "x".repeat(80)))
        .collect();
    world.warehouse.answers(move |_, _| {
        let columns: Vec<&str> = names.iter().map(String::as_str).collect();
        let row: Vec<Value> = (0..40).map(|_| json!("y".repeat(300))).collect();
        let mut said = answered(&columns, json!(vec![row; 60])).unwrap();
        said.1["sentence"] = json!("z".repeat(9_000));
        said.1["sql"] = json!("SELECT ".repeat(9_000));
        said.1["notes"] = json!(vec!["n".repeat(900); 50]);
        Some(said)
    });
    for (tool, arguments) in [
        ("query_sales", json!({"metrics": ["roas"]})),
        ("ask", json!({"question": "roas", "route": "warehouse"})),
    ] {
        let result = world.call(tool, arguments).await;
        let length = result.to_string().chars().count();
        assert!(length < BUDGET_CHARS, "{tool}: {length}");
        assert!(length > 10_000, "{tool}: {length}");
        let sales = &result["structuredContent"];
        let sales = sales.get("sales").unwrap_or(sales);
        assert_eq!(
            (&sales["truncated"], &sales["total"]),
            (&json!(true), &json!(60))
        );
    }
}

#[tokio::test]
async fn wrong_queries_name_the_field_or_pass_on_what_the_warehouse_says() {
    let world = World::start().await;
    for (arguments, said) in [
        (json!({"metrics": "roas"}), "metrics: invalid type"),
        (
            json!({"metrics": ["roas"], "time": {"from": "July"}}),
            "time.from: ",
        ),
        (
            json!({"metrics": ["roas"], "filters": [{"field": "roas", "op": "~", "value": 1}]}),
            "unknown variant `~`",
        ),
        (
            json!({"metrics": ["roas"], "grain": "decade"}),
            "grain: unknown variant",
        ),
        (
            json!({"metrics": ["roas"], "compare": "never"}),
            "compare: ",
        ),
        (json!({"where": "1=1"}), "unknown field `where`"),
    ] {
        let result = world.call("query_sales", arguments).await;
        let text = text_of(&result);
        assert!(
            text.contains(said) && text.contains("query_sales takes:"),
            "{text}"
        );
    }
    assert!(world.warehouse.asked().is_empty());
    world.warehouse.answers(|_, _| {
        Some((
            http::StatusCode::BAD_REQUEST,
            json!("There is no metric 'stock'."),
        ))
    });
    let result = world
        .call("query_sales", json!({"metrics": ["stock"]}))
        .await;
    assert!(
        text_of(&result).contains("There is no metric 'stock'."),
        "{result}"
    );
    world.warehouse.answers(|_, _| unavailable());
    let result = world
        .call("query_sales", json!({"metrics": ["roas"]}))
        .await;
    assert!(
        text_of(&result).contains("does not answer just now"),
        "{result}"
    );
}

pub fn catalogue(uri: &http::Uri) -> Value {
    let entries = |count: usize| (0..count).map(move |n| format!("name_{n:02}"));
    let metrics: Vec<Value> = entries(45)
        .map(|name| json!({"name": name, "label": "Label", "description": "What <it> counts.", "unit": "USD",
            "kind": "sum", "lower_is_better": false, "synonyms": ["word"], "dimensions": ["market"]}))
        .collect();
    let dimensions: Vec<Value> = entries(19)
        .map(|name| json!({"name": name, "label": "L", "description": "D", "synonyms": [], "members": 130}))
        .collect();
    let verified: Vec<Value> = entries(60)
        .map(|id| json!({"id": id, "lang": "es", "now": "2026-11-22", "text": "¿Ingresos?", "query": {"metrics": ["revenue"]}}))
        .collect();
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let value = |key: &str| {
        query
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.clone())
    };
    let members = value("members").map(|dimension| {
        let offset: usize = value("offset").unwrap().parse().unwrap();
        let limit: usize = value("limit").unwrap().parse().unwrap();
        let items: Vec<Value> = (offset..130.min(offset + limit))
            .map(|n| json!({"code": format!("C{n}"), "names": ["Un nombre", "A name"]}))
            .collect();
        json!({"dimension": dimension, "total": 130, "offset": offset, "items": items})
    });
    json!({"metrics": metrics, "dimensions": dimensions, "members": members, "verified": verified})
}

#[tokio::test]
async fn everything_is_described_in_pages() {
    let world = World::start().await;
    world
        .warehouse
        .answers(|uri, _| Some((http::StatusCode::OK, catalogue(uri))));
    for (arguments, list, total) in [
        (json!({}), "metrics", 45),
        (
            json!({"topic": "dimensions", "language": "es"}),
            "dimensions",
            19,
        ),
        (json!({"topic": "questions"}), "questions", 60),
        (
            json!({"topic": "values", "dimension": "campaign"}),
            "values",
            130,
        ),
    ] {
        let mut arguments = arguments;
        let mut seen = Vec::new();
        loop {
            let page = structured(&world, "describe_sales", arguments.clone()).await;
            assert_eq!(page["total"], total);
            seen.extend(page[list].as_array().unwrap().iter().map(Value::to_string));
            match page.get("next_cursor") {
                Some(cursor) => arguments["cursor"] = cursor.clone(),
                None => break,
            }
        }
        assert_eq!(seen.len(), total, "{list}");
        if list != "questions" {
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), total, "{list}");
        }
    }
    for (arguments, said) in [
        (json!({"topic": "values"}), "dimension: it is missing"),
        (
            json!({"dimension": "market"}),
            "dimension goes with topic values",
        ),
        (json!({"topic": "weather"}), "topic: unknown variant"),
        (json!({"cursor": "x"}), "cursor"),
    ] {
        let result = world.call("describe_sales", arguments).await;
        assert!(text_of(&result).contains(said), "{result}");
    }
}
