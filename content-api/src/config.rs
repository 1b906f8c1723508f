//! What the service is told.

use std::time::Duration;

use url::Url;

/// 20 MB over a poor line.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(60);

/// How to set up the service. [`Config::new`] fills in what rarely changes.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where callers reach this service, such as `http://127.0.0.1:7420`: image URLs begin with it.
    pub public_url: Url,
    /// Where callers get tokens; named in the OpenAPI document.
    pub token_url: Url,
    /// Bounds of the caches.
    pub caches: CacheBounds,
    /// Most renditions made at a time: each keeps one core busy.
    pub rendition_workers: usize,
    /// Rhythm of the publisher.
    pub publishing: PublishingRhythm,
    /// Longest that a request which brings an image file may take, its way over the line included.
    pub upload_deadline: Duration,
}

/// Bounds of the in-process caches.
#[derive(Clone, Copy, Debug)]
pub struct CacheBounds {
    /// Answers of getContent, in bytes.
    pub answers_bytes: u64,
    /// How long an answer may be served again.
    pub answers_lifetime: Duration,
    /// Renditions, in bytes.
    pub renditions_bytes: u64,
}

/// Rhythm of the publisher.
#[derive(Clone, Copy, Debug)]
pub struct PublishingRhythm {
    /// How often it looks for changes that nobody told it of.
    pub tick: Duration,
    /// How often it compares what the indexes hold with what they should hold.
    pub audit: Duration,
    /// The pause after a first failure; each further failure doubles it.
    pub first_retry: Duration,
    /// The longest pause.
    pub longest_retry: Duration,
}

/// Why a configuration makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Image URLs cannot be built on it.
    #[error(
        "the public URL {0} cannot carry paths: expected http or https without query and fragment, \
         such as https://content.example"
    )]
    PublicUrl(Url),
    /// No rendition would ever be made.
    #[error("rendition_workers is 0: expected at least 1")]
    NoWorkers,
}

impl Config {
    /// The usual bounds for a service that is reached at `public_url`.
    pub fn new(public_url: Url, token_url: Url) -> Self {
        Self {
            public_url,
            token_url,
            caches: CacheBounds::default(),
            rendition_workers: 2,
            publishing: PublishingRhythm::default(),
            upload_deadline: UPLOAD_DEADLINE,
        }
    }

    /// Says what makes no sense.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let url = &self.public_url;
        let usable = matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none();
        if !usable {
            return Err(ConfigError::PublicUrl(url.clone()));
        }
        if self.rendition_workers == 0 {
            return Err(ConfigError::NoWorkers);
        }
        Ok(())
    }
}

impl Default for CacheBounds {
    fn default() -> Self {
        Self {
            answers_bytes: 32 * 1024 * 1024,
            answers_lifetime: Duration::from_secs(10 * 60),
            renditions_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Default for PublishingRhythm {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(2),
            audit: Duration::from_secs(60),
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_secs(5),
        }
    }
}
