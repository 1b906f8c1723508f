//! A campaign that somebody registers through MCP: its log names the person, the audit events say who
//! did what, and after the next run of the ETL it counts.

use std::time::Duration;

use contracts::Scope;
use local_idp::{LocalIdp, LocalIdpConfig};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use service_kit::Clock;

use crate::support::{Api, Reply, TestHome, Up, indexed_home, run};

/// A person at an assistant of theirs, with a token for the gateway.
struct Person {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Person {
    /// The local authorization server has programs alone for clients, so their token comes from its
    /// keys, as one of an issuer with people would.
    fn at(up: &Up, name: &str) -> Self {
        let endpoints = up.endpoints();
        let url = endpoints.mcp_gateway.join("/mcp").unwrap().to_string();
        let lifetime = Duration::from_secs(600);
        let config = LocalIdpConfig {
            issuer: endpoints.identity,
            clients: Vec::new(),
            audiences: vec![url.clone()],
            token_lifetime: lifetime,
            key_dir: up.home().path().join("identity"),
        };
        let idp = LocalIdp::new(config, Clock::system()).unwrap();
        let scopes = [Scope::ContentRead, Scope::SalesRead, Scope::CampaignsWrite];
        let token = idp
            .issue(name, &scopes.into_iter().collect(), &url, lifetime)
            .unwrap();
        Self {
            http: Api::of(up).http,
            url,
            token: token.expose_secret().to_owned(),
        }
    }

    async fn call(&self, tool: &str, arguments: &Value) -> Value {
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments},
        });
        let request = self
            .http
            .post(&self.url)
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2025-11-25")
            .bearer_auth(&self.token)
            .json(&body);
        let answer = Reply::of(request).await.json();
        let result = &answer["result"];
        assert_ne!(result["isError"], true, "{answer}");
        result["structuredContent"].clone()
    }

    /// One number, in answer to a question.
    async fn number(&self, question: &str) -> u64 {
        let answer = self.call("ask", &json!({"question": question})).await;
        assert_eq!(answer["route"], "warehouse", "{answer}");
        let rows = &answer["sales"]["rows"];
        rows[0][0].as_u64().unwrap_or_else(|| panic!("{answer}"))
    }

    /// Registers it, with a yes in between; its id.
    async fn register(&self, mut campaign: Value) -> String {
        let first = self.call("register_campaign", &campaign).await;
        campaign["confirmation_token"] = first["confirmation_token"].clone();
        let second = self.call("register_campaign", &campaign).await;
        assert_eq!(second["status"], "registered", "{second}");
        second["campaign"]["id"].as_str().unwrap().to_owned()
    }
}

fn campaign() -> Value {
    json!({
        "name": "Feria del Turrón de Alicante", "objective": "Llenar la feria", "audience": ["families"],
        "markets": ["ES"], "channels": ["email"], "budget": {"amount": "900.00", "currency": "EUR"},
        "starts_on": "2026-12-01", "ends_on": "2026-12-24", "content_ids": ["sushi-platter"],
        "idempotency_key": "turron-1",
    })
}

#[tokio::test]
async fn its_log_names_whoever_registered_it() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    let ana = Person::at(&up, "ana");
    let id = ana.register(campaign()).await;
    let log = ana.call("get_campaign_log", &json!({"campaign": id})).await;
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{log}");
    for entry in entries {
        assert_eq!(entry["by"], "ana", "{log}");
    }
    // Somebody else who chooses the same key comes upon nothing of hers.
    let eva = Person::at(&up, "eva");
    let other = eva.register(campaign()).await;
    assert_ne!(other, id);
    let log = eva
        .call("get_campaign_log", &json!({"campaign": other}))
        .await;
    assert_eq!(log["entries"][0]["by"], "eva", "{log}");
}

const COUNTS: [&str; 2] = ["¿Cuántas campañas hay?", "How many campaigns are there?"];

#[tokio::test]
async fn after_a_run_of_the_etl_it_counts_in_both_languages() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    let ana = Person::at(&up, "ana");
    let mut before = Vec::new();
    for question in COUNTS {
        before.push(ana.number(question).await);
    }
    assert_eq!(before[0], before[1]);
    ana.register(campaign()).await;
    run(up.home(), &["etl", "--json"]).expect(0);
    for (question, before) in COUNTS.into_iter().zip(before) {
        assert_eq!(ana.number(question).await, before + 1, "{question}");
    }
    for question in [
        "usos de contenido de la campaña Feria del Turrón de Alicante",
        "content uses of the campaign Feria del Turrón de Alicante",
    ] {
        assert_eq!(ana.number(question).await, 1, "{question}");
    }
    let verified = run(up.home(), &["verify", "--json"]).expect(0).json();
    assert_eq!(verified["equal"], true, "{verified}");
    audited(up).await;
}

/// Every service has told of it, in a chain that holds, and that a change breaks.
async fn audited(up: Up) {
    let (_, home) = up.stop(rustix::process::Signal::TERM);
    let verify = |code| {
        run(&home, &["audit", "verify", "--json"])
            .expect(code)
            .json()
    };
    let report = verify(0);
    assert_eq!(report["intact"], true, "{report}");
    let lines = lines(&home);
    let told = |service: &str, action: &str| {
        let found = lines
            .iter()
            .find(|line| line["service"] == service && line["action"] == action);
        found
            .unwrap_or_else(|| panic!("{service} {action}"))
            .clone()
    };
    let routed = told("mcp-gateway", "ask");
    assert_eq!(
        (&routed["subject"], &routed["route"]),
        (&json!("ana"), &json!("warehouse"))
    );
    assert_eq!(
        (&routed["question"], &routed["results"]),
        (&json!(COUNTS[0]), &json!(1))
    );
    let written = told("content-api", "POST /v1/campaigns");
    assert_eq!(
        (&written["subject"], &written["via"]),
        (&json!("ana"), &json!("mcp-gateway"))
    );
    let read = lines.iter().find(|line| {
        line["service"] == "sales-warehouse"
            && line["results"] == 1
            && line["question"] == COUNTS[1]
    });
    let read = read.expect("the warehouse's own line");
    assert_eq!(read["plan"]["metrics"], json!(["campaigns"]), "{read}");
    assert_eq!(read["subject"], "ana", "{read}");

    let file = files(&home).remove(0);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("ana", "eva", 1)).unwrap();
    let report = verify(1);
    assert!(
        report["faults"][0]["what"]
            .as_str()
            .unwrap()
            .contains("was changed"),
        "{report}"
    );
}

fn files(home: &TestHome) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(home.path().join("audit")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    files.sort();
    files
}

fn lines(home: &TestHome) -> Vec<Value> {
    let texts = files(home)
        .into_iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let all: String = texts.collect();
    all.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
