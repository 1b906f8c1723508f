//! What a newcomer sees.

use std::process::Command;

use serde_json::Value;

use crate::support::{Api, FirstStart, Up, ids, shared_up};

#[test]
fn a_first_start_indexes_answers_and_says_how_to_go_on() {
    let Some(first) = FirstStart::get() else {
        return;
    };
    for step in [
        "Starting PostgreSQL: 18.",
        "Loading the embedding model",
        "66 new, 0 changed, 0 as before",
    ] {
        assert!(first.stderr.contains(step), "{step}: {}", first.stderr);
    }
    // Both examples, each with the best answer first and in its own language.
    for (question, answer) in [
        ("zapatillas para salir a correr", "1. Zapatillas de correr"),
        ("a lonely lighthouse", "1. White and red lighthouse"),
    ] {
        let (_, after) = first.stdout.split_once(question).expect(question);
        let shown = after.lines().nth(1).unwrap();
        assert!(shown.contains(answer), "{question}: {shown}");
    }
    for part in [
        "PromptSales is serving",
        "content API      http://127.0.0.1:",
        "MCP gateway      http://127.0.0.1:",
        "find \"perro jugando en el parque\"",
        "curl -s http://127.0.0.1:",
        "\"mcpServers\"",
        "qdrant-edge · minilm-es-en-v1",
    ] {
        assert!(first.stdout.contains(part), "{part}: {}", first.stdout);
    }
    // Colours belong to a terminal.
    assert!(!first.stdout.contains('\u{1b}'), "{}", first.stdout);
}

#[test]
fn ctrl_c_stops_everything_in_order() {
    // That nothing was left behind is checked wherever an `up` is stopped.
    let Some(first) = FirstStart::get() else {
        return;
    };
    assert_eq!(first.code, Some(0));
    let home = first.home().path();
    assert!(!home.join("endpoints.json").exists());
    assert!(!home.join("postgres/cluster/postmaster.pid").exists());
}

/// In a home whose name a shell would take apart.
#[tokio::test]
async fn the_curl_that_it_prints_can_be_pasted() {
    let Some(first) = FirstStart::get() else {
        return;
    };
    let up = Up::start(first.home().copy_ending(" of Ana's $HOME"));
    let stdout = up.stdout();
    let (_, after) = stdout.split_once("or with curl:\n\n").unwrap();
    let (pasted, _) = after.split_once("\n\n").unwrap();
    let answer: Value = if Command::new("curl").arg("--version").output().is_ok() {
        let ran = Command::new("sh").args(["-c", pasted]).output().unwrap();
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    } else {
        eprintln!("skipped: curl is not installed; its request is sent without it");
        let (_, body) = pasted.split_once("-d '").unwrap();
        let body = serde_json::from_str(body.trim_end_matches('\'')).unwrap();
        Api::of(&up).get_content(body).await.json()
    };
    assert_eq!(ids(&answer)[0], "dog-park-frisbee");
}

#[test]
fn its_documents_say_who_serves() {
    let Some(up) = shared_up() else { return };
    let endpoints = up.endpoints();
    assert_eq!(endpoints.pid, up.pid());
    let stdout = up.stdout();
    for url in [
        endpoints.content_api.to_string(),
        endpoints.mcp_gateway.join("/mcp").unwrap().to_string(),
        endpoints.embedder.to_string(),
        endpoints.sales_warehouse.to_string(),
        endpoints.identity.join("/token").unwrap().to_string(),
    ] {
        assert_eq!(endpoints.identity.host_str(), Some("127.0.0.1"));
        assert!(stdout.contains(&url), "{url}: {stdout}");
    }
}
