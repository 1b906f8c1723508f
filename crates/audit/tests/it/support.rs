//! A directory, a clock and a writer.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use audit::{Audit, AuditConfig, Destination, Head, KEPT_DAYS, Report, chain::Seal, verify};
use axum::body::{Body, to_bytes};
use http::Request;
use secrecy::SecretString;
use serde_json::Value;
use service_kit::{
    Clock,
    metrics::{HttpMetrics, Metrics},
};
use tempfile::TempDir;
use time::OffsetDateTime;
use tower::ServiceExt as _;

pub const DAY: i64 = 86_400;

/// 2026-11-23T00:00:00Z, until a test says otherwise.
#[derive(Clone)]
pub struct World {
    pub directory: Arc<TempDir>,
    seconds: Arc<AtomicI64>,
    pub key: Option<SecretString>,
}

impl World {
    pub fn new() -> Self {
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            seconds: Arc::new(AtomicI64::new(1_795_392_000)),
            key: Some("a key of thirty-two bytes or more".into()),
        }
    }

    pub fn later(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn open(&self) -> Audit {
        let seconds = Arc::clone(&self.seconds);
        let clock = Clock::from_fn(move || {
            OffsetDateTime::from_unix_timestamp(seconds.load(Ordering::SeqCst)).unwrap()
        });
        let config = AuditConfig {
            service: "test",
            destination: Destination::Directory(self.path()),
            key: self.key.clone(),
            kept_days: KEPT_DAYS,
        };
        Audit::open(config, clock).unwrap()
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("audit")
    }

    pub fn verify(&self) -> Report {
        self.verify_with(&[])
    }

    pub fn verify_with(&self, expected: &[Head]) -> Report {
        verify(&self.path(), &Seal::new(self.key.as_ref()), expected).unwrap()
    }

    /// What is wrong, in words.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.verify().faults.into_iter();
        faults.map(|fault| fault.what).collect()
    }

    /// The files, the oldest first.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        files.sort();
        files
    }

    pub fn lines(&self) -> Vec<Value> {
        let texts = self
            .files()
            .into_iter()
            .map(|path| fs::read_to_string(path).unwrap());
        let all: String = texts.collect();
        all.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Changes the first file's lines.
    pub fn edit(&self, change: impl FnOnce(&mut Vec<String>)) {
        let path = &self.files()[0];
        let text = fs::read_to_string(path).unwrap();
        let mut lines: Vec<_> = text.lines().map(|line| format!("{line}\n")).collect();
        change(&mut lines);
        fs::write(path, lines.concat()).unwrap();
    }
}

/// What `/metrics` of a service tells that records with this.
pub async fn scraped(audit: &Audit) -> String {
    let mut metrics = Metrics::new("test", "1.2.3", &HttpMetrics::default());
    audit.register(&mut metrics);
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let answer = metrics.router().oneshot(request).await.unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}
