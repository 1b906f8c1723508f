//! Which Redis, as a person says it, and whether that makes sense.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    fault::Fault,
    location::Location,
    server::{Authorities, Login, Server},
};

/// Where Redis is and who we are there. [`Settings::new`] fills in what rarely changes;
/// [`Settings::check`] says what is wrong.
#[derive(Clone, Debug)]
pub struct Settings {
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
    /// How the names of all keys begin. Deployments that share a Redis need different ones.
    pub prefix: String,
    /// Longest that any call may take.
    pub deadline: Duration,
}

const MIN_DEADLINE: Duration = Duration::from_millis(1);
/// Nobody waits longer than this for what can be done without.
const MAX_DEADLINE: Duration = Duration::from_secs(1);
const MAX_PREFIX_BYTES: usize = 64;

impl Settings {
    /// The usual prefix and deadline.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            user: None,
            password: None,
            sentinel_user: None,
            sentinel_password: None,
            ca_file: None,
            prefix: "promptsales".to_owned(),
            deadline: Duration::from_millis(50),
        }
    }

    /// Reads the certificates and puts it all together.
    ///
    /// # Errors
    /// With every fault, not the first one alone.
    pub fn check(self) -> Result<Config, Vec<Fault>> {
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
                faults.push(Fault::AuthoritiesWithoutTls);
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
                    return Err(vec![Fault::Client(error.to_string())]);
                }
                Ok(Config {
                    server,
                    prefix: self.prefix,
                    deadline: self.deadline,
                })
            }
            _ => Err(faults),
        }
    }

    fn check_bounds(&self, faults: &mut Vec<Fault>) {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
        let length = 1..=MAX_PREFIX_BYTES;
        if !length.contains(&self.prefix.len()) || !self.prefix.chars().all(plain) {
            faults.push(Fault::Prefix);
        }
        if !(MIN_DEADLINE..=MAX_DEADLINE).contains(&self.deadline) {
            faults.push(Fault::Deadline(self.deadline.as_millis()));
        }
    }
}

/// Settings that make sense together.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) server: Server,
    /// How the names of all keys begin: 1 to 64 of `A-Z a-z 0-9 - _ . :`.
    pub prefix: String,
    /// Longest that any call may take.
    pub deadline: Duration,
}

fn login(in_url: Login, settings: &Settings, faults: &mut Vec<Fault>) -> Login {
    if in_url.password.is_some() && settings.password.is_some() {
        faults.push(Fault::TwoPasswords);
    }
    if in_url.user.is_some() && settings.user.is_some() {
        faults.push(Fault::TwoUsers);
    }
    let login = Login {
        user: in_url.user.or_else(|| settings.user.clone()),
        password: in_url.password.or_else(|| settings.password.clone()),
    };
    if login.user.is_some() && login.password.is_none() {
        faults.push(Fault::NoPassword);
    }
    login
}

fn read_authorities(path: &Path) -> Result<Vec<u8>, Fault> {
    let shown = || path.display().to_string();
    let pem = std::fs::read(path).map_err(|error| Fault::File {
        path: shown(),
        error: error.to_string(),
    })?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if pem.windows(marker.len()).any(|bytes| bytes == marker) {
        Ok(pem)
    } else {
        Err(Fault::NoCertificate(shown()))
    }
}
