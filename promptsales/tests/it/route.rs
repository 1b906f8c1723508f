//! `route`: where a question goes, for one and for a file of them.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Ran, run, run_with_input, shared_up};

/// Questions of our own that leave no doubt.
const PLAIN: [(&str, &str); 8] = [
    (
        "content",
        "a photo of a sleepy tabby stretched out on a red armchair",
    ),
    (
        "content",
        "fotos de una abuela amasando pan con su nieta en la cocina",
    ),
    (
        "warehouse",
        "total ad spend by channel in the third quarter",
    ),
    (
        "warehouse",
        "¿cuántos leads y qué ingresos tuvo cada campaña en agosto?",
    ),
    (
        "both",
        "show me the pictures that the campaigns with the highest revenue used",
    ),
    (
        "both",
        "enséñame las imágenes de las campañas con mejor ROAS de este año",
    ),
    ("neither", "will it rain in Lisbon on Sunday morning?"),
    ("neither", "escríbeme un poema sobre la luna y el mar"),
];

const ROUTES: [&str; 5] = ["content", "warehouse", "both", "neither", "ambiguous"];

/// What scripts rely on.
#[track_caller]
fn assert_decision(decision: &Value, expected: &str, text: &str) {
    assert_eq!(decision["route"], expected, "{text}: {decision}");
    let other = decision["runner_up"].as_str().unwrap();
    assert!(ROUTES.contains(&other) && other != expected, "{decision}");
    let score = decision["score"].as_f64().unwrap();
    let next = decision["runner_up_score"].as_f64().unwrap();
    assert!(
        (0.0..=1.0).contains(&score) && (0.0..=score).contains(&next),
        "{text}: {decision}"
    );
    // All services are there.
    assert_eq!(decision.get("missing"), None, "{decision}");
}

#[test]
fn plain_questions_go_where_they_belong() {
    let Some(up) = shared_up() else { return };
    for (expected, text) in PLAIN {
        let ran = run(up.home(), &["route", "--json", text]).expect(0);
        assert_decision(&ran.json(), expected, text);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn words_need_no_quotes_and_a_person_reads_a_line() {
    let Some(up) = shared_up() else { return };
    let (expected, text) = PLAIN[2];
    let words = text.split(' ');
    let arguments: Vec<&str> = ["route"].into_iter().chain(words).collect();
    let shown = run(up.home(), &arguments).expect(0).stdout;
    assert!(shown.starts_with(&format!("{expected} (")), "{shown}");
    assert!(shown.contains("; next "), "{shown}");
    assert_eq!(shown.lines().count(), 1, "{shown}");
}

fn batch(up: &crate::support::Up, input: &[u8]) -> Ran {
    run_with_input(up.home(), &["route", "--batch", "-"], input)
}

#[test]
fn a_file_is_routed_line_by_line_and_in_order() {
    let Some(up) = shared_up() else { return };
    let ids = [json!("first"), json!(2), json!(null), json!({"page": 4})];
    let mut lines = String::new();
    for (place, (_, text)) in PLAIN.into_iter().enumerate() {
        let id = &ids[place % ids.len()];
        lines.push_str(&format!("{}\n\n", json!({"id": id, "text": text})));
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, &lines).unwrap();
    let path = file.path().to_str().unwrap();
    let from_file = run(up.home(), &["route", "--batch", path])
        .expect(0)
        .json_lines();
    assert_eq!(from_file.len(), PLAIN.len());
    for (place, (expected, text)) in PLAIN.into_iter().enumerate() {
        assert_eq!(from_file[place]["id"], ids[place % ids.len()]);
        assert_decision(&from_file[place], expected, text);
    }
    // Standard input is a file too, and the same questions take the same routes.
    let from_input = batch(up, lines.as_bytes()).expect(0).json_lines();
    let told = |answers: &[Value]| -> Vec<_> {
        let told = answers.iter();
        told.map(|one| (one["id"].clone(), one["route"].clone()))
            .collect()
    };
    assert_eq!(told(&from_input), told(&from_file));
}

#[test]
fn an_empty_file_is_no_fault() {
    let Some(up) = shared_up() else { return };
    for input in [&b""[..], b"\n \n"] {
        let ran = batch(up, input).expect(0);
        assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
    }
}

#[test]
fn a_line_that_is_no_question_is_named_before_anything_is_routed() {
    let Some(up) = shared_up() else { return };
    let good = json!({"id": 1, "text": PLAIN[0].1}).to_string();
    for bad in [
        &b"where does this go"[..],
        b"{\"id\": 2}",
        b"{\"text\": \"sushi\"}",
        b"{\"id\": 2, \"text\": 7}",
        b"{\"id\": 2, \"text\": \"caf\xe9\"}",
        b"[]",
    ] {
        let ran = batch(up, &[good.as_bytes(), b"\n", bad, b"\n"].concat()).expect(1);
        assert!(ran.stderr.contains("standard input line 2"), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
    let ran = run(up.home(), &["route", "--batch", "/nowhere/q.jsonl"]).expect(1);
    assert!(
        ran.stderr.contains("cannot read /nowhere/q.jsonl"),
        "{ran:?}"
    );
}

#[test]
fn a_question_that_is_none_does_not_hold_up_the_others() {
    let Some(up) = shared_up() else { return };
    let (expected, text) = PLAIN[3];
    let long = "a".repeat(2_001);
    let texts = [text, " ", &long, text];
    let lines: Vec<String> = (1..)
        .zip(texts)
        .map(|(id, text)| json!({"id": id, "text": text}).to_string())
        .collect();
    let answers = batch(up, lines.join("\n").as_bytes())
        .expect(1)
        .json_lines();
    assert_eq!(answers.len(), 4);
    for place in [0, 3] {
        assert_decision(&answers[place], expected, text);
    }
    for place in [1, 2] {
        assert_eq!(answers[place]["id"], place + 1);
        let problem = &answers[place]["problem"];
        assert_eq!(problem["type"], "urn:promptsales:problem:invalid-question");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("1 to 2000 characters"), "{detail}");
    }
    for arguments in [&["route", " "][..], &["route", "--json", &long]] {
        let ran = run(up.home(), arguments).expect(1);
        assert!(ran.stderr.contains("1 to 2000 characters"), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
}
