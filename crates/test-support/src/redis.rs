//! Redis servers of the tests' own, from `redis-server` on the PATH.

use std::{path::Path, time::Duration};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OnceCell,
    time::timeout,
};

use crate::{
    REDIS_URL_VARIABLE,
    keeper::{Kept, free_port, on_the_path},
    or_skip,
};

/// Somebody else may take a port between our asking for a free one and the server's start.
const TRIES: u32 = 5;

/// A server that ends with this value, or with this process however that ends. It keeps nothing on
/// disk but what a test's own arguments ask for.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    role: Role,
    dir: TempDir,
    running: Option<Kept>,
}

#[derive(Clone, Debug)]
enum Role {
    /// With these arguments after ours.
    Server(Vec<String>),
    /// With these lines of configuration.
    Sentinel(String),
}

impl RedisServer {
    /// Starts `redis-server` on a free loopback port, with these arguments after ours.
    ///
    /// # Errors
    /// With what is missing or went wrong, in words for a skip notice.
    pub async fn start(arguments: &[&str]) -> Result<Self, String> {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Self::start_as(&Role::Server(arguments)).await
    }

    /// Starts a Sentinel that alone decides over the server `master` under the name `name`, and takes
    /// it for dead after 500 ms of silence. `more` are further lines of its configuration.
    ///
    /// # Errors
    /// With what is missing or went wrong, in words for a skip notice.
    pub async fn start_sentinel(name: &str, master: &Self, more: &str) -> Result<Self, String> {
        let lines = format!(
            "sentinel monitor {name} 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds {name} 500\n\
             sentinel failover-timeout {name} 3000\n\
             {more}",
            master.port
        );
        Self::start_as(&Role::Sentinel(lines)).await
    }

    async fn start_as(role: &Role) -> Result<Self, String> {
        let mut last = String::new();
        for _ in 0..TRIES {
            let dir = tempfile::Builder::new()
                .prefix("promptsales-test-redis-")
                .tempdir()
                .map_err(|error| format!("no temporary directory: {error}"))?;
            let mut server = Self {
                port: free_port()?,
                role: role.clone(),
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

    /// Where it listens, and listens again after [`RedisServer::restart`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
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

    /// Starts it again on the same port, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        self.kill();
        if let Err(reason) = self.launch().await {
            panic!("redis-server does not start again: {reason}");
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
        let program = on_the_path("redis-server").ok_or_else(|| {
            format!("redis-server is not on the PATH, and {REDIS_URL_VARIABLE} is not set")
        })?;
        let arguments = self
            .arguments()
            .map_err(|error| format!("no configuration: {error}"))?;
        let started = Kept::start(program.as_os_str(), &arguments, self.dir.path())?;
        let port = self.port;
        let running = started.answering(async || answers(port).await).await;
        self.running = Some(running.map_err(|reason| format!("redis-server: {reason}"))?);
        Ok(())
    }
}

impl RedisServer {
    fn arguments(&self) -> std::io::Result<Vec<String>> {
        let (port, dir) = (self.port, self.dir.path().display());
        // A file, because Sentinel writes what it learns into its own.
        let config = self.dir.path().join("conf");
        let mut lines = format!("port {port}\nbind 127.0.0.1\ndir {dir}\n");
        let more = match &self.role {
            Role::Server(arguments) => {
                lines.push_str("save \"\"\nappendonly no\n");
                arguments.clone()
            }
            Role::Sentinel(more) => {
                lines.push_str(more);
                vec!["--sentinel".to_owned()]
            }
        };
        std::fs::write(&config, lines)?;
        Ok([vec![config.display().to_string()], more].concat())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The URL of the server that the tests of this process share, or of the one that `TEST_REDIS_URL`
/// names: use keys that nobody else does, and leave the others alone. `None` (and a printed notice)
/// when there can be none.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn redis() -> Option<String> {
    static SHARED: OnceCell<Result<RedisServer, String>> = OnceCell::const_new();
    if let Ok(url) = std::env::var(REDIS_URL_VARIABLE)
        && !url.is_empty()
    {
        return Some(url);
    }
    let shared = SHARED.get_or_init(|| RedisServer::start(&[])).await;
    or_skip(
        "Redis",
        shared.as_ref().map(RedisServer::url).map_err(Clone::clone),
    )
}

/// A server for one test, to stop, freeze and empty as it likes. `TEST_REDIS_URL` is no help here.
///
/// # Panics
/// When there can be none and skipping is not allowed.
pub async fn own_redis(arguments: &[&str]) -> Option<RedisServer> {
    or_skip(
        "a Redis of the test's own",
        RedisServer::start(arguments).await,
    )
}

/// Any answer means that it serves: with a password set, the one to PING is an error.
async fn answers(port: u16) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(b"PING\r\n").await.ok()?;
        let mut first = [0];
        stream.read_exact(&mut first).await.ok()
    };
    timeout(Duration::from_secs(1), asking)
        .await
        .is_ok_and(|read| read.is_some())
}
