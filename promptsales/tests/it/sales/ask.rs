//! `ask`: a question in words, from the command to the warehouse and back.

use std::fs;

use serde_json::{Value, json};

use crate::support::{run, run_with_input, shared_up};

/// The clock of these questions, so that "last quarter" is always the same one.
const NOW: [&str; 2] = ["--now", "2026-11-22T12:00:00Z"];

/// Which campaigns did best in Mexico last quarter, as a person asks it in each language.
const BEST: [(&str, &str); 2] = [
    (
        "es",
        "¿cuáles fueron las 5 campañas con mejor ROAS en México el trimestre pasado?",
    ),
    (
        "en",
        "what were the 5 campaigns with the best ROAS in Mexico last quarter?",
    ),
];

fn ask<'a>(question: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["ask", question][..], &NOW, options].concat()
}

#[test]
fn both_languages_get_the_same_rows_and_each_its_own_sentence() {
    let Some(up) = shared_up() else { return };
    let answers = BEST.map(|(language, question)| {
        let answer = run(up.home(), &ask(question, &["--json"])).expect(0).json();
        assert_eq!(answer["kind"], "answer", "{answer}");
        assert_eq!(answer["language"], language);
        answer
    });
    let [spanish, english] = &answers;
    let query = &spanish["query"];
    assert_eq!(query["metrics"], json!(["roas"]));
    assert_eq!(query["dimensions"], json!(["campaign"]));
    assert_eq!(
        query["time"],
        json!({"from": "2026-07-01", "to": "2026-10-01"})
    );
    assert_eq!(query["limit"], 5);
    assert_eq!(query, &english["query"]);
    assert_eq!(spanish["rows"], english["rows"]);
    assert_ne!(spanish["sentence"], english["sentence"]);
    assert_best_first(&spanish["rows"]);
}

/// Five rows at most that end with a ratio, the largest first.
#[track_caller]
fn assert_best_first(rows: &Value) {
    let ratios: Vec<f64> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let ratio = row.as_array().unwrap().last().unwrap();
            let text = ratio.as_str().map(str::parse);
            ratio.as_f64().unwrap_or_else(|| text.unwrap().unwrap())
        })
        .collect();
    assert!((1..=5).contains(&ratios.len()), "{rows}");
    assert!(ratios.is_sorted_by(|one, next| one >= next), "{rows}");
}

#[test]
fn a_person_reads_a_sentence_and_a_table() {
    let Some(up) = shared_up() else { return };
    let shown = run(up.home(), &ask(BEST[0].1, &[])).expect(0).stdout;
    assert!(shown.contains("ROAS"), "{shown}");
    assert!(shown.contains("Campaña"), "{shown}");
}

#[test]
fn a_plan_is_not_run() {
    let Some(up) = shared_up() else { return };
    let options = ["--plan-only", "--json"];
    let plan = run(up.home(), &ask(BEST[1].1, &options)).expect(0).json();
    assert_eq!(plan["query"]["metrics"], json!(["roas"]));
    assert!(plan["sql"].as_str().unwrap().starts_with("WITH"), "{plan}");
    assert_eq!(plan["rows"], json!([]));
}

#[test]
fn what_cannot_be_answered_has_an_exit_code_of_its_own() {
    let Some(up) = shared_up() else { return };
    let refused = run(
        up.home(),
        &ask("the e-mail addresses of our customers", &[]),
    )
    .expect(1);
    assert!(!refused.stdout.contains('@'), "{}", refused.stdout);
    let asked_back = run(up.home(), &ask("ventas de la campaña Zzyzx Qwrtp", &[])).expect(1);
    assert!(!asked_back.stdout.is_empty());
}

#[test]
fn a_batch_answers_line_by_line_and_in_order() {
    let Some(up) = shared_up() else { return };
    let lines = [
        json!({"id": "q1", "text": BEST[1].1}),
        json!({"id": 2, "text": "what will the weather be like tomorrow?"}),
        json!({"id": "q3", "text": "¿cuánto gastamos en marzo de 2026?"}),
    ];
    let input = lines.map(|line| format!("{line}\n")).concat();
    let arguments = [&["ask", "--batch", "-"][..], &NOW].concat();
    let answers = run_with_input(up.home(), &arguments, input.as_bytes())
        .expect(0)
        .json_lines();
    let came: Vec<_> = answers
        .iter()
        .map(|one| (&one["id"], &one["kind"]))
        .collect();
    let expected = [
        (&json!("q1"), &json!("answer")),
        (&json!(2), &json!("decline")),
        (&json!("q3"), &json!("answer")),
    ];
    assert_eq!(came, expected);
    assert_eq!(answers[2]["query"]["metrics"], json!(["spend"]));
}

#[test]
fn a_line_that_is_no_question_is_named() {
    let Some(up) = shared_up() else { return };
    let input = "{\"id\": 1, \"text\": \"revenue this year\"}\nnot a question\n";
    let ran = run_with_input(up.home(), &["ask", "--batch", "-"], input.as_bytes()).expect(1);
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[test]
fn rows_are_drawn_into_a_file() {
    let Some(up) = shared_up() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("roas.svg");
    run(
        up.home(),
        &ask(BEST[0].1, &["--chart", file.to_str().unwrap()]),
    )
    .expect(0);
    let drawn = fs::read_to_string(file).unwrap();
    assert!(drawn.contains("<svg"), "{drawn}");
    assert!(drawn.contains("ROAS"), "{drawn}");
}

#[test]
fn an_answer_that_cannot_be_drawn_is_shown_all_the_same() {
    let Some(up) = shared_up() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("one.svg");
    let options = ["--chart", file.to_str().unwrap()];
    let ran = run(up.home(), &ask("how many campaigns are there?", &options)).expect(1);
    assert!(ran.stdout.contains(char::is_numeric), "{}", ran.stdout);
    assert!(ran.stderr.contains("nothing to draw"), "{}", ran.stderr);
    assert!(!file.exists());
}
