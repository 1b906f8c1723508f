use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use test_support::{own_redis, redis};

/// Set for the copy of this test binary that is killed.
const VICTIM: &str = "TEST_SUPPORT_REDIS_VICTIM";

/// The first letters of the answer to PING, or nothing within a short time.
fn ping(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .ok()?;
    stream.write_all(b"PING\r\n").ok()?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn the_redis_is_shared() {
    let (Some(one), Some(two)) = tokio::join!(redis(), redis()) else {
        return;
    };
    assert_eq!(one, two);
}

#[tokio::test]
async fn a_redis_of_ones_own_is_killed_started_again_and_frozen() {
    let Some(mut server) = own_redis(&[]).await else {
        return;
    };
    assert_eq!(ping(server.port()).as_deref(), Some("+PONG"));
    server.freeze();
    assert_eq!(ping(server.port()), None);
    server.thaw();
    assert_eq!(ping(server.port()).as_deref(), Some("+PONG"));
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err());
    server.restart().await;
    assert_eq!(ping(server.port()).as_deref(), Some("+PONG"));
    let (port, dir) = (server.port(), server.dir().to_owned());
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!dir.exists());
}

/// Not a test of its own: what the next test runs and kills.
#[tokio::test]
async fn victim() {
    if std::env::var(VICTIM).is_err() {
        return;
    }
    match own_redis(&[]).await {
        Some(server) => {
            println!("victim {} {}", server.port(), server.dir().display());
            std::future::pending::<()>().await;
        }
        None => println!("victim 0 none"),
    }
}

#[test]
fn a_killed_test_process_leaves_no_redis_behind() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "redis::victim", "--nocapture"])
        .env(VICTIM, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("victim ").map(|(_, rest)| rest.to_owned()))
        .unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    let (port, dir) = told.split_once(' ').unwrap();
    let port: u16 = port.parse().unwrap();
    if port == 0 {
        return eprintln!("skipped: the victim had no server");
    }
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_ok() || Path::new(dir).exists() {
        assert!(
            Instant::now() < deadline,
            "port {port} or {dir} is still there"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
