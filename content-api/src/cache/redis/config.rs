//! What the Redis cache is told, and whether it makes sense.

mod location;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::server::{Authorities, Login, Server};
use location::Location;

/// How to set up a [`RedisCache`](super::RedisCache). [`RedisSettings::new`] fills in what rarely
/// changes; [`RedisSettings::check`] says what is wrong.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    /// `redis://[user[:password]@]host[:port][/database]`,
    /// `redis-sentinel://host[:port][,host[:port]...]/master[/database]` or
    /// `redis-cluster://host[:port][,host[:port]...]`; with `rediss` in place of `redis`, encrypted.
    pub url: SecretString,
    /// An ACL user, unless the URL names one.
    pub user: Option<String>,
    /// Its password, unless the URL has it.
    pub password: Option<SecretString>,
    /// A user of the Sentinels.
    pub sentinel_user: Option<String>,
    /// Its password. Sentinels ask for none unless they are told to.
    pub sentinel_password: Option<SecretString>,
    /// Certificate authorities in PEM, in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// How the names of all keys begin. Deployments that share a Redis need different ones: an
    /// answer's key does not say whose content it was made of.
    pub prefix: String,
    /// Where callers reach this service: answers hold URLs that begin with it.
    pub public_url: Url,
    /// Longest that any call to Redis may take.
    pub deadline: Duration,
    /// Longest wait for an answer that another replica is making; zero means never.
    pub wait: Duration,
    /// How long an answer may be served again.
    pub lifetime: Duration,
    /// Largest value in Redis, in bytes; larger answers are not put there.
    pub max_value_bytes: usize,
    /// Answers that this process keeps as well, in bytes.
    pub memory_bytes: u64,
}

impl RedisSettings {
    /// The usual bounds, for a service that is reached at `public_url`.
    pub fn new(url: SecretString, public_url: Url) -> Self {
        let bounds = crate::CacheBounds::default();
        Self {
            url,
            user: None,
            password: None,
            sentinel_user: None,
            sentinel_password: None,
            ca_file: None,
            prefix: "promptsales".to_owned(),
            public_url,
            deadline: Duration::from_millis(50),
            wait: Duration::from_millis(300),
            lifetime: bounds.answers_lifetime,
            max_value_bytes: 256 * 1024,
            memory_bytes: bounds.answers_bytes,
        }
    }

    /// Reads the certificates and puts it all together.
    ///
    /// # Errors
    /// With every fault, not the first one alone.
    pub fn check(self) -> Result<RedisConfig, RedisFaults> {
        let mut faults = Vec::new();
        let location = Location::parse(self.url.expose_secret())
            .map_err(|found| faults.extend(found))
            .ok();
        let (in_url, location) = location.map_or((Login::default(), None), |mut location| {
            (std::mem::take(&mut location.login), Some(location))
        });
        let login = login(in_url, &self, &mut faults);
        let sentinel_login = Login {
            user: self.sentinel_user.clone(),
            password: self.sentinel_password.clone(),
        };
        let tls = location.as_ref().is_some_and(|location| location.tls);
        let authorities = self.ca_file.as_deref().and_then(|path| {
            if location.is_some() && !tls {
                faults.push(RedisFault::AuthoritiesWithoutTls);
            }
            read_authorities(path)
                .map_err(|fault| faults.push(fault))
                .ok()
        });
        self.check_bounds(&mut faults);
        match location {
            Some(location) if faults.is_empty() => {
                let server = Server {
                    topology: location.shape.topology(sentinel_login),
                    login,
                    tls: tls.then_some(Authorities(authorities)),
                };
                // It looks into the certificates, which nothing before did.
                if let Err(error) = server.connector() {
                    return Err(RedisFaults(vec![RedisFault::Client(error.to_string())]));
                }
                Ok(RedisConfig {
                    server,
                    prefix: self.prefix,
                    public_url: self.public_url,
                    deadline: self.deadline,
                    wait: self.wait,
                    lifetime: self.lifetime,
                    max_value_bytes: self.max_value_bytes,
                    memory_bytes: self.memory_bytes,
                })
            }
            _ => Err(RedisFaults(faults)),
        }
    }

    fn check_bounds(&self, faults: &mut Vec<RedisFault>) {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(plain) {
            faults.push(RedisFault::Prefix);
        }
        if !(MIN_DEADLINE..=MAX_DEADLINE).contains(&self.deadline) {
            faults.push(RedisFault::Deadline(self.deadline.as_millis()));
        }
        if self.wait > MAX_WAIT {
            faults.push(RedisFault::Wait(self.wait.as_millis()));
        }
        if self.lifetime.is_zero() {
            faults.push(RedisFault::Lifetime);
        }
    }
}

