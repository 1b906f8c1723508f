//! Whom a service trusts by its settings, and the key of a gateway.

use auth::{AssertionKey, KeySet, TrustedGateways};
use secrecy::ExposeSecret as _;
use serde_json::json;

#[test]
fn settings_come_together_or_not_at_all() {
    let one = ["gateway".to_owned()];
    let of = |clients: &[String], keys| TrustedGateways::from_settings(clients, keys);
    assert!(of(&[], None).unwrap().is_none());
    assert!(of(&[], Some("")).unwrap().is_none());
    let trusted = of(&one, Some("/etc/keys.json")).unwrap().unwrap();
    assert_eq!(trusted.keys, KeySet::File("/etc/keys.json".into()));
    for (clients, keys, fault) in [
        (&one[..], None, "caller_keys"),
        (&[], Some("/etc/keys.json"), "caller_client"),
        (&one, Some("ftp://x/keys"), "not usable"),
        (&one, Some("https://ana:secret@x/keys"), "not usable"),
    ] {
        let said = of(clients, keys).unwrap_err();
        assert!(said.contains(fault), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
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
