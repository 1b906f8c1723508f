//! Redis servers of the tests' own, from `redis-server` on the PATH.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OnceCell,
    time::{Instant, sleep, timeout},
};

use crate::{REDIS_URL_VARIABLE, on_the_path, or_skip};

/// It answers within some 50 ms; a busy machine takes longer.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// Somebody else may take a port between our asking for a free one and the server's start.
const TRIES: u32 = 5;

/// A server that ends with this value, or with this process however that ends. It keeps nothing on
/// disk but what a test's own arguments ask for.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    role: Role,
    dir: TempDir,
    running: Option<Running>,
}

#[derive(Clone, Debug)]
enum Role {
    /// With these arguments after ours.
    Server(Vec<String>),
    /// With these lines of configuration.
    Sentinel(String),
}

#[derive(Debug)]
struct Running {
    /// A shell that holds the server as its child and kills it once its standard input is closed.
    keeper: Child,
    pid: Pid,
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
        if let Some(mut running) = self.running.take() {
            kill_process(running.pid, Signal::KILL).ok();
            // The shell ends with it. Only then may its standard input close: that means our own end.
            let stdin = running.keeper.stdin.take();
            running.keeper.wait().ok();
            drop(stdin);
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
            kill_process(running.pid, signal).ok();
        }
    }

    async fn launch(&mut self) -> Result<(), String> {
        self.running = Some(self.spawn()?);
        let deadline = Instant::now() + STARTS_WITHIN;
        while Instant::now() < deadline {
            if answers(self.port).await {
                return Ok(());
            }
            let ended = self
                .running
                .as_mut()
                .is_none_or(|running| !matches!(running.keeper.try_wait(), Ok(None)));
            if ended {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        self.kill();
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let said = log.lines().last().unwrap_or("nothing").to_owned();
        Err(format!("redis-server does not answer; it said: {said}"))
    }

    fn spawn(&self) -> Result<Running, String> {
        // The shell ends when the server does, so that a failed start is seen at once; and the
        // reader of its standard input, which closes when this process is gone, clears up. It kills
        // last, because the shell does not let it live longer than the server.
        const SCRIPT: &str = "exec 3<&0; dir=$1; shift; \
             redis-server \"$@\" >\"$dir/log\" 2>&1 </dev/null 3<&- & server=$!; \
             { cat <&3; rm -rf -- \"$dir\"; kill -9 $server; } >/dev/null 2>&1 & \
             echo $server; exec >/dev/null; wait $server; kill $!";
        if !on_the_path("redis-server") {
            return Err(format!(
                "redis-server is not on the PATH, and {REDIS_URL_VARIABLE} is not set"
            ));
        }
        let arguments = self
            .arguments()
            .map_err(|error| format!("no configuration: {error}"))?;
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(self.dir.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A Ctrl-C is for the tests; the server ends after them.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("no shell: {error}"))?;
        let stdout = keeper.stdout.take().ok_or("no standard output")?;
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| format!("no process id: {error}"))?;
        let pid = line.trim().parse().ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| format!("no process id in '{}'", line.trim()))?;
        Ok(Running { keeper, pid })
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

/// A loopback port that was free a moment ago, for a server that cannot be given port 0.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16, String> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
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
