//! Where the Qdrant server is, and how it is spoken to; every fault is told at once.

use std::{fs, path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tonic::{
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Uri},
};

/// Qdrant's port for gRPC, where the URL names none.
const GRPC_PORT: u16 = 6334;
/// Shortest and longest that one call may take.
const LEAST_MS: u64 = 10;
const MOST_MS: u64 = 60_000;
/// Most characters of a prefix: names of collections end with the model's id.
const MAX_PREFIX: usize = 40;

/// What a person sets, as it was written.
#[derive(Clone, Debug)]
pub struct QdrantOptions {
    /// `http://host:6334`, or `https://` for TLS.
    pub url: String,
    /// The server's API key, or a token that may read and write our collections.
    pub api_key: Option<SecretString>,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Longest that one call may take, in milliseconds.
    pub deadline_ms: u64,
    /// What the names of our collections begin with.
    pub prefix: String,
}

impl QdrantOptions {
    /// The deadline that suits a server nearby: a write of 64 documents takes a fraction of it.
    pub const DEADLINE_MS: u64 = 5_000;
    /// The prefix where nobody chooses another.
    pub const PREFIX: &'static str = "promptsales";

    /// A server at `url`, everything else as usual.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            api_key: None,
            ca_file: None,
            deadline_ms: Self::DEADLINE_MS,
            prefix: Self::PREFIX.to_owned(),
        }
    }

    /// Checks everything, and reads the certificates.
    ///
    /// # Errors
    /// With every fault.
    pub fn check(self) -> Result<QdrantSettings, QdrantFaults> {
        let mut faults = Vec::new();
        let uri = endpoint(&self.url).map_err(|fault| faults.push(fault)).ok();
        let tls = uri
            .as_ref()
            .is_some_and(|uri| uri.scheme_str() == Some("https"));
        let api_key = match self.api_key.as_ref().map(header).transpose() {
            Ok(key) => key,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let mut certificates = None;
        if let Some(file) = &self.ca_file {
            match read_certificates(file) {
                Ok(_) if uri.is_some() && !tls => faults.push(QdrantFault::CertificatesUnused),
                Ok(found) => certificates = Some(found),
                Err(fault) => faults.push(fault),
            }
        }
        if !(LEAST_MS..=MOST_MS).contains(&self.deadline_ms) {
            faults.push(QdrantFault::Deadline(self.deadline_ms));
        }
        if !is_prefix(&self.prefix) {
            faults.push(QdrantFault::Prefix(self.prefix.clone()));
        }
        match (uri, faults.is_empty()) {
            (Some(uri), true) => Ok(QdrantSettings {
                uri,
                tls,
                api_key,
                certificates,
                deadline: Duration::from_millis(self.deadline_ms),
                prefix: self.prefix,
            }),
            _ => Err(QdrantFaults(faults)),
        }
    }
}

/// Checked settings.
#[derive(Clone, Debug)]
pub struct QdrantSettings {
    pub(super) uri: Uri,
    pub(super) tls: bool,
    /// Marked as sensitive: its `Debug` shows nothing.
    pub(super) api_key: Option<MetadataValue<Ascii>>,
    pub(super) certificates: Option<Certificate>,
    pub(super) deadline: Duration,
    pub(super) prefix: String,
}

/// What is wrong with the settings of Qdrant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct QdrantFaults(pub Vec<QdrantFault>);

/// One fault.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum QdrantFault {
    /// The URL is none, or of another kind. It is not repeated: it might hold a password.
    #[error(
        "the Qdrant URL {0}; expected http://HOST:{GRPC_PORT} or https://HOST:{GRPC_PORT} (the gRPC port) and nothing else"
    )]
    Url(&'static str),
    /// The key cannot be a header's value.
    #[error("the Qdrant API key is empty, or holds characters that a header cannot carry")]
    ApiKey,
    /// The file cannot be read, or holds no certificate.
    #[error("the file {path} of Qdrant's certificate authority {reason}")]
    Certificates {
        /// Which file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Certificates without TLS.
    #[error("a certificate authority is named for Qdrant, but the URL is http: use https")]
    CertificatesUnused,
    /// Too short or too long.
    #[error("Qdrant's deadline of {0} ms is not in {LEAST_MS} to {MOST_MS} ms")]
    Deadline(u64),
    /// Other characters.
    #[error(
        "the collection prefix '{0}' is not 1 to {MAX_PREFIX} small letters, digits, '-' and '_', a letter or digit first"
    )]
    Prefix(String),
}

fn endpoint(url: &str) -> Result<Uri, QdrantFault> {
    let fault = |reason| Err(QdrantFault::Url(reason));
    let Ok(uri) = url.parse::<Uri>() else {
        return fault("cannot be read");
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return fault("lacks its scheme or its host");
    };
    if !["http", "https"].contains(&scheme) {
        return fault("is neither http nor https");
    }
    if authority.as_str().contains('@') {
        return fault("holds a user or a password; the API key is a setting of its own");
    }
    if authority.host().is_empty() {
        return fault("lacks its host");
    }
    if !["", "/"].contains(&uri.path()) || uri.query().is_some() {
        return fault("has a path or a query");
    }
    if authority.as_str() != authority.host() && authority.port_u16().is_none() {
        return fault("has a port that is none");
    }
    let port = authority.port_u16().unwrap_or(GRPC_PORT);
    match format!("{scheme}://{}:{port}", authority.host()).parse() {
        Ok(uri) => Ok(uri),
        Err(_) => fault("cannot be read"),
    }
}

