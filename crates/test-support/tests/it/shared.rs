use std::{path::Path, process::Command, time::Duration};

use test_support::{fresh_database, onnxruntime, postgres};

/// Set for the copy of this test binary that is killed.
const VICTIM: &str = "TEST_SUPPORT_VICTIM";

#[tokio::test]
async fn databases_are_separate_and_have_vectors() {
    let (Some(one), Some(two)) = tokio::join!(fresh_database(), fresh_database()) else {
        return;
    };
    assert_ne!(one.name(), two.name());
    sqlx::query("create table only_here (embedding vector(2))")
        .execute(&one.pool)
        .await
        .unwrap();
    sqlx::query("insert into only_here values ('[1,2]')")
        .execute(&one.pool)
        .await
        .unwrap();
    let elsewhere: Option<String> = sqlx::query_scalar("select to_regclass('only_here')::text")
        .fetch_one(&two.pool)
        .await
        .unwrap();
    assert_eq!(elsewhere, None);
}

#[tokio::test]
async fn the_server_is_shared() {
    let (Some(one), Some(two)) = tokio::join!(postgres(), postgres()) else {
        return;
    };
    assert!(std::ptr::eq(one, two));
}

#[tokio::test]
async fn onnxruntime_is_a_file_and_may_be_asked_for_inside_a_runtime() {
    let Some(path) = onnxruntime() else { return };
    assert!(path.is_file());
}

/// Not a test of its own: what the next test runs and kills.
#[tokio::test]
async fn victim() {
    if std::env::var(VICTIM).is_err() {
        return;
    }
    let home = postgres()
        .await
        .and_then(|shared| shared.local())
        .map(|local| (local.pid(), local.home().display().to_string()));
    println!("victim {home:?}");
    std::future::pending::<()>().await;
}

#[test]
fn a_killed_test_process_leaves_nothing_behind() {
    use std::io::{BufRead, BufReader};
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shared::victim", "--nocapture"])
        .env(VICTIM, "1")
        .env_remove(test_support::POSTGRES_URL_VARIABLE)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("victim ").map(|(_, rest)| rest.to_owned()))
        .unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    let Some((pid, home)) = told
        .strip_prefix("Some((")
        .and_then(|rest| rest.split_once(", \""))
    else {
        return eprintln!("skipped: the victim had no server");
    };
    let home = Path::new(home.trim_end_matches("\"))"));
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while rustix::process::test_kill_process(pid).is_ok() || home.exists() {
        assert!(
            std::time::Instant::now() < deadline,
            "{pid:?} or {} is still there",
            home.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
