//! Configurations that make no sense.

use std::time::Duration;

use local_idp::{LocalIdp, LocalIdpConfig};

use crate::harness::{TestClock, client, config};

fn refusal(change: impl FnOnce(&mut LocalIdpConfig)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(&dir.path().join("keys"));
    change(&mut config);
    let error = LocalIdp::new(config, TestClock::new().clock()).unwrap_err();
    assert!(
        !dir.path().join("keys").exists(),
        "nothing is written before it is right"
    );
    error.to_string()
}

#[test]
fn the_issuer_is_a_loopback_origin() {
    for issuer in [
        "http://10.0.0.1:7400",
        "http://0.0.0.0:7400",
        "http://login.example",
        "http://localhost.example:7400",
        "https://127.0.0.1:7400",
        "http://127.0.0.1:7400/realm",
        "http://127.0.0.1:7400?a=b",
        "http://user:hush@127.0.0.1:7400",
        "data:text/plain,a",
    ] {
        let error = refusal(|config| config.issuer = issuer.parse().unwrap());
        assert!(
            error.contains("issuer is wrong: expected an http origin on loopback"),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
    }
    for issuer in [
        "http://localhost:7400",
        "http://[::1]:7400",
        "http://127.0.0.1:7400",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(dir.path());
        config.issuer = issuer.parse().unwrap();
        let idp = LocalIdp::new(config, TestClock::new().clock()).unwrap();
        assert_eq!(idp.issuer(), issuer);
    }
}

#[test]
fn audiences_and_lifetime_are_bounded() {
    assert!(refusal(|config| config.audiences.clear()).contains("at least one resource"));
    assert!(refusal(|config| config.audiences.push(String::new())).contains("none empty"));
    for seconds in [0, 86_401] {
        let error = refusal(|config| config.token_lifetime = Duration::from_secs(seconds));
        assert!(error.contains("expected 1 to 86400 seconds"), "{error}");
    }
}

#[test]
fn clients_are_well_formed_and_distinct() {
    for id in ["", "a:b", "a b", "señal", &"a".repeat(81)] {
        let error = refusal(|config| config.clients.push(client(id, "s3cret", &[])));
        assert!(
            error.contains("expected 1 to 80 printable ASCII"),
            "{error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
    let error = refusal(|config| config.clients.push(client("reader", "x", &[])));
    assert!(error.contains("'reader' is registered twice"), "{error}");
    let error = refusal(|config| config.clients[0].audiences = vec!["https://x.example".into()]);
    assert!(
        error.contains("'reader' may ask for https://x.example"),
        "{error}"
    );
}
