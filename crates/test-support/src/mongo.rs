//! Servers of the tests' own that speak MongoDB's protocol: `ferretdb`, built from `tools/`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OnceCell,
    time::timeout,
};

use crate::{
    FERRETDB_VARIABLE, MONGODB_URL_VARIABLE,
    keeper::{Kept, free_port, on_the_path},
    or_skip,
};

/// Somebody else may take a port between our asking for a free one and the server's start.
const TRIES: u32 = 5;

/// A server that ends with this value, or with this process however that ends. Its data last as
/// long as the value.
#[derive(Debug)]
pub struct MongoServer {
    port: u16,
    dir: TempDir,
    running: Option<Kept>,
}

impl MongoServer {
    /// Starts `ferretdb` on a free loopback port, empty.
    ///
    /// # Errors
    /// With what is missing or went wrong, in words for a skip notice.
    pub async fn start() -> Result<Self, String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let dir = tempfile::Builder::new()
                .prefix("promptsales-test-mongo-")
                .tempdir()
                .map_err(|error| format!("no temporary directory: {error}"))?;
            let mut server = Self {
                port: free_port()?,
                dir,
                running: None,
            };
            match server.launch().await {
                Ok(()) => return Ok(server),
                Err(reason) => last = reason,
            }
        }
        Err(last)
    }

    /// `mongodb://127.0.0.1:PORT/DATABASE`; the same after [`MongoServer::restart`].
    pub fn url(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }

    /// Its private directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Kills it without a chance to say goodbye.
    pub fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }

    /// Starts it again on the same port, with what it held.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.kill();
        if let Err(reason) = self.launch().await {
            panic!("ferretdb does not start again: {reason}");
        }
    }

    /// From now on it accepts connections and never answers.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It answers again.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(running) = &self.running {
            running.signal(signal);
        }
    }

    async fn launch(&mut self) -> Result<(), String> {
        let program = binary()?;
        let (port, dir) = (self.port, self.dir.path());
        let listen = format!("-listen=127.0.0.1:{port}");
        let arguments = [listen, format!("-dir={}", dir.display())];
        let started = Kept::start(program.as_os_str(), &arguments, dir)?;
        let running = started.answering(async || answers(port).await).await;
        self.running = Some(running.map_err(|reason| format!("ferretdb: {reason}"))?);
        Ok(())
    }
}

impl Drop for MongoServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The URL of an empty database, on the server that `TEST_MONGODB_URL` names or on one that the
/// tests of this process share. `None` (and a printed notice) when there can be none. On a server
/// that is named, the database stays: drop it if that matters.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn mongo() -> Option<String> {
    static SHARED: OnceCell<Result<MongoServer, String>> = OnceCell::const_new();
    let database = format!("test_{}", uuid::Uuid::now_v7().simple());
    if let Ok(url) = std::env::var(MONGODB_URL_VARIABLE)
        && !url.is_empty()
    {
        return Some(crate::database::with_database(&url, &database));
    }
    let shared = SHARED.get_or_init(MongoServer::start).await;
    let url = shared.as_ref().map(|server| server.url(&database));
    or_skip("MongoDB", url.map_err(Clone::clone))
}

/// A server for one test, to stop, freeze and start again as it likes. `TEST_MONGODB_URL` is no help
/// here.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn own_mongo() -> Option<MongoServer> {
    or_skip("a MongoDB of the test's own", MongoServer::start().await)
}

fn binary() -> Result<PathBuf, String> {
    let named = std::env::var_os(FERRETDB_VARIABLE).filter(|path| !path.is_empty());
    named
        .map(PathBuf::from)
        .or_else(|| on_the_path("ferretdb"))
        .ok_or_else(|| {
            format!(
                "there is no ferretdb on the PATH, and neither {FERRETDB_VARIABLE} nor \
                 {MONGODB_URL_VARIABLE} is set; tools/README.md says how to build it"
            )
        })
}

/// Asks it the protocol's first question, and waits for any answer.
async fn answers(port: u16) -> bool {
    // OP_MSG of 52 bytes: header, no flags, one section of kind 0, {"hello": 1, "$db": "admin"}.
    const HELLO: &[u8] = b"\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
        \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(HELLO).await.ok()?;
        let mut first = [0];
        stream.read_exact(&mut first).await.ok()
    };
    timeout(Duration::from_secs(1), asking)
        .await
        .is_ok_and(|read| read.is_some())
}
