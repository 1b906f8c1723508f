//! Ends that nobody planned.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use local_runtime::{Postgres, PostgresError, PostgresOptions};
use rustix::process::{Signal, kill_process};
use sqlx::Row;

use super::{connect, gone, install, options, pid, start};
use crate::fake::open_dir;

/// Set for the copy of this test binary that is killed: where its cluster is.
const VICTIM: &str = "LOCAL_RUNTIME_VICTIM";

/// Not a test of its own: what `the_server_dies_with_its_parent` runs and kills.
#[tokio::test]
async fn victim() {
    let Ok(data_dir) = std::env::var(VICTIM) else {
        return;
    };
    let install = install().await.unwrap();
    let postgres = start(&install, Path::new(&data_dir)).await.unwrap();
    let mut connection = connect(&postgres, "postgres").await;
    sqlx::query("create table kept as select 7 as lucky")
        .execute(&mut connection)
        .await
        .unwrap();
    println!("\nserver {}", postgres.pid());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn the_server_dies_with_its_parent_and_the_next_start_waits_for_it() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "postgres::crashes::victim", "--nocapture"])
        .env(VICTIM, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let server: u32 = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            line.strip_prefix("server ")
                .and_then(|pid| pid.parse().ok())
        })
        .unwrap();

    let error = start(&install, dir.path()).await.unwrap_err();
    let expected = format!("another PromptSales (pid {}) uses", victim.id());
    assert!(matches!(error, PostgresError::InUse { .. }), "{error}");
    assert!(error.to_string().starts_with(&expected), "{error}");

    victim.kill().unwrap();
    victim.wait().unwrap();
    let postgres = start(&install, dir.path()).await.unwrap();
    gone(server).await;
    let mut connection = connect(&postgres, "postgres").await;
    let row = sqlx::query("select lucky from kept")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(row.get::<i32, _>(0), 7);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_noticed_and_started_again() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let postgres = start(&install, dir.path()).await.unwrap();
    kill_process(pid(postgres.pid()), Signal::KILL).unwrap();
    assert!(postgres.ended().await.contains("signal: 9"));
    postgres.stop().await.unwrap();
    assert!(dir.path().join("cluster/postmaster.pid").exists());
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();

    // After a power cut the number in the file may be any other program's.
    let stale = format!(
        "{}\n{}\n1\n5432\n",
        std::process::id(),
        dir.path().display()
    );
    fs::write(dir.path().join("cluster/postmaster.pid"), stale).unwrap();
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_earlier_server_that_stays_is_named() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let cluster = dir.path().join("cluster");
    fs::write(cluster.join("postmaster.pid"), "1\n").unwrap();
    let mut earlier = Command::new("sleep")
        .arg("600")
        .current_dir(&cluster)
        .spawn()
        .unwrap();
    let start_deadline = Duration::from_millis(100);
    let options = PostgresOptions {
        start_deadline,
        ..options(dir.path())
    };
    let error = Postgres::start(&install, options).await.unwrap_err();
    assert!(
        matches!(error, PostgresError::StillRunning { .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains(&format!("(pid {})", earlier.id())),
        "{error}"
    );
    earlier.kill().unwrap();
    earlier.wait().unwrap();
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_leaves_no_cluster() {
    let Some(install) = install().await else {
        return;
    };
    let dir = open_dir();
    let begun = async {
        // Not until initdb has written something.
        while !fs::read_dir(dir.path()).unwrap().flatten().any(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("cluster.new-")
                && entry.path().join("PG_VERSION").exists()
        }) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = start(&install, dir.path()) => panic!("initdb was not interrupted"),
        () = begun => {}
    }
    assert!(!dir.path().join("cluster").exists());
    // What a killed process cannot clear itself.
    fs::create_dir(dir.path().join("cluster.new-left")).unwrap();
    start(&install, dir.path())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let left = fs::read_dir(dir.path()).unwrap().flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(
        !left.iter().any(|name| name.starts_with("cluster.new")),
        "{left:?}"
    );
}
