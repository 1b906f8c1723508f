//! TLS at a listener: 1.3 and nothing else, with a certificate that may be renewed.

use std::{fs, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt as _;
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use service_kit::{
    CancellationToken, listen,
    metrics::{HttpMetrics, Metrics},
    tls::{
        Tls, TlsError, TlsFiles, TlsOptions,
        handshakes::{HandshakeBounds, HandshakeFailures},
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_util::sync::DropGuard;
use tower::ServiceExt as _;

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
    /// What `/metrics` answers.
    metrics: Router,
    _stop: DropGuard,
}

impl Service {
    async fn start() -> Self {
        Self::bounded(HandshakeBounds::default()).await
    }

    async fn bounded(bounds: HandshakeBounds) -> Self {
        let (pair, directory) = (Pair::new(), tempfile::tempdir().unwrap());
        let tls = pair.write(directory.path()).load().unwrap();
        let tcp = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let (address, stop) = (tcp.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(|| async { "served" }));
        let failures = HandshakeFailures::default();
        let mut metrics = Metrics::new("tester", "1.2.3", &HttpMetrics::default());
        failures.register(metrics.common());
        let listener = tls.listener(tcp, failures).bounded(bounds);
        tokio::spawn(listen::serve(listener, router, stop.clone()));
        Self {
            tls,
            pair,
            address,
            directory,
            metrics: metrics.router(),
            _stop: stop.drop_guard(),
        }
    }

    /// A connection from an address of this machine's.
    async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(format!("{address}:0").parse().unwrap())
            .unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Handshakes that failed for this reason.
    async fn failed(&self, reason: &str) -> u64 {
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let answer = self.metrics.clone().oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let series = format!(
            "promptsales_tls_handshakes_failed_total{{service=\"tester\",reason=\"{reason}\"}} "
        );
        let text = String::from_utf8(body.to_vec()).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix(&series));
        count
            .expect("each is told from the beginning")
            .parse()
            .unwrap()
    }

    /// Waits until so many have.
    async fn until_failed(&self, reason: &str, expected: u64) {
        let waiting = async {
            while self.failed(reason).await < expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap();
        assert_eq!(self.failed(reason).await, expected);
    }

    /// What a client gets that speaks this version and trusts this certificate alone.
    async fn ask(
        &self,
        version: &'static SupportedProtocolVersion,
        trusted: &Pair,
    ) -> Result<String, String> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        self.ask_on(tcp, version, trusted).await
    }

    /// The same on a connection that is there.
    async fn ask_on(
        &self,
        tcp: TcpStream,
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
async fn a_silent_flood_crowds_out_itself_and_nobody_else() {
    // As long as they like: nothing but the flood itself makes room.
    let service = Service::bounded(HandshakeBounds {
        within: Duration::from_secs(3_600),
        at_a_time: 8,
    })
    .await;
    let slow = service.connect_from("127.0.0.1").await;
    let mut flood = Vec::new();
    for _ in 0..40 {
        flood.push(service.connect_from("127.0.0.2").await);
    }
    // Eight are under way, the slow one among them.
    service.until_failed("crowded_out", 33).await;
    let served = service.ask_on(slow, &TLS13, &service.pair).await.unwrap();
    assert!(served.ends_with("served"), "{served}");
    let oldest = timeout(PATIENCE, flood[0].read(&mut [0])).await.unwrap();
    assert!(matches!(oldest, Ok(0) | Err(_)), "{oldest:?}");
    // Behind one balancer clients and flood have one address: who speaks is served all the same.
    let tcp = service.connect_from("127.0.0.2").await;
    let served = service.ask_on(tcp, &TLS13, &service.pair).await.unwrap();
    assert!(served.ends_with("served"), "{served}");
}

#[tokio::test]
async fn what_fails_is_counted_by_why() {
    let service = Service::bounded(HandshakeBounds {
        within: Duration::from_millis(500),
        at_a_time: 8,
    })
    .await;
    service.ask(&TLS12, &service.pair).await.unwrap_err();
    service.until_failed("not_tls_1_3", 1).await;
    let mut plain = TcpStream::connect(service.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    service.until_failed("not_tls_1_3", 2).await;
    service.ask(&TLS13, &Pair::new()).await.unwrap_err();
    service.until_failed("client_refused", 1).await;
    drop(TcpStream::connect(service.address).await.unwrap());
    service.until_failed("client_left", 1).await;
    let mut silent = TcpStream::connect(service.address).await.unwrap();
    service.until_failed("timeout", 1).await;
    let ended = timeout(PATIENCE, silent.read(&mut [0])).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    for (reason, count) in [
        ("not_tls_1_3", 2),
        ("client_refused", 1),
        ("client_left", 1),
    ] {
        assert_eq!(service.failed(reason).await, count, "{reason}");
    }
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

    let half = TlsOptions {
        tls_key: Some(files.key),
        ..TlsOptions::default()
    };
    assert!(matches!(half.open(), Err(TlsError::Half)));
    assert!(TlsOptions::default().open().unwrap().is_none());
}
