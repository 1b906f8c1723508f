//! Whom a service trusts by its settings, and the key of a gateway.

use std::{
    fs,
    time::{Duration, Instant},
};

use auth::{AssertionKey, CallerOptions, KeySet, TrustedGateways, Verifier, VerifierConfig};
use secrecy::ExposeSecret as _;
use serde_json::json;
use service_kit::Clock;
use tempfile::TempDir;

use crate::{
    harness::{Issuer, client},
    log::Log,
};

/// A file with a gateway's keys.
fn published(directory: &TempDir) -> String {
    let key = AssertionKey::from_pem(&AssertionKey::generate_pem()).unwrap();
    let file = directory.path().join("keys.json");
    fs::write(&file, json!(key.public_keys()).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn gateways(clients: &[String], keys: Option<&str>) -> Result<Option<TrustedGateways>, String> {
    let options = CallerOptions {
        caller_keys: keys.map(str::to_owned),
        caller_clients: clients.to_vec(),
    };
    options.gateways()
}

#[test]
fn settings_come_together_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let file = published(&directory);
    let one = ["gateway".to_owned()];
    assert!(gateways(&[], None).unwrap().is_none());
    assert!(gateways(&[], Some("")).unwrap().is_none());
    let trusted = gateways(&one, Some(&file)).unwrap().unwrap();
    assert_eq!(trusted.keys, KeySet::File(file.clone().into()));
    for (clients, keys, fault) in [
        (&one[..], None, "caller_keys"),
        (&[], Some(file.as_str()), "caller_client"),
        (&one, Some("ftp://x/keys"), "not usable"),
        (&one, Some("https://ana:secret@x/keys"), "not usable"),
    ] {
        let said = gateways(clients, keys).unwrap_err();
        assert!(said.contains(fault), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_file_without_a_usable_key_is_a_fault_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = published(&directory);
    let clients = ["gateway".to_owned()];
    let fault = |file: &str| gateways(&clients, Some(file)).unwrap_err();
    let mistyped = file.replace("keys.json", "kyes.json");
    let said = fault(&mistyped);
    assert!(
        said.contains("kyes.json") && said.contains("No such file"),
        "{said}"
    );
    let rsa = r#"{"keys": [{"kty": "RSA", "kid": "1", "n": "sXch", "e": "AQAB"}]}"#;
    let long = " ".repeat(256 * 1024 + 1);
    for text in ["s3cret", "{}", rsa, &long] {
        fs::write(&file, text).unwrap();
        let said = fault(&file);
        let expected = [
            "caller_keys: ",
            "keys.json",
            "expected a JWKS file with a P-256 key",
        ];
        assert!(expected.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    // Nobody is trusted any more: a service has to start with that too.
    fs::write(&file, r#"{"keys": []}"#).unwrap();
    assert!(gateways(&clients, Some(&file)).is_ok());
}

#[tokio::test]
async fn keys_without_tls_from_elsewhere_are_warned_of() {
    let warning = "the callers' keys are fetched without TLS";
    for (keys, warned) in [
        ("http://gateway.example/keys", true),
        ("https://gateway.example/keys", false),
        ("http://127.0.0.1:7430/keys", false),
        ("http://[::1]:7430/keys", false),
        ("http://localhost/keys", false),
    ] {
        let issuer = "https://issuer.example".parse().unwrap();
        let mut config = VerifierConfig::new(issuer, "api");
        config.gateways = gateways(&["gateway".to_owned()], Some(keys)).unwrap();
        let log = Log::begin();
        Verifier::new(config, client(), Clock::system());
        assert_eq!(
            log.text().contains(warning),
            warned,
            "{keys}: {}",
            log.text()
        );
    }
}

#[tokio::test]
async fn keys_that_are_not_there_are_degraded_and_no_reason_to_go_elsewhere() {
    let directory = tempfile::tempdir().unwrap();
    let file = published(&directory);
    let (issuer, clients) = (Issuer::start().await, ["gateway".to_owned()]);
    assert_eq!(issuer.verifier().degraded().await, [""; 0]);
    let mut config = issuer.config();
    config.gateways = gateways(&clients, Some(&file)).unwrap();
    fs::rename(&file, directory.path().join("away")).unwrap();
    let verifier = Verifier::new(config, client(), issuer.time.clock());
    assert_eq!(verifier.degraded().await, ["the callers' keys"]);
    assert!(verifier.ready().await.is_ok());
    fs::rename(directory.path().join("away"), &file).unwrap();
    issuer.time.advance(2);
    assert_eq!(verifier.degraded().await, [""; 0]);
}

#[tokio::test]
async fn an_address_that_never_answers_holds_no_probe_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let keys = format!("http://{}/keys", silent.local_addr().unwrap());
    let (issuer, clients) = (Issuer::start().await, ["gateway".to_owned()]);
    let mut config = issuer.config();
    config.gateways = gateways(&clients, Some(&keys)).unwrap();
    let verifier = Verifier::new(config, client(), issuer.time.clock());
    let began = Instant::now();
    assert_eq!(verifier.degraded().await, ["the callers' keys"]);
    // A fetch is given up after five seconds.
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_key_is_p256_in_pem_and_shows_itself_to_nobody() {
    let pem = AssertionKey::generate_pem();
    let key = AssertionKey::from_pem(&pem).unwrap();
    let shown = format!("{key:?} {pem:?}");
    let body = pem.expose_secret().lines().nth(1).unwrap();
    assert!(!shown.contains(body));
    let public = json!(key.public_keys());
    assert!(public["keys"][0]["d"].is_null(), "{public}");
    assert_eq!(public["keys"][0]["alg"], "ES256");
    let rsa = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for text in ["", "secret", rsa] {
        let fault = AssertionKey::from_pem(&text.into()).unwrap_err();
        assert!(fault.to_string().contains("openssl genpkey"), "{fault}");
    }
}
