//! TLS 1.3, and nothing older, at a listener that is given a certificate.
//!
//! Handshakes are bounded and what fails of them is counted ([`handshakes`]).
//!
//! Certificate and key are read again every minute, so that a renewed one is served without a restart; files that
//! cannot be used leave the ones before in place, and an error line says so.

pub mod handshakes;
mod listener;

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use clap::Args;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::with_causes;
use handshakes::HandshakeFailures;
pub use listener::TlsListener;

/// How often the files are looked at.
const RELOAD_EVERY: Duration = Duration::from_secs(60);

/// Where a listener's certificate and key are, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that vouch for it after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What a service's settings say of TLS.
#[derive(Args, Clone, Debug, Default)]
pub struct TlsOptions {
    /// The certificate to serve TLS 1.3 with, PEM, and after it those that vouch for it; read again every minute.
    /// Without it the service speaks plain HTTP.
    #[arg(
        long,
        global = true,
        env = "SERVICE_TLS_CERTIFICATE",
        value_name = "FILE"
    )]
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    #[arg(long, global = true, env = "SERVICE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

impl TlsOptions {
    /// The certificate in use; `None` where there is none.
    ///
    /// # Errors
    /// When there is a key or a certificate alone, and as [`TlsFiles::load`].
    pub fn open(&self) -> Result<Option<Tls>, TlsError> {
        let files = match (self.tls_certificate.clone(), self.tls_key.clone()) {
            (Some(certificate), Some(key)) => TlsFiles { certificate, key },
            (None, None) => return Ok(None),
            _ => return Err(TlsError::Half),
        };
        files.load().map(Some)
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of two.
    #[error("tls_certificate and tls_key belong together: give both or neither")]
    Half,
    /// A file that is not what it should be.
    #[error("{path}: {reason}; expected {expected} in PEM form")]
    Unusable {
        /// Which file.
        path: String,
        /// What should be in it.
        expected: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// They do not fit.
    #[error("the certificate and the key are no pair that TLS can use: {0}")]
    NoPair(#[source] rustls::Error),
}

impl TlsFiles {
    /// Reads them.
    ///
    /// # Errors
    /// When they cannot be read, or cannot be used together.
    pub fn load(self) -> Result<Tls, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let held = self.read(&provider)?;
        let certificate = Arc::new(Certificate {
            held: RwLock::new(Arc::new(held)),
        });
        let resolver = Arc::clone(&certificate);
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::NoPair)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls {
            files: self,
            provider,
            certificate,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let unusable = |path: &PathBuf, expected, reason: String| TlsError::Unusable {
            path: path.display().to_string(),
            expected,
            reason,
        };
        let read = |path: &PathBuf, expected| {
            fs::read(path).map_err(|error| unusable(path, expected, error.to_string()))
        };
        let expected = "a certificate";
        let pem = read(&self.certificate, expected)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain =
            chain.map_err(|error| unusable(&self.certificate, expected, error.to_string()))?;
        if chain.is_empty() {
            let reason = "it holds none".to_owned();
            return Err(unusable(&self.certificate, expected, reason));
        }
        // What is wrong with a key is said without a byte of it.
        let expected = "a private key";
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key, expected)?);
        let key = key.map_err(|_| unusable(&self.key, expected, "it holds none".to_owned()))?;
        CertifiedKey::from_der(chain, key, provider).map_err(TlsError::NoPair)
    }
}

/// A certificate in use.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    certificate: Arc<Certificate>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Serves this certificate on a listener. Handshakes that fail are counted in `failures`.
    pub fn listener(&self, tcp: TcpListener, failures: HandshakeFailures) -> TlsListener {
        TlsListener::new(tcp, self.acceptor.clone(), failures)
    }

    /// Looks at the files every minute, until `stop`.
    pub async fn keep_fresh(&self, stop: &CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(RELOAD_EVERY))
            .await
            .is_some()
        {
            self.refresh().await;
        }
    }

    /// Takes the files' certificate into use if it is another one and fits its key. Says whether it did.
    pub async fn refresh(&self) -> bool {
        let (files, provider) = (self.files.clone(), Arc::clone(&self.provider));
        let read = tokio::task::spawn_blocking(move || files.read(&provider)).await;
        match read {
            Ok(Ok(new)) => {
                if new.cert == self.certificate.held().cert {
                    return false;
                }
                self.certificate.replace(new);
                tracing::info!("serving a renewed certificate");
                true
            }
            Ok(Err(error)) => {
                let error = with_causes(&error);
                tracing::error!(
                    error,
                    "the certificate was not renewed; the one before is served"
                );
                false
            }
            Err(_) => false,
        }
    }
}

#[derive(Debug)]
struct Certificate {
    held: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    fn held(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, new: CertifiedKey) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.held())
    }
}