const MIN_DEADLINE: Duration = Duration::from_millis(1);
/// A cache that takes longer than this is none.
const MAX_DEADLINE: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Settings that make sense together.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    pub(super) server: Server,
    pub(super) prefix: String,
    pub(super) public_url: Url,
    pub(super) deadline: Duration,
    pub(super) wait: Duration,
    pub(super) lifetime: Duration,
    pub(super) max_value_bytes: usize,
    pub(super) memory_bytes: u64,
}

/// Everything that is wrong with [`RedisSettings`].
#[derive(Debug, PartialEq, Eq)]
pub struct RedisFaults(pub Vec<RedisFault>);

impl fmt::Display for RedisFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the answer cache cannot be set up:")?;
        self.0
            .iter()
            .try_for_each(|fault| write!(formatter, "\n  - {fault}"))
    }
}

impl std::error::Error for RedisFaults {}

/// One thing that is wrong. None repeats anything of a URL, which may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RedisFault {
    /// No such scheme.
    #[error(
        "cache-url begins with no scheme that is known: expected redis://, redis-sentinel:// or \
         redis-cluster://, or with TLS rediss://, rediss-sentinel:// or rediss-cluster://"
    )]
    Scheme,
    /// User and password cannot be read.
    #[error(
        "cache-url's user or password cannot be read: expected user:password@ with letters such as \
         : @ / # and ? percent-encoded, or neither, with cache-user and cache-password instead"
    )]
    Userinfo,
    /// A host cannot be read.
    #[error("host {0} of cache-url cannot be read: expected host or host:port")]
    Host(usize),
    /// More than one host where there is one server.
    #[error(
        "cache-url names {0} hosts: a single server has one; use redis-sentinel:// or \
         redis-cluster:// for several"
    )]
    Hosts(usize),
    /// No master's name.
    #[error("cache-url names no master: expected redis-sentinel://host:26379/NAME")]
    NoMaster,
    /// The path makes no sense.
    #[error(
        "cache-url's path cannot be read: expected /DATABASE for a single server, /MASTER or \
         /MASTER/DATABASE for Sentinels, and none for a cluster; DATABASE is a number, 0 when absent"
    )]
    Path,
    /// Something after a question mark or a hash sign.
    #[error(
        "cache-url goes on after ? or #, which mean nothing here: certificates are always checked, \
         and passwords have them percent-encoded"
    )]
    Extras,
    /// More than one password.
    #[error("cache-password and cache-url both hold a password: give it in one place only")]
    TwoPasswords,
    /// More than one user.
    #[error("cache-user and cache-url both name a user: give it in one place only")]
    TwoUsers,
    /// A user without a password.
    #[error("cache-user is given and no password: expected cache-password-file or cache-password")]
    NoPassword,
    /// A file cannot be read.
    #[error("cache-ca-file {path} cannot be read: {error}")]
    File {
        /// Where.
        path: String,
        /// Why not.
        error: String,
    },
    /// No certificate in it.
    #[error("cache-ca-file {0} holds no certificate: expected PEM, BEGIN CERTIFICATE")]
    NoCertificate(String),
    /// Authorities, but nothing to check.
    #[error("cache-ca-file is given, but cache-url has no TLS: expected rediss://")]
    AuthoritiesWithoutTls,
    /// Not a prefix.
    #[error("cache-prefix is not 1 to 64 of the letters A-Z a-z 0-9 - _ . :")]
    Prefix,
    /// Out of range.
    #[error("cache-deadline-ms is {0}: expected 1 to 1000")]
    Deadline(u128),
    /// Out of range.
    #[error("cache-wait-ms is {0}: expected 0 to 2000")]
    Wait(u128),
    /// Nothing would be kept.
    #[error("the lifetime of cached answers is zero")]
    Lifetime,
    /// The client of Redis does not take it.
    #[error("the client of Redis does not take these settings: {0}")]
    Client(String),
}

fn login(in_url: Login, settings: &RedisSettings, faults: &mut Vec<RedisFault>) -> Login {
    if in_url.password.is_some() && settings.password.is_some() {
        faults.push(RedisFault::TwoPasswords);
    }
    if in_url.user.is_some() && settings.user.is_some() {
        faults.push(RedisFault::TwoUsers);
    }
    let login = Login {
        user: in_url.user.or_else(|| settings.user.clone()),
        password: in_url.password.or_else(|| settings.password.clone()),
    };
    if login.user.is_some() && login.password.is_none() {
        faults.push(RedisFault::NoPassword);
    }
    login
}

fn read_authorities(path: &Path) -> Result<Vec<u8>, RedisFault> {
    let shown = || path.display().to_string();
    let pem = std::fs::read(path).map_err(|error| RedisFault::File {
        path: shown(),
        error: error.to_string(),
    })?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if pem.windows(marker.len()).any(|bytes| bytes == marker) {
        Ok(pem)
    } else {
        Err(RedisFault::NoCertificate(shown()))
    }
}
