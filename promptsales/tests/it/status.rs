//! `status` and `token`.

use serde_json::Value;

use crate::support::{CATALOGUE, assert_complete_and_equal, indexed_home, run, shared_up, token};

const SERVICES: [&str; 5] = [
    "local-idp",
    "embedder",
    "content-api",
    "sales-warehouse",
    "mcp-gateway",
];

#[test]
fn the_json_is_what_scripts_rely_on() {
    let Some(up) = shared_up() else { return };
    let ran = run(up.home(), &["status", "--json"]).expect(0);
    assert_eq!(ran.stderr, "");
    let status = ran.json();
    assert_complete_and_equal(&status);
    for index in status["indexes"].as_array().unwrap() {
        assert_eq!(index["model"], "minilm-es-en-v1");
        let manifest = index["manifest_sha256"].as_str().unwrap();
        assert_eq!(manifest.len(), 64);
        assert!(manifest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!index["version"].as_str().unwrap().is_empty());
    }
    let endpoints = up.endpoints();
    let urls = [
        endpoints.identity,
        endpoints.embedder,
        endpoints.content_api,
        endpoints.sales_warehouse,
        endpoints.mcp_gateway,
    ];
    let services = status["services"].as_array().unwrap();
    assert_eq!(services.len(), SERVICES.len());
    for ((service, name), url) in services.iter().zip(SERVICES).zip(urls) {
        assert_eq!(service["name"], name);
        assert_eq!(service["url"], url.as_str());
        assert_eq!(service["ready"], true, "{service}");
        assert_eq!(service["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(service["missing"], Value::Array(Vec::new()));
    }
    assert_eq!(status["home"], up.home().path().to_str().unwrap());
}

#[test]
fn a_person_reads_a_table() {
    let Some(up) = shared_up() else { return };
    let ran = run(up.home(), &["status"]).expect(0);
    for name in SERVICES {
        let line = ran.stdout.lines().find(|line| line.contains(name)).unwrap();
        assert!(
            line.contains("http://127.0.0.1:") && line.contains("ready"),
            "{line}"
        );
    }
    let count = CATALOGUE.to_string();
    for engine in ["qdrant-edge", "pgvector"] {
        let line = ran
            .stdout
            .lines()
            .find(|line| line.contains(engine))
            .unwrap();
        assert!(
            line.contains(&count) && line.contains("minilm-es-en-v1"),
            "{line}"
        );
    }
    let home = format!("home: {}", up.home().path().display());
    assert!(ran.stdout.trim_end().ends_with(&home), "{}", ran.stdout);
}

#[test]
fn without_a_running_up_it_starts_its_own_and_leaves_nothing() {
    let Some(home) = indexed_home() else { return };
    assert_complete_and_equal(&run(&home, &["status", "--json"]).expect(0).json());
    assert_eq!(home.processes(), []);
}

#[test]
fn a_token_is_one_line_of_three_parts() {
    let Some(up) = shared_up() else { return };
    let issued = token(
        up.home(),
        &["--scope", "content:read", "--scope", "sales:read"],
    );
    assert_eq!(issued.split('.').count(), 3, "{issued}");
    assert_eq!(issued.lines().count(), 1);
    for (scope, code, says) in [
        ("everything", 2, "expected one of content:read"),
        // No person may write to the indexes past the content API.
        ("index:write", 1, "invalid_scope"),
    ] {
        let ran = run(up.home(), &["token", "--scope", scope]).expect(code);
        assert!(ran.stderr.contains(says), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
}
