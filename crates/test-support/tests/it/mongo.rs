use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use test_support::{mongo, own_mongo};

/// Set for the copy of this test binary that is killed.
const VICTIM: &str = "TEST_SUPPORT_MONGO_VICTIM";

/// `{"ping": 1, "$db": "admin"}` as an OP_MSG.
const PING: &[u8] = b"\x33\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
    \x1e\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";

/// Does it answer in a short time?
fn ping(port: u16) -> bool {
    let asked = || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(PING)?;
        stream.read_exact(&mut [0; 16])
    };
    asked().is_ok()
}

fn port(url: &str) -> u16 {
    let (_, rest) = url.rsplit_once(':').unwrap();
    rest.split('/').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_mongo_is_shared_and_each_database_is_ones_own() {
    let (Some(one), Some(two)) = tokio::join!(mongo(), mongo()) else {
        return;
    };
    assert_ne!(one, two);
    let server = |url: &str| url.rsplit_once('/').unwrap().0.to_owned();
    assert_eq!(server(&one), server(&two));
}

#[tokio::test]
async fn a_mongo_of_ones_own_is_killed_started_again_and_frozen() {
    let Some(mut server) = own_mongo().await else {
        return;
    };
    let (url, dir) = (server.url("x"), server.dir().to_owned());
    assert!(ping(port(&url)));
    server.freeze();
    assert!(!ping(port(&url)));
    server.thaw();
    assert!(ping(port(&url)));
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", port(&url))).is_err());
    server.restart().await;
    assert_eq!(server.url("x"), url);
    assert!(ping(port(&url)));
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port(&url))).is_err());
    assert!(!dir.exists());
}

/// Not a test of its own: what the next test runs and kills.
#[tokio::test]
async fn victim() {
    if std::env::var(VICTIM).is_err() {
        return;
    }
    match own_mongo().await {
        Some(server) => {
            println!(
                "victim {} {}",
                port(&server.url("")),
                server.dir().display()
            );
            std::future::pending::<()>().await;
        }
        None => println!("victim 0 none"),
    }
}

#[test]
fn a_killed_test_process_leaves_no_mongo_behind() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mongo::victim", "--nocapture"])
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