fn header(key: &SecretString) -> Result<MetadataValue<Ascii>, QdrantFault> {
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(QdrantFault::ApiKey);
    }
    let mut value: MetadataValue<Ascii> = key.parse().map_err(|_| QdrantFault::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}

fn read_certificates(path: &PathBuf) -> Result<Certificate, QdrantFault> {
    let fault = |reason: String| QdrantFault::Certificates {
        path: path.display().to_string(),
        reason,
    };
    let pem = fs::read(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    // What stands between the lines is checked when the connection is set up.
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(fault("holds no certificate in PEM form".to_owned()));
    }
    Ok(Certificate::from_pem(pem))
}

fn is_prefix(prefix: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    prefix.len() <= MAX_PREFIX
        && prefix.starts_with(plain)
        && prefix.chars().all(|c| plain(c) || c == '-' || c == '_')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    fn fault_of(change: impl FnOnce(&mut QdrantOptions)) -> String {
        let mut options = QdrantOptions::at("https://qdrant.example:6334");
        change(&mut options);
        options.check().unwrap_err().to_string()
    }

    #[test]
    fn a_url_names_a_host_and_nothing_else() {
        for (url, expected) in [
            ("http://localhost", "http://localhost:6334/"),
            ("https://qdrant.example:443", "https://qdrant.example:443/"),
            ("http://[::1]:7000/", "http://[::1]:7000/"),
        ] {
            let settings = QdrantOptions::at(url).check().unwrap();
            assert_eq!(settings.uri.to_string(), expected);
            assert_eq!(settings.tls, url.starts_with("https"));
        }
        for (url, reason) in [
            ("", "cannot be read"),
            ("localhost:6334", "lacks its scheme"),
            ("grpc://localhost:6334", "neither http nor https"),
            ("http://me:s3cret@localhost", "a setting of its own"),
            ("http://localhost/collections", "has a path"),
            ("http://localhost/?s3cret", "has a path or a query"),
            ("http://localhost:66000", "port"),
        ] {
            let fault = fault_of(|options| options.url = url.to_owned());
            assert!(fault.contains(reason), "{url}: {fault}");
            assert!(!fault.contains("s3cret"), "{fault}");
        }
    }

    #[test]
    fn a_key_can_be_a_header_and_is_never_shown() {
        for key in ["", "  ", "s3cret\nkey", "s3cretñ\u{7}"] {
            let fault = fault_of(|options| options.api_key = Some(key.into()));
            assert!(fault.contains("API key"), "{fault}");
            assert!(!fault.contains("s3cret"), "{fault}");
        }
        let mut options = QdrantOptions::at("http://localhost");
        options.api_key = Some("s3cret\n".into());
        assert!(!format!("{options:?}").contains("s3cret"));
        let settings = options.check().unwrap();
        assert!(!format!("{settings:?}").contains("s3cret"));
    }

    #[test]
    fn deadlines_and_prefixes_have_bounds() {
        let with = |deadline_ms, prefix: &str| {
            let mut options = QdrantOptions::at("http://localhost");
            (options.deadline_ms, options.prefix) = (deadline_ms, prefix.to_owned());
            options.check().map(|_| ()).map_err(|faults| faults.0.len())
        };
        let longest = "p".repeat(40);
        assert_eq!(with(10, "a"), Ok(()));
        assert_eq!(with(60_000, &longest), Ok(()));
        assert_eq!(with(100, "shop-2_b"), Ok(()));
        assert_eq!(with(9, &format!("{longest}p")), Err(2));
        assert_eq!(with(60_001, ""), Err(2));
        for prefix in ["A", "-a", "a/b", "ñ", "a b"] {
            assert_eq!(with(100, prefix), Err(1), "{prefix}");
        }
    }

    #[test]
    fn certificates_are_read_and_need_tls() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let named = |options: &mut QdrantOptions| options.ca_file = Some(file.clone());
        assert!(fault_of(named).contains("cannot be read"));
        fs::write(&file, "no certificate").unwrap();
        assert!(fault_of(named).contains("holds no certificate"));
        let ca = rcgen::generate_simple_self_signed(["qdrant.example".to_owned()]).unwrap();
        fs::write(&file, ca.cert.pem()).unwrap();
        let mut options = QdrantOptions::at("https://qdrant.example");
        named(&mut options);
        assert!(options.clone().check().unwrap().certificates.is_some());
        options.url = "http://qdrant.example".to_owned();
        let faults = options.check().unwrap_err();
        assert_eq!(faults.0, [QdrantFault::CertificatesUnused]);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let fault = fault_of(|options| {
            options.url = "ftp://x".to_owned();
            options.api_key = Some("".into());
            options.ca_file = Some("/nowhere/ca.pem".into());
            options.deadline_ms = 0;
            options.prefix = "A".to_owned();
        });
        for part in [
            "http nor https",
            "API key",
            "/nowhere/ca.pem",
            "0 ms",
            "'A'",
        ] {
            assert!(fault.contains(part), "{part}: {fault}");
        }
    }
}
