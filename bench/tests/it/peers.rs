//! Peers that are missing, fail, or speak: with a stand-in interpreter, so that none need be installed.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use promptsales_bench::{
    peers::{Peer, venv},
    texts::Texts,
};
use tempfile::TempDir;

fn texts() -> Texts {
    Texts::new(vec!["uno".to_owned()], vec!["dos".to_owned()]).unwrap()
}

/// A program that ignores its arguments and does what the shell script says.
fn interpreter(folder: &TempDir, script: &str) -> PathBuf {
    let path = folder.path().join("python");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path
}

async fn start(python: &Path) -> anyhow::Result<Peer> {
    Peer::start(python, Path::new("bench"), "fastembed", 1, &texts()).await
}

async fn refusal(script: &str) -> String {
    let folder = TempDir::new().unwrap();
    let python = interpreter(&folder, script);
    let refused = start(&python).await.err().expect("it must fail");
    format!("{refused:#}")
}

#[tokio::test]
async fn a_peer_answers_line_by_line() {
    let folder = TempDir::new().unwrap();
    let script = r#"
        echo '{"version": "1.2", "batches": [16, 256]}'
        read line; echo '{"p50_ms": 5.0, "p99_ms": 6.0, "count": 7}'
        read line; echo '{"texts_per_second": 210.5}'
        read line; echo '{"vectors": [[1.0, 0.0]]}'
        read line; echo '{"error": "out of memory"}'"#;
    let mut peer = start(&interpreter(&folder, script)).await.unwrap();
    assert_eq!((peer.version(), peer.batches()), ("1.2", &[16, 256][..]));
    assert_eq!(peer.query(0.1).await.unwrap().count, 7);
    assert_eq!(peer.bulk(16, 0.1).await.unwrap(), 210.5);
    assert_eq!(peer.vectors(16).await.unwrap(), [[1.0, 0.0]]);
    let failed = peer.bulk(256, 0.1).await.unwrap_err().to_string();
    assert_eq!(failed, "out of memory");
    peer.stop().await.unwrap();
}

#[tokio::test]
async fn a_missing_library_is_the_reason_that_is_shown() {
    let said = refusal(r#"echo '{"error": "No module named x; install y.txt"}'"#).await;
    assert_eq!(said, "No module named x; install y.txt");
}

#[tokio::test]
async fn a_peer_that_ends_early_is_quoted() {
    let said = refusal("echo 'Traceback' >&2; echo 'ImportError: no numpy' >&2; exit 3").await;
    assert!(
        said.contains("3") && said.contains("ImportError: no numpy"),
        "{said}"
    );
}

#[tokio::test]
async fn a_peer_that_babbles_is_quoted() {
    let said = refusal("echo hello").await;
    assert!(said.contains("hello"), "{said}");
}

#[tokio::test]
async fn an_interpreter_that_is_not_there_is_named() {
    let failed = start(Path::new("/nowhere/python")).await.err().unwrap();
    assert!(failed.to_string().contains("/nowhere/python"), "{failed}");
}

/// Debian has venv in a package of its own.
fn venv_is_missing() -> bool {
    let tried = std::process::Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .status();
    !tried.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn an_environment_is_made_once() {
    if venv_is_missing() {
        return eprintln!("skipped: there is no python3 with venv and ensurepip");
    }
    let (bench, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // Nothing to install: what is tested is the environment, not the network.
    fs::write(bench.path().join("requirements.txt"), "# none\n").unwrap();
    let made = venv::provide(bench.path(), "requirements.txt", cache.path());
    let python = made.await.unwrap();
    assert!(python.starts_with(cache.path()) && python.is_file());
    let mark = python.with_file_name("mark");
    fs::write(&mark, "").unwrap();
    let again = venv::provide(bench.path(), "requirements.txt", cache.path());
    assert_eq!(again.await.unwrap(), python);
    assert!(mark.is_file(), "the second call made it anew");

    fs::write(bench.path().join("requirements.txt"), "# other\n").unwrap();
    let other = venv::provide(bench.path(), "requirements.txt", cache.path());
    assert_ne!(other.await.unwrap(), python);
}

#[tokio::test]
async fn requirements_that_cannot_be_had_say_why_and_leave_no_stamp() {
    if venv_is_missing() {
        return eprintln!("skipped: there is no python3 with venv and ensurepip");
    }
    let (bench, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(bench.path().join("requirements.txt"), "./not-there\n").unwrap();
    for _ in 0..2 {
        let failed = venv::provide(bench.path(), "requirements.txt", cache.path()).await;
        let said = format!("{:#}", failed.unwrap_err());
        assert!(said.starts_with("pip failed"), "{said}");
    }
}
