//! A Qdrant server from `qdrant` on the PATH.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::{
    QDRANT_URL_VARIABLE,
    keeper::{free_port, on_the_path},
    resolve,
};

/// It listens within a second; a busy machine takes longer.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// Ends with this process, however that ends: the shell that holds the server kills it once its
/// standard input is closed.
struct QdrantServer {
    port: u16,
    _keeper: Child,
    _dir: TempDir,
}

/// The URL of the server that the tests of this process share, or of the one that `TEST_QDRANT_URL` names
/// (gRPC, without a key): use collections that nobody else does, and drop them. `None` (and a printed
/// notice) when there can be none.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn qdrant() -> Option<String> {
    static SHARED: OnceCell<Result<QdrantServer, String>> = OnceCell::const_new();
    if let Ok(url) = std::env::var(QDRANT_URL_VARIABLE)
        && !url.is_empty()
    {
        return Some(url);
    }
    let shared = SHARED.get_or_init(QdrantServer::start).await;
    let url = |server: &QdrantServer| format!("http://127.0.0.1:{}", server.port);
    resolve(
        "Qdrant",
        shared.as_ref().map(url).map_err(Clone::clone),
        false,
    )
}

impl QdrantServer {
    async fn start() -> Result<Self, String> {
        // What the server keeps lies in the directory that is removed with it.
        const SCRIPT: &str = "exec 3<&0; cd \"$1\"; \
             qdrant >log 2>&1 </dev/null 3<&- & server=$!; \
             { cat <&3; rm -rf -- \"$1\"; kill -9 $server; } >/dev/null 2>&1 & \
             echo started; exec >/dev/null; wait $server; kill $!";
        if on_the_path("qdrant").is_none() {
            return Err(format!(
                "qdrant is not on the PATH, and {QDRANT_URL_VARIABLE} is not set"
            ));
        }
        let dir = tempfile::Builder::new()
            .prefix("promptsales-test-qdrant-")
            .tempdir()
            .map_err(|error| format!("no temporary directory: {error}"))?;
        let (port, http) = (free_port()?, free_port()?);
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(dir.path())
            .env("QDRANT__SERVICE__HOST", "127.0.0.1")
            .env("QDRANT__SERVICE__GRPC_PORT", port.to_string())
            .env("QDRANT__SERVICE__HTTP_PORT", http.to_string())
            .env("QDRANT__STORAGE__STORAGE_PATH", dir.path().join("storage"))
            .env(
                "QDRANT__STORAGE__SNAPSHOTS_PATH",
                dir.path().join("snapshots"),
            )
            .env("QDRANT__TELEMETRY_DISABLED", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("no shell: {error}"))?;
        let stdout = keeper.stdout.take().ok_or("no standard output")?;
        BufReader::new(stdout)
            .read_line(&mut String::new())
            .map_err(|error| format!("the shell says nothing: {error}"))?;
        let deadline = Instant::now() + STARTS_WITHIN;
        while Instant::now() < deadline && matches!(keeper.try_wait(), Ok(None)) {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self {
                    port,
                    _keeper: keeper,
                    _dir: dir,
                });
            }
            sleep(Duration::from_millis(20)).await;
        }
        let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        let said = log.lines().last().unwrap_or("nothing").to_owned();
        Err(format!("qdrant does not listen; it said: {said}"))
    }
}
