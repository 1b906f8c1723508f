//! An import that does not get to its end, until it does.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use super::{Files, counts, documents, import};
use crate::support::{Up, command, indexed_home, wait_for, writable_up};

const ROWS: usize = 40;

/// A table of rows with images of their own, and ids that begin like this.
fn table(files: &Files, prefix: &str) -> std::path::PathBuf {
    let lines: String = (0..ROWS)
        .map(|row| {
            let image = format!("{prefix}{row}.png");
            files.image(&image, "yoga-studio-morning", &image);
            let line = json!({"id": format!("{prefix}{row}"), "image": image,
                "es": {"description": format!("Una nutria cuenta hasta {row}")}});
            format!("{line}\n")
        })
        .collect();
    files.text("rows.jsonl", lines)
}

/// How many rows of it the home remembers.
fn remembered(up: &Up, prefix: &str) -> usize {
    let ledger = fs::read_to_string(up.home().path().join("imports.jsonl")).unwrap_or_default();
    ledger.lines().filter(|line| line.contains(prefix)).count()
}

#[tokio::test]
async fn a_killed_import_goes_on_and_makes_nothing_twice() {
    let Some(up) = writable_up() else { return };
    let files = Files::new();
    let table = table(&files, "killed-");
    let mut child = command(up.home())
        .args(["import", "--approve", table.to_str().unwrap()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the first rows", || {
        (remembered(up, "killed-") >= 3).then_some(())
    });
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let held = documents(up, "killed-").await.len();
    println!("killed when {held} of {ROWS} were in");
    assert!((3..ROWS).contains(&held));

    let report = import(up.home(), &table, &["--approve"]).expect(0).json();
    let [created, updated, unchanged, deleted, refused] = counts(&report);
    assert_eq!((updated, deleted, refused), (0, 0, 0), "{report}");
    assert_eq!(created + unchanged, ROWS as u64);
    assert!(created <= (ROWS - held) as u64, "{report}");
    let after = documents(up, "killed-").await;
    assert_eq!(after.len(), ROWS);
    assert!(
        after
            .iter()
            .all(|document| document["status"] == "approved")
    );

    let report = import(up.home(), &table, &["--approve"]).expect(0).json();
    assert_eq!(counts(&report), [0, 0, ROWS as u64, 0, 0]);
    assert_eq!(documents(up, "killed-").await, after);
}

#[tokio::test]
async fn a_system_that_goes_away_stops_the_import_and_another_run_goes_on() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    let files = Files::new();
    let table = table(&files, "left-");
    let report = files.path().join("report");
    let mut child = command(up.home())
        .args(["import", "--json", table.to_str().unwrap()])
        .stdout(fs::File::create(&report).unwrap())
        .spawn()
        .unwrap();
    wait_for("the first rows", || {
        (remembered(&up, "left-") >= 3).then_some(())
    });
    let home = up.kill();
    let status = wait_for("the import to give up", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    let report = fs::read_to_string(report).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert!(report["stopped"].is_string(), "{report}");

    let up = Up::start(home);
    let report = import(up.home(), &table, &[]).expect(0).json();
    let [created, updated, unchanged, deleted, refused] = counts(&report);
    assert_eq!((updated, deleted, refused), (0, 0, 0), "{report}");
    assert_eq!(created + unchanged, ROWS as u64);
    assert_eq!(documents(&up, "left-").await.len(), ROWS);

    // Without what it remembers, it compares each row with the system, and finds them equal.
    fs::remove_file(up.home().path().join("imports.jsonl")).unwrap();
    let before = documents(&up, "left-").await;
    let report = import(up.home(), &table, &[]).expect(0).json();
    assert_eq!(counts(&report), [0, 0, ROWS as u64, 0, 0]);
    assert_eq!(documents(&up, "left-").await, before);
    let (status, _) = up.stop(Signal::INT);
    assert_eq!(status.code(), Some(0));
}
