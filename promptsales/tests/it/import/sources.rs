//! What the readers make of tables, without a system.

use promptsales::import::{Defaults, Entry, Source};

use super::Files;

/// Each row's place, and its image or what is wrong.
fn read(files: &Files, name: &str, text: impl AsRef<[u8]>) -> Vec<(String, String)> {
    let source = Source::open(&files.text(name, text), Defaults::default()).unwrap();
    let shown = |Entry { place, row }| {
        let what = row.map_or_else(|reason| reason, |row| row.image.display().to_string());
        (place, what)
    };
    source.rows.map(shown).collect()
}

#[track_caller]
fn assert_rows(rows: &[(String, String)], expected: &[(&str, &str)]) {
    assert_eq!(rows.len(), expected.len(), "{rows:#?}");
    for ((place, what), (expected_place, says)) in rows.iter().zip(expected) {
        assert_eq!(place, expected_place, "{rows:#?}");
        assert!(what.contains(says), "{place}: {what} does not say {says}");
    }
}

#[test]
fn tables_come_with_commas_semicolons_tabs_and_a_byte_order_mark() {
    let files = Files::new();
    for separator in [",", ";", "\t"] {
        let lines = [
            ["image", "en.description", "en.hashtags"],
            ["a.png", "\"One, two; three\nfour\"", "#A #B"],
            ["", "", ""],
            ["b.png", "\"He said \"\"no\"\"\"", ""],
        ];
        let text = lines.map(|cells| cells.join(separator)).join("\r\n");
        let rows = read(&files, "t.csv", format!("\u{feff}{text}\r\n"));
        assert_rows(
            &rows,
            &[("t.csv line 2", "a.png"), ("t.csv line 5", "b.png")],
        );
    }
}

#[test]
fn faults_of_a_table_are_told_with_their_lines() {
    let files = Files::new();
    let heading = "image,en.description,colour,image\n";
    let mut text = heading.as_bytes().to_vec();
    text.extend(b"a.png,A dog,red,\nb.png,A cat\nc.png,ma\xf1ana,,\n");
    let rows = read(&files, "t.csv", text);
    assert_rows(
        &rows,
        &[
            ("t.csv line 1", "unknown field 'colour'"),
            ("t.csv line 1", "two columns 'image'"),
            ("t.csv line 2", "a.png"),
            ("t.csv line 3", "has 2 columns and the heading 4"),
            ("t.csv line 4", "en.description is not UTF-8"),
        ],
    );
}

#[test]
fn a_quotation_mark_left_open_does_not_swallow_a_large_file() {
    let files = Files::new();
    let mut text = "image,en.description\na.png,A dog\nb.png,\"open\n".to_owned();
    text.push_str(&"c.png,A cat\n".repeat(200_000));
    let rows = read(&files, "t.csv", text);
    assert_rows(
        &rows,
        &[
            ("t.csv line 2", "a.png"),
            ("t.csv line 3", "is a quotation mark left open?"),
        ],
    );
}

#[test]
fn json_lines_are_bounded_and_may_be_anything() {
    let files = Files::new();
    let good = "{\"image\": \"a.png\", \"es.description\": \"x\"}";
    let long = format!("{{\"image\": \"{}\"}}", "x".repeat(200_000));
    let fitting = format!("{good}{}", " ".repeat(65_536 - good.len()));
    let text = format!("\u{feff}{good}\n\n[1]\n{long}\n{fitting}\n{fitting} \nnull\n\u{1}\n{good}");
    let rows = read(&files, "t.jsonl", text);
    assert_rows(
        &rows,
        &[
            ("t.jsonl line 1", "a.png"),
            ("t.jsonl line 3", "expected a JSON object"),
            ("t.jsonl line 4", "longer than 65536 bytes"),
            ("t.jsonl line 5", "a.png"),
            ("t.jsonl line 6", "longer than 65536 bytes"),
            ("t.jsonl line 7", "expected a JSON object"),
            ("t.jsonl line 8", "broken JSON"),
            ("t.jsonl line 9", "a.png"),
        ],
    );
    let rows = read(&files, "t.jsonl", b"{\"image\": \"\xf1\"}\n");
    assert_rows(&rows, &[("t.jsonl line 1", "not UTF-8")]);
}

#[test]
fn a_table_without_rows_is_a_fault() {
    let files = Files::new();
    for (name, text) in [("t.jsonl", "\n\n"), ("t.csv", ""), ("t.csv", "image,id\n")] {
        let rows = read(&files, name, text);
        assert_rows(&rows, &[(name, "there is no row in it")]);
    }
}
