//! A reader that has seen enough.

use std::process::{Command, Stdio};

use crate::support::{command, shared_up};

const LINES: &str = r#"{"id": 1, "text": "sushi"}
{"id": 2, "text": "un perro en el parque"}
"#;

#[test]
fn a_closed_pipe_is_no_error() {
    let Some(up) = shared_up() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, LINES).unwrap();
    let batch = ["--batch", file.path().to_str().unwrap()];
    for arguments in [
        &["find", "sushi"][..],
        &["find", "sushi", "--json"],
        &[&["find"], &batch[..]].concat(),
        &["status"],
        &["status", "--json"],
        &["token"],
    ] {
        let mut child = command(up.home())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Nobody will ever read: the first write meets a closed pipe.
        drop(child.stdout.take());
        let ran = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(
            (ran.status.code(), &*stderr),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn head_takes_the_first_line() {
    let Some(up) = shared_up() else { return };
    let ran = Command::new("sh")
        .args([
            "-c",
            r#""$1" --data-dir "$2" find a plate of sushi | head -n 1"#,
            "sh",
        ])
        .arg(env!("CARGO_BIN_EXE_promptsales"))
        .arg(up.home().path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8(ran.stdout).unwrap();
    assert!(stdout.starts_with("  1. Assorted sushi"), "{stdout}");
    assert_eq!(stdout.lines().count(), 1);
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
}
