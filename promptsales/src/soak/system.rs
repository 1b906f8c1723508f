//! The system under load: services as processes, PostgreSQL, and Redis where there is one.

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail};
use local_runtime::{
    CacheDir, Options, Postgres, PostgresInstall, PostgresOptions, Provisioned, provision,
};
use rustix::process::{Pid, Signal, kill_process};
use secrecy::SecretString;
use service_kit::{CancellationToken, Clock, http_client, listen};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
    task::JoinSet,
    time::timeout,
};
use url::Url;

use super::{
    outages::{Need, Outages},
    part::{Part, Plan},
    process::{self, Process},
};
use crate::{
    databases::Databases,
    embedded::{DATABASE, identity::Identity, ports::Ports, services},
    home::{Endpoints, Home, HomeLock},
    output::Progress,
};

/// How long Redis may take to answer after its start.
const REDIS_WITHIN: Duration = Duration::from_secs(20);

/// Everything that serves. Dropping it ends every process.
pub struct System {
    pub home: Home,
    pub endpoints: Endpoints,
    pub common: services::Common,
    pub outages: Arc<Outages>,
    /// Parts started again.
    pub restarts: u64,
    onnxruntime: PathBuf,
    log_level: String,
    install: PostgresInstall,
    postgres: Option<Postgres>,
    database_url: String,
    redis: Option<Redis>,
    embedder: Option<Process>,
    content_api: Option<Process>,
    identity: JoinSet<std::io::Result<()>>,
    _lock: HomeLock,
}

struct Redis {
    program: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl System {
    /// Starts everything in an empty home.
    pub async fn start(
        home: Home,
        cache_dir: Option<PathBuf>,
        log_level: String,
        progress: &Progress,
    ) -> anyhow::Result<Self> {
        let lock = match home.try_lock()? {
            Ok(lock) => lock,
            Err(holder) => bail!("process {holder} uses {}", home.path().display()),
        };
        let variable = |name: &str| env::var(name).ok();
        let cache = CacheDir::resolve(cache_dir, &variable)?;
        let bars = progress.provisioning();
        let Provisioned {
            onnxruntime,
            postgres: install,
        } = provision(&cache, &Options::from_env(&variable), bars.as_ref()).await?;
        let postgres = Postgres::start(&install, postgres_options(&home)).await?;
        postgres.ensure_database(DATABASE).await?;
        let databases = Databases::on(&postgres).await?;
        let ports = lasting_ports().await?;
        let endpoints = ports.endpoints(databases)?;
        let (clock, http) = (
            Clock::system(),
            http_client::build(Duration::from_secs(10))?,
        );
        let identity = Identity::start(&home, &endpoints, clock.clone(), http.clone())?;
        let mut serving = JoinSet::new();
        serving.spawn(listen::serve(
            ports.identity,
            identity.router(),
            CancellationToken::new(),
        ));
        // Given back for the parts to take.
        drop((ports.embedder, ports.content_api));
        let mut system = Self {
            home,
            endpoints,
            common: services::Common {
                identity: Arc::new(identity),
                http,
                clock,
            },
            outages: Arc::default(),
            restarts: 0,
            onnxruntime,
            log_level,
            install,
            database_url: postgres.url(DATABASE),
            postgres: Some(postgres),
            redis: Redis::find()?,
            embedder: None,
            content_api: None,
            identity: serving,
            _lock: lock,
        };
        system.start_redis().await?;
        system.plan()?;
        system.start_part(Part::Embedder).await?;
        system.start_part(Part::ContentApi).await?;
        Ok(system)
    }

    /// The database of contents.
    pub fn database_url(&self) -> SecretString {
        self.database_url.clone().into()
    }

    /// What an embedder over these indexes is told.
    pub fn embedder_config(&self) -> embedder::Config {
        let edge = self.home.qdrant_edge();
        services::embedder_config(self.onnxruntime.clone(), self.database_url(), edge)
    }

    /// Is there a Redis?
    pub fn has_redis(&self) -> bool {
        self.redis.is_some()
    }

    fn plan(&self) -> anyhow::Result<()> {
        let redis = self.redis.as_ref().map(Redis::url).transpose()?;
        let plan = Plan {
            endpoints: self.endpoints.clone(),
            database_url: self.database_url.clone(),
            onnxruntime: self.onnxruntime.clone(),
            redis,
        };
        plan.write(&self.home)
    }

    /// Starts a part and waits until it serves.
    pub async fn start_part(&mut self, part: Part) -> anyhow::Result<()> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("--data-dir").arg(self.home.path()).args([
            "--log",
            &self.log_level,
            "soak-part",
            part.name(),
        ]);
        let log = self.home.path().join(format!("{}.log", part.name()));
        let mut started = Process::spawn(command, &log)?;
        started.serving(part.name()).await?;
        *self.slot(part) = Some(started);
        self.outages.end(part.need());
        Ok(())
    }

