//! Each call of a tool leaves an audit event, and so does what is refused before one.

use audit::{Audit, AuditConfig, Destination, KEPT_DAYS, chain::Seal, verify};
use contracts::{Problem, Scope};
use http::StatusCode;
use serde_json::{Value, json};
use service_kit::Clock;
use tempfile::TempDir;

use crate::support::{Behaviour, Reply, World, answered, campaign};

struct Audited {
    world: World,
    audit: Audit,
    directory: TempDir,
}

impl Audited {
    async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let config = AuditConfig {
            service: "mcp-gateway",
            destination: Destination::Directory(directory.path().to_owned()),
            key: None,
            kept_days: KEPT_DAYS,
        };
        let audit = Audit::open(config, Clock::system()).unwrap();
        let world = World::start_with(|config| config.audit = audit.clone()).await;
        Self {
            world,
            audit,
            directory,
        }
    }

    /// The last line, without what differs from run to run.
    async fn last(&self) -> Value {
        self.audit.flush().await;
        let report = verify(self.directory.path(), &Seal::new(None), &[]).unwrap();
        assert!(report.intact, "{report:?}");
        let mut files = std::fs::read_dir(self.directory.path()).unwrap();
        let file = files.find_map(|entry| {
            let path = entry.unwrap().path();
            path.extension()
                .is_some_and(|end| end == "jsonl")
                .then_some(path)
        });
        let text = std::fs::read_to_string(file.unwrap()).unwrap();
        let mut line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert!(line["request_id"].is_string(), "{line}");
        for name in [
            "seq",
            "at",
            "prev",
            "hash",
            "took_ms",
            "request_id",
            "service",
        ] {
            line.as_object_mut().unwrap().remove(name);
        }
        line
    }
}

#[tokio::test]
async fn a_question_is_told_with_its_route_its_plan_and_what_came_of_it() {
    let all = Audited::start().await;
    all.world
        .warehouse
        .answers(|_, _| answered(&["spend"], json!([[5]])));
    all.world
        .call(
            "ask",
            json!({"question": "¿Cuánto se gastó?", "route": "warehouse"}),
        )
        .await;
    let line = all.last().await;
    assert_eq!(line["action"], "ask");
    assert_eq!(
        (&line["outcome"], &line["subject"]),
        (&json!("allowed"), &json!("assistant"))
    );
    assert_eq!(line["question"], "¿Cuánto se gastó?");
    assert_eq!(
        (&line["route"], &line["results"]),
        (&json!("warehouse"), &json!(1)),
        "{line}"
    );
    assert_eq!(line["plan"]["score"], 1.0, "{line}");

    all.world
        .get_content(json!({"description": "two beaches"}))
        .await;
    assert_eq!(
        all.last().await,
        json!({
            "action": "getContent", "outcome": "allowed", "subject": "assistant", "client_id": "assistant",
            "question": "two beaches", "results": 1,
        })
    );
}

#[tokio::test]
async fn a_registration_is_told_before_and_after_the_yes() {
    let all = Audited::start().await;
    let token = all.world.token(&[Scope::CampaignsWrite]);
    let call = async |arguments: Value| {
        let params = json!({"name": "register_campaign", "arguments": arguments});
        let reply = Reply::of(all.world.modern(&token, "tools/call", params)).await;
        reply.result()["structuredContent"].clone()
    };
    let first = call(campaign()).await;
    let line = all.last().await;
    assert_eq!(line["reason"], "confirmation_required", "{line}");
    let mut again = campaign();
    again["confirmation_token"] = first["confirmation_token"].clone();
    call(again).await;
    let line = all.last().await;
    assert_eq!(
        (&line["about"], &line["reason"]),
        (&json!(["summer"]), &Value::Null),
        "{line}"
    );
}

#[tokio::test]
async fn what_fails_and_what_is_refused_is_told() {
    let all = Audited::start().await;
    all.world.get_content(json!({"description": 7})).await;
    assert_eq!(
        all.last().await,
        json!({
            "action": "getContent", "outcome": "refused", "reason": "invalid arguments",
            "subject": "assistant", "client_id": "assistant",
        })
    );
    // content-api refuses; then it is away.
    let problem = Problem::new(400, "invalid-filter", "Invalid filter", "No such theme.");
    all.world.content.behave(Behaviour::Problem(problem));
    all.world.get_content(json!({"description": "beach"})).await;
    let line = all.last().await;
    assert_eq!(line["outcome"], "refused", "{line}");
    all.world.content.behave(Behaviour::Unavailable(7));
    all.world.get_content(json!({"description": "beach"})).await;
    let line = all.last().await;
    assert_eq!(line["outcome"], "failed", "{line}");
    let scraped = all.world.scraped().await;
    let written = "promptsales_audit_events_written_total{service=\"mcp-gateway\"} 3\n";
    assert!(scraped.contains(written), "{scraped}");
    let params = json!({"name": "getContent", "arguments": {"description": "beach"}});
    let token = all.world.token(&[Scope::SalesRead]);
    let reply = Reply::of(all.world.modern(&token, "tools/call", params.clone())).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    let refused = json!({
        "action": "POST /mcp", "outcome": "refused", "status": 403, "reason": "insufficient-scope",
        "subject": "assistant", "client_id": "assistant",
    });
    assert_eq!(all.last().await, refused);
    let reply = Reply::of(all.world.modern("no-token", "tools/call", params)).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        all.last().await,
        json!({"action": "POST /mcp", "outcome": "refused", "status": 401, "reason": "invalid-token"})
    );
}
