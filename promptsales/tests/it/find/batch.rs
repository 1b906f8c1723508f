//! `find --batch`: JSON lines in, JSON lines out.

use std::fs;

use serde_json::json;

use crate::support::{Ran, ids, run, run_with_input, shared_up};

const QUESTIONS: &str = r#"{"id": "en", "text": "a dog plays in the park"}
{"id": 7, "text": "a dog plays in the park", "lang": "es"}

{"id": null, "text": "submarino militar bajo el hielo", "note": "kept by somebody else"}
{"id": {"page": 2}, "text": "sushi"}
"#;

#[track_caller]
fn check(ran: Ran) {
    let lines = ran.expect(0).json_lines();
    let asked: Vec<_> = lines.iter().map(|line| line["id"].clone()).collect();
    assert_eq!(
        asked,
        [json!("en"), json!(7), json!(null), json!({"page": 2})]
    );
    let found: Vec<_> = lines
        .iter()
        .map(|line| ids(line).first().copied())
        .collect();
    let dog = Some("dog-park-frisbee");
    assert_eq!(found, [dog, dog, None, Some("sushi-platter")]);
    let languages: Vec<_> = lines.iter().map(|line| line["language"].as_str()).collect();
    assert_eq!(languages[..3], [Some("en"), Some("es"), Some("es")]);
    assert_eq!(lines[2]["no_match"], true);
    assert!(lines.iter().all(|line| line["engine"] == "qdrant-edge"));
}

#[test]
fn a_file_is_answered_line_by_line() {
    let Some(up) = shared_up() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, QUESTIONS).unwrap();
    check(run(
        up.home(),
        &["find", "--batch", file.path().to_str().unwrap()],
    ));
}

#[test]
fn standard_input_is_a_file_too() {
    let Some(up) = shared_up() else { return };
    check(run_with_input(
        up.home(),
        &["find", "--batch", "-"],
        QUESTIONS.as_bytes(),
    ));
    let ran = run_with_input(up.home(), &["find", "--batch", "-"], b"").expect(0);
    assert_eq!((ran.stdout, ran.stderr), (String::new(), String::new()));
}

#[test]
fn limit_and_language_hold_for_lines_that_say_nothing_else() {
    let Some(up) = shared_up() else { return };
    let lines =
        "{\"id\": 1, \"text\": \"shoes\"}\n{\"id\": 2, \"text\": \"shoes\", \"lang\": \"en\"}";
    let options = ["find", "--batch", "-", "--limit", "2", "--lang", "es"];
    let answers = run_with_input(up.home(), &options, lines.as_bytes())
        .expect(0)
        .json_lines();
    assert_eq!(answers[0]["language"], "es");
    assert_eq!(answers[1]["language"], "en");
    assert!(
        answers.iter().all(|answer| ids(answer).len() == 2),
        "{answers:?}"
    );
}

#[test]
fn a_refused_question_does_not_hold_up_the_others() {
    let Some(up) = shared_up() else { return };
    let lines = "{\"id\": 1, \"text\": \"sushi\"}\n{\"id\": 2, \"text\": \"🌊\"}\n{\"id\": 3, \"text\": \"sushi\"}";
    let ran = run_with_input(up.home(), &["find", "--batch", "-"], lines.as_bytes()).expect(1);
    let answers = ran.json_lines();
    assert_eq!(answers.len(), 3);
    let problem = &answers[1]["problem"];
    assert_eq!(answers[1]["id"], 2);
    assert_eq!(
        problem["type"],
        "urn:promptsales:problem:invalid-description"
    );
    assert!(problem["detail"].as_str().unwrap().contains("no letter"));
    for answer in [&answers[0], &answers[2]] {
        assert_eq!(ids(answer)[0], "sushi-platter");
    }
}

#[test]
fn a_line_that_is_no_question_is_named_before_anything_is_asked() {
    let Some(up) = shared_up() else { return };
    let good = r#"{"id": 1, "text": "sushi"}"#;
    for bad in [
        &b"sushi"[..],
        b"{\"id\": 2}",
        b"{\"text\": \"sushi\"}",
        b"{\"id\": 2, \"text\": \"sushi\", \"lang\": \"fr\"}",
        b"{\"id\": 2, \"text\": \"caf\xe9\"}",
        b"[]",
    ] {
        let input = [good.as_bytes(), b"\n", bad, b"\n"].concat();
        let ran = run_with_input(up.home(), &["find", "--batch", "-"], &input).expect(1);
        assert!(ran.stderr.contains("standard input line 2"), "{ran:?}");
        assert_eq!(ran.stdout, "");
    }
    for (path, says) in [
        (
            "/nowhere/questions.jsonl",
            "cannot read /nowhere/questions.jsonl",
        ),
        ("/", "cannot read /"),
    ] {
        let ran = run(up.home(), &["find", "--batch", path]).expect(1);
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
}
