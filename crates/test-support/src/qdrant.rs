//! A Qdrant server from `qdrant` on the PATH.

use std::ffi::OsStr;

use tempfile::TempDir;
use tokio::{net::TcpStream, sync::OnceCell};

use crate::{
    QDRANT_URL_VARIABLE,
    keeper::{Kept, free_port, on_the_path},
    resolve,
};

/// Ends with this process, however that ends.
struct QdrantServer {
    port: u16,
    _running: Kept,
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
        let program = on_the_path("qdrant").ok_or_else(|| {
            format!("qdrant is not on the PATH, and {QDRANT_URL_VARIABLE} is not set")
        })?;
        let dir = tempfile::Builder::new()
            .prefix("promptsales-test-qdrant-")
            .tempdir()
            .map_err(|error| format!("no temporary directory: {error}"))?;
        let (port, http) = (free_port()?, free_port()?);
        let (home, program) = (dir.path().display(), program.display());
        // It is told by its environment, and leaves marks where it is started.
        let arguments = [
            format!("--chdir={home}"),
            "QDRANT__SERVICE__HOST=127.0.0.1".to_owned(),
            format!("QDRANT__SERVICE__GRPC_PORT={port}"),
            format!("QDRANT__SERVICE__HTTP_PORT={http}"),
            format!("QDRANT__STORAGE__STORAGE_PATH={home}/storage"),
            format!("QDRANT__STORAGE__SNAPSHOTS_PATH={home}/snapshots"),
            "QDRANT__TELEMETRY_DISABLED=true".to_owned(),
            program.to_string(),
        ];
        let started = Kept::start(OsStr::new("env"), &arguments, dir.path())?;
        let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        Ok(Self {
            port,
            _running: started.answering(listens).await?,
            _dir: dir,
        })
    }
}
