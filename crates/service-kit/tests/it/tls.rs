//! TLS at a listener: 1.3 and nothing else, with a certificate that may be renewed.

use std::{fs, path::Path, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use service_kit::{
    CancellationToken, listen,
    tls::{Tls, TlsError, TlsFiles},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::DropGuard;

const PATIENCE: Duration = Duration::from_secs(20);

/// A certificate that vouches for itself, and its key.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    fn write(&self, directory: &Path) -> TlsFiles {
        let files = TlsFiles {
            certificate: directory.join("tls.crt"),
            key: directory.join("tls.key"),
        };
        fs::write(&files.certificate, &self.certificate).unwrap();
        fs::write(&files.key, &self.key).unwrap();
        files
    }
}

struct Service {
    tls: Tls,
    pair: Pair,
    address: std::net::SocketAddr,
    directory: TempDir,
    _stop: DropGuard,
}

impl Service {
    async fn start() -> Self {
        let (pair, directory) = (Pair::new(), tempfile::tempdir().unwrap());
        let tls = pair.write(directory.path()).load().unwrap();
        let tcp = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (address, stop) = (tcp.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(|| async { "served" }));
        tokio::spawn(listen::serve(tls.listener(tcp), router, stop.clone()));
        Self {
            tls,
            pair,
            address,
            directory,
            _stop: stop.drop_guard(),
        }
    }

    /// What a client gets that speaks this version and trusts this certificate alone.
    async fn ask(
        &self,
        version: &'static SupportedProtocolVersion,
        trusted: &Pair,
    ) -> Result<String, String> {
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(trusted.certificate.as_bytes());
        roots.add(certificate.unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let asking = async {
            let tcp = TcpStream::connect(self.address).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let connector = TlsConnector::from(Arc::new(config));
            let mut stream = connector.connect(name, tcp).await?;
            let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, std::io::Error>(answer)
        };
        let answer = timeout(PATIENCE, asking).await.unwrap();
        answer.map_err(|error| error.to_string())
    }
}

#[tokio::test]
async fn version_1_3_is_served_and_1_2_is_refused() {
    let service = Service::start().await;
    let served = service.ask(&TLS13, &service.pair).await.unwrap();
    assert!(served.starts_with("HTTP/1.1 200"), "{served}");
    assert!(served.ends_with("served"), "{served}");
    let refused = service.ask(&TLS12, &service.pair).await.unwrap_err();
    assert!(refused.contains("ProtocolVersion"), "{refused}");
    service.ask(&TLS13, &service.pair).await.unwrap();
}

#[tokio::test]
async fn neither_silence_nor_plain_http_keeps_others_waiting() {
    let service = Service::start().await;
    let _silent = TcpStream::connect(service.address).await.unwrap();
    let mut plain = TcpStream::connect(service.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    service.ask(&TLS13, &service.pair).await.unwrap();
    let mut answer = Vec::new();
    // Whatever comes, it is not what was asked for.
    drop(
        timeout(PATIENCE, plain.read_to_end(&mut answer))
            .await
            .unwrap(),
    );
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_renewed_certificate_is_served_and_a_broken_one_is_not_taken() {
    let service = Service::start().await;
    assert!(!service.tls.refresh().await, "nothing is new");
    let renewed = Pair::new();
    // Half of it: the certificate comes before its key.
    let half = Pair {
        certificate: renewed.certificate.clone(),
        key: service.pair.key.clone(),
    };
    half.write(service.directory.path());
    assert!(!service.tls.refresh().await);
    service.ask(&TLS13, &service.pair).await.unwrap();

    renewed.write(service.directory.path());
    assert!(service.tls.refresh().await);
    service.ask(&TLS13, &renewed).await.unwrap();
    service.ask(&TLS13, &service.pair).await.unwrap_err();

    fs::remove_file(service.directory.path().join("tls.key")).unwrap();
    assert!(!service.tls.refresh().await);
    service.ask(&TLS13, &renewed).await.unwrap();
}

#[test]
fn faults_say_which_file_and_show_no_key() {
    let directory = tempfile::tempdir().unwrap();
    let (pair, other) = (Pair::new(), Pair::new());
    let files = pair.write(directory.path());
    let fault = |files: &TlsFiles| files.clone().load().err().unwrap().to_string();

    let swapped = TlsFiles {
        certificate: files.key.clone(),
        key: files.certificate.clone(),
    };
    let said = fault(&swapped);
    assert!(
        said.contains("tls.key") && said.contains("a certificate"),
        "{said}"
    );
    fs::write(&files.key, &other.key).unwrap();
    let said = fault(&files);
    assert!(said.contains("no pair"), "{said}");
    fs::write(&files.key, "-----BEGIN PRIVATE KEY-----\nhush-hush\n").unwrap();
    let said = fault(&files);
    assert!(said.contains("tls.key") && !said.contains("hush"), "{said}");
    fs::remove_file(&files.certificate).unwrap();
    let said = fault(&files);
    assert!(
        said.contains("tls.crt") && said.contains("No such file"),
        "{said}"
    );

    let half = TlsFiles::open(Some(&files.key), None);
    assert!(matches!(half, Err(TlsError::Half)));
    assert!(TlsFiles::open(None, None).unwrap().is_none());
}