    /// Ends a part as a power cut would.
    pub async fn kill_part(&mut self, part: Part) -> anyhow::Result<()> {
        self.outages.begin(part.need());
        match self.slot(part).take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Ends a part in order.
    pub async fn stop_part(&mut self, part: Part) -> anyhow::Result<()> {
        self.outages.begin(part.need());
        match self.slot(part).take() {
            Some(process) => process.stop(part.name()).await,
            None => Ok(()),
        }
    }

    /// A part that accepts connections and does not answer, for so long.
    pub async fn freeze_part(&mut self, part: Part, pause: Duration) {
        self.outages.begin(part.need());
        let Some(process) = self.slot(part) else {
            return;
        };
        process.signal(Signal::STOP);
        tokio::time::sleep(pause).await;
        process.signal(Signal::CONT);
        self.outages.end(part.need());
    }

    fn slot(&mut self, part: Part) -> &mut Option<Process> {
        match part {
            Part::Embedder => &mut self.embedder,
            Part::ContentApi => &mut self.content_api,
        }
    }

    /// Ends PostgreSQL: as a power cut would, or in order.
    pub async fn end_postgres(&mut self, kill: bool) -> anyhow::Result<()> {
        self.outages.begin(Need::Postgres);
        let Some(postgres) = self.postgres.take() else {
            return Ok(());
        };
        if !kill {
            return Ok(postgres.stop().await?);
        }
        let pid = Pid::from_raw(postgres.pid().cast_signed()).context("no process id")?;
        kill_process(pid, Signal::KILL)?;
        postgres.ended().await;
        Ok(())
    }

    /// Starts PostgreSQL again, which recovers by itself.
    pub async fn start_postgres(&mut self) -> anyhow::Result<()> {
        let postgres = Postgres::start(&self.install, postgres_options(&self.home)).await?;
        if postgres.url(DATABASE) != self.database_url {
            bail!("the data directory's path is too long for a socket: choose a shorter one");
        }
        self.postgres = Some(postgres);
        self.outages.end(Need::Postgres);
        Ok(())
    }

    /// Kills Redis, which forgets everything with it.
    pub async fn kill_redis(&mut self) -> anyhow::Result<()> {
        let process = self.redis.as_mut().and_then(|redis| redis.process.take());
        match process {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Starts Redis, empty.
    pub async fn start_redis(&mut self) -> anyhow::Result<()> {
        let dir = self.home.path().to_owned();
        match &mut self.redis {
            Some(redis) => redis.start(&dir).await,
            None => Ok(()),
        }
    }

    /// Takes everything out of Redis.
    pub async fn flush_redis(&self) -> anyhow::Result<()> {
        match &self.redis {
            Some(redis) => redis.say("FLUSHALL\r\n").await,
            None => Ok(()),
        }
    }

    /// Redis accepts connections and does not answer, for so long.
    pub async fn freeze_redis(&self, pause: Duration) {
        let process = self.redis.as_ref().and_then(|redis| redis.process.as_ref());
        let Some(process) = process else { return };
        process.signal(Signal::STOP);
        tokio::time::sleep(pause).await;
        process.signal(Signal::CONT);
    }

    /// Ends the services in order, and leaves the stores for a look into them.
    pub async fn stop_services(&mut self) -> anyhow::Result<()> {
        self.stop_part(Part::ContentApi).await?;
        self.stop_part(Part::Embedder).await
    }

    /// Ends everything in order.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop_services().await?;
        self.kill_redis().await?;
        self.identity.abort_all();
        self.end_postgres(false).await
    }
}

impl Part {
    fn need(self) -> Need {
        match self {
            Self::Embedder => Need::Embedder,
            Self::ContentApi => Need::ContentApi,
        }
    }
}

impl Redis {
    /// From `redis-server` on the PATH.
    fn find() -> anyhow::Result<Option<Self>> {
        let Some(path) = env::var_os("PATH") else {
            return Ok(None);
        };
        let programs = env::split_paths(&path).map(|folder| folder.join("redis-server"));
        let Some(program) = programs.into_iter().find(|program| program.is_file()) else {
            return Ok(None);
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        Ok(Some(Self {
            program,
            port,
            process: None,
        }))
    }

    fn url(&self) -> anyhow::Result<Url> {
        Ok(Url::parse(&format!("redis://127.0.0.1:{}", self.port))?)
    }

    async fn start(&mut self, dir: &std::path::Path) -> anyhow::Result<()> {
        let (port, place) = (self.port.to_string(), dir.display().to_string());
        let arguments = [
            ["--port", &port],
            ["--bind", "127.0.0.1"],
            ["--dir", &place],
            ["--save", ""],
            ["--appendonly", "no"],
        ];
        let command = process::kept(&self.program, arguments.as_flattened());
        self.process = Some(Process::spawn(command, &dir.join("redis.log"))?);
        let answering = async {
            while self.say("PING\r\n").await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(REDIS_WITHIN, answering)
            .await
            .context("redis-server does not answer")
    }

    async fn say(&self, command: &str) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
        stream.write_all(command.as_bytes()).await?;
        let mut first = [0];
        stream.read_exact(&mut first).await?;
        match first {
            [b'+'] => Ok(()),
            _ => bail!("redis-server refused {}", command.trim()),
        }
    }
}

/// Five ports that nobody is given by chance while a part is down: below those of connections, and
/// not the usual ones.
async fn lasting_ports() -> anyhow::Result<Ports> {
    const FIRST: u16 = 10_000;
    const BLOCKS: u16 = 2_000;
    let first = (std::process::id() % u32::from(BLOCKS)) as u16;
    for block in (0..BLOCKS).map(|tried| (first + tried) % BLOCKS) {
        if let Ok(ports) = Ports::bind(Some(FIRST + block * 10)).await {
            return Ok(ports);
        }
    }
    bail!("no five free ports between {FIRST} and 30000")
}

fn postgres_options(home: &Home) -> PostgresOptions {
    PostgresOptions::new(home.postgres())
}
