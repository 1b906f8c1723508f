//! Files as they should not be: each fault has its line, and the rest goes in.

use std::{os::unix::fs::symlink, process::Command};

use serde_json::json;

use super::{Files, counts, documents, import, refusals};
use crate::support::{run, writable_up};

/// Each refusal in its order, and the beginning of what it says.
#[track_caller]
fn assert_refusals(refusals: &[String], expected: &[(&str, &str)]) {
    for (place, says) in expected {
        let found = refusals
            .iter()
            .any(|refusal| refusal.starts_with(&format!("{place}: ")) && refusal.contains(says));
        assert!(found, "{place}: {says} is not in {refusals:#?}");
    }
    assert_eq!(refusals.len(), expected.len(), "{refusals:#?}");
}

#[tokio::test]
async fn each_bad_line_is_refused_with_its_number_and_the_good_ones_go_in() {
    let Some(up) = writable_up() else { return };
    let files = Files::new();
    files.image("good.png", "sushi-platter", "bad input");
    files.image("twin.png", "sushi-platter", "bad input");
    files.text("text.png", "not a picture");
    files.text("empty.png", "");
    std::fs::create_dir(files.path().join("folder.png")).unwrap();
    let outside = Files::new();
    outside.image("secret.png", "sushi-platter", "outside");
    symlink(
        outside.path().join("secret.png"),
        files.path().join("link.png"),
    )
    .unwrap();
    let made = Command::new("mkfifo")
        .arg(files.path().join("pipe.png"))
        .status();
    assert!(made.unwrap().success());
    let line = |image: &str| json!({"image": image, "en": {"description": "A cat"}}).to_string();
    let absolute = outside.path().join("secret.png");
    let with = |key: &str, value: serde_json::Value| {
        let mut row = json!({"id": "bad-row", "image": "good.png", "en": {"description": "x"}});
        row[key] = value;
        row.to_string()
    };
    let lines = [
        line("good.png"),
        "{\"image\": \"good.png\",".to_owned(),
        line("missing.png"),
        line("../secret.png"),
        line(absolute.to_str().unwrap()),
        line("link.png"),
        line("pipe.png"),
        line("folder.png"),
        line("text.png"),
        line("empty.png"),
        line("twin.png"),
        String::new(),
        with("en", json!({"description": "x".repeat(2_001)})),
        with("themes", json!(["dragons"])),
        with("colour", json!("red")),
        json!({"image": "good.png", "description": "A cat"}).to_string(),
        with("id", json!("bad-good")),
        with("id", json!("bad-good")),
        with("padding", json!("x".repeat(70_000))),
    ];
    let table = files.text("rows.jsonl", lines.join("\n"));
    let report = import(up.home(), &table, &[]).expect(1).json();
    assert_refusals(
        &refusals(&report),
        &[
            ("rows.jsonl line 2", "broken JSON"),
            ("rows.jsonl line 3", "'missing.png' cannot be read"),
            ("rows.jsonl line 4", "leads out of the folder"),
            ("rows.jsonl line 5", "leads out of the folder"),
            ("rows.jsonl line 6", "a link that leads out"),
            ("rows.jsonl line 7", "is not a file"),
            ("rows.jsonl line 8", "is not a file"),
            ("rows.jsonl line 9", "Unsupported image"),
            ("rows.jsonl line 10", "The image file is empty"),
            (
                "rows.jsonl line 11",
                "the same, byte for byte, as that of rows.jsonl line 1",
            ),
            ("rows.jsonl line 13", "2001 characters: expected 1 to 2000"),
            // The id is taken by the line before, whatever became of that.
            (
                "rows.jsonl line 14",
                "the id 'bad-row' is that of rows.jsonl line 13 too",
            ),
            ("rows.jsonl line 15", "unknown field 'colour'"),
            ("rows.jsonl line 16", "has no language"),
            (
                "rows.jsonl line 18",
                "the id 'bad-good' is that of rows.jsonl line 17 too",
            ),
            ("rows.jsonl line 19", "longer than 65536 bytes"),
        ],
    );
    assert_eq!(counts(&report), [2, 0, 0, 0, 16]);
    assert_eq!(documents(up, "bad-").await.len(), 1);

    // A person reads one line for each, and the count at the end.
    let ran = run(up.home(), &["import", table.to_str().unwrap()]).expect(1);
    assert!(
        ran.stdout.contains("rows.jsonl line 2: broken JSON"),
        "{ran:?}"
    );
    let count = ran.stdout.lines().find(|line| line.contains("refused"));
    assert!(count.unwrap().contains("16"), "{ran:?}");
}

#[tokio::test]
async fn a_folder_with_faults_gives_what_is_good_in_it() {
    let Some(up) = writable_up() else { return };
    let files = Files::new();
    for name in ["bare", "both", "broken", "fine", "latin"] {
        files.image(
            &format!("{name}.png"),
            "sushi-platter",
            &format!("folder {name}"),
        );
    }
    files.text("both.json", "{}");
    files.text("both.toml", "");
    files.text("broken.toml", "id = \"x\"\nen = {");
    files.text(
        "fine.toml",
        "id = \"folder-fine\"\nen.description = \"A mole reads\"",
    );
    files.text("latin.json", b"{\"es\": {\"description\": \"ma\xf1ana\"}}");
    files.text("alone.toml", "en.description = \"Nothing to see\"");
    let report = import(up.home(), files.path(), &[]).expect(1).json();
    assert_refusals(
        &refusals(&report),
        &[
            ("alone.toml", "there is no image beside it"),
            ("bare.png", "bare.toml or bare.json: neither is there"),
            ("both.png", "both name it"),
            ("broken.png", "broken TOML in line 2"),
            ("latin.png", "is not UTF-8"),
        ],
    );
    assert_eq!(counts(&report), [1, 0, 0, 0, 5]);

    let empty = Files::new();
    let report = import(up.home(), empty.path(), &[]).expect(1).json();
    assert!(
        refusals(&report)[0].ends_with("there is no image file in it"),
        "{report}"
    );
}
