//! A service's own binary with a certificate.

use std::{fs, net::SocketAddr, time::Duration};

use reqwest::{Certificate, Client, tls::Version};
use tokio::{
    process::Command,
    time::{sleep, timeout},
};

use crate::restart::{Addresses, Service, free_addresses, get};

/// Longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts what `command` makes of addresses with a certificate, and asks it for `/livez`.
///
/// # Panics
/// When it doesn't answer by TLS 1.3 within a minute, or does answer by TLS 1.2 or without TLS.
pub async fn assert_speaks_tls_1_3_alone(command: impl FnOnce(Addresses) -> Command) {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let pair = pair.expect("a certificate can be made");
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("a temporary file can be written");
        path
    };
    let addresses = free_addresses().expect("there are free ports");
    let mut command = command(addresses);
    let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
    command
        .arg("--tls-certificate")
        .arg(file("tls.crt", certificate));
    command.arg("--tls-key").arg(file("tls.key", key));
    let service = Service::start(command);
    let address = addresses.requests;
    let client = |least, most| client(&pair.cert.pem(), address, least, most);
    let newest = client(Version::TLS_1_3, Version::TLS_1_3);
    let url = format!("https://localhost:{}/livez", address.port());
    let mut last = String::new();
    let alive = async {
        loop {
            match newest.get(&url).send().await {
                Ok(answer) if answer.status() == 200 => return,
                other => last = format!("{other:?}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(PATIENCE, alive).await.is_err() {
        panic!("no answer by TLS 1.3 ({last}): {}", service.log());
    }
    let older = client(Version::TLS_1_2, Version::TLS_1_2).get(&url).send();
    assert!(older.await.is_err(), "it speaks TLS 1.2");
    let plain = get(address, "/livez").await;
    assert_ne!(
        plain.map(|(status, _)| status),
        Some(200),
        "it speaks without TLS"
    );
    // It was there all along.
    let again = newest.get(&url).send().await;
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", service.log()));
    assert_eq!(again.status(), 200);
}

/// Trusts the certificate and nothing else.
fn client(certificate: &str, address: SocketAddr, least: Version, most: Version) -> Client {
    let certificate = Certificate::from_pem(certificate.as_bytes()).expect("it is PEM");
    Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .min_tls_version(least)
        .max_tls_version(most)
        .resolve("localhost", address)
        .timeout(PATIENCE)
        .build()
        .expect("a client can be made")
}
