//! A running `promptsales up`, its own or somebody else's, and a client of it.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use contracts::{
    GetContentAnswer, GetContentRequest,
    embeddings::EmbeddingsRequest,
    index::IndexStatusAnswer,
    search::{SearchAnswer, SearchRequest},
};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use service_kit::http_client;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};
use url::Url;

use crate::cli::Arguments;

/// How long a first start may take: it downloads PostgreSQL when that is not there yet.
const START: Duration = Duration::from_secs(10 * 60);
const STOP: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// What is needed of `endpoints.json`.
#[derive(Clone, Debug, Deserialize)]
struct Endpoints {
    embedder: Url,
    content_api: Url,
}

/// A running system.
pub struct System {
    client: Client,
    own: Option<Own>,
}

struct Own {
    child: Child,
    _home: TempDir,
}

impl System {
    /// Uses the one that runs in `--data-dir`; without that starts one in a home of its own.
    pub async fn open(program: &Path, arguments: &Arguments) -> anyhow::Result<Self> {
        let (home, own, endpoints) = match &arguments.data_dir {
            Some(home) => {
                let endpoints = endpoints(home)?.with_context(|| {
                    format!(
                        "nothing runs in {}; start it with `promptsales up`, or leave --data-dir out",
                        home.display()
                    )
                })?;
                (home.clone(), None, endpoints)
            }
            None => {
                let (own, endpoints) = start(program, arguments).await?;
                (own._home.path().to_owned(), Some(own), endpoints)
            }
        };
        let token = token(program, &home).await?;
        let http = http_client::build(Duration::from_secs(30))?;
        let client = Client::new(http, token, &endpoints.content_api, &endpoints.embedder)?;
        Ok(Self { client, own })
    }

    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Stops it in order if it was started here; else leaves it running.
    pub async fn close(self) -> anyhow::Result<()> {
        let Some(mut own) = self.own else {
            return Ok(());
        };
        if let Some(pid) = own.child.id().and_then(|id| Pid::from_raw(id as i32)) {
            kill_process(pid, Signal::INT)?;
        }
        match timeout(STOP, own.child.wait()).await {
            Ok(status) => drop(status?),
            Err(_) => own.child.kill().await?,
        }
        Ok(())
    }
}

async fn start(program: &Path, arguments: &Arguments) -> anyhow::Result<(Own, Endpoints)> {
    let home = tempfile::tempdir()?;
    // PostgreSQL runs as another user when this is root, and has to pass through here.
    fs::set_permissions(home.path(), Permissions::from_mode(0o711))?;
    let log = home.path().join("bench.log");
    let mut command = Command::new(program);
    if let Some(cache) = &arguments.cache_dir {
        command.arg("--cache-dir").arg(cache);
    }
    let child = command
        .arg("--data-dir")
        .arg(home.path())
        .args(["up", "--no-examples"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let mut own = Own { child, _home: home };
    let deadline = Instant::now() + START;
    loop {
        if let Some(endpoints) = endpoints(own._home.path())? {
            return Ok((own, endpoints));
        }
        if let Some(status) = own.child.try_wait()? {
            let said = fs::read_to_string(&log).unwrap_or_default();
            bail!("`promptsales up` ended with {status}: {}", said.trim());
        }
        if Instant::now() > deadline {
            bail!("`promptsales up` served nothing within ten minutes");
        }
        sleep(POLL).await;
    }
}

fn endpoints(home: &Path) -> anyhow::Result<Option<Endpoints>> {
    let path = home.join("endpoints.json");
    match fs::read(&path) {
        Ok(json) => Ok(Some(serde_json::from_slice(&json)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

async fn token(program: &Path, home: &PathBuf) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg("--data-dir")
        .arg(home)
        .args(["token", "--scope", "content:read"])
        .stdin(Stdio::null())
        .output()
        .await?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`promptsales token` ended with {}: {}",
            output.status,
            said.trim()
        );
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Calls the services with a token and a clock in hand.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    token: String,
    get_content: Url,
    embeddings: Url,
    search: Url,
    status: Url,
}

impl Client {
    /// Of the content API and the embedder at these addresses.
    pub fn new(
        http: reqwest::Client,
        token: String,
        content_api: &Url,
        embedder: &Url,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            http,
            token,
            get_content: content_api.join("/v1/getContent")?,
            embeddings: embedder.join("/v1/embeddings")?,
            search: embedder.join("/v1/search")?,
            status: embedder.join("/v1/index/status")?,
        })
    }

    /// `POST /v1/getContent`, and how long it took.
    pub async fn get_content(
        &self,
        request: &GetContentRequest,
    ) -> anyhow::Result<(Duration, GetContentAnswer)> {
        let (time, body) = self.post(&self.get_content, request).await?;
        Ok((time, serde_json::from_slice(&body)?))
    }

    /// How long `POST /v1/embeddings` takes.
    pub async fn embeddings(&self, request: &EmbeddingsRequest) -> anyhow::Result<Duration> {
        Ok(self.post(&self.embeddings, request).await?.0)
    }

    /// `POST /v1/search`.
    pub async fn search(&self, request: &SearchRequest) -> anyhow::Result<SearchAnswer> {
        let (_, body) = self.post(&self.search, request).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// `GET /v1/index/status`.
    pub async fn index_status(&self) -> anyhow::Result<IndexStatusAnswer> {
        let (_, body) = self.send(self.http.get(self.status.clone())).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    async fn post(&self, url: &Url, body: &impl Serialize) -> anyhow::Result<(Duration, Vec<u8>)> {
        self.send(self.http.post(url.clone()).json(body)).await
    }

    /// The body of a successful answer and the time until its last byte.
    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<(Duration, Vec<u8>)> {
        let request = request.bearer_auth(&self.token);
        let started = Instant::now();
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let time = started.elapsed();
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        Ok((time, body.to_vec()))
    }
}
