//! Signing keys: thumbprints, rotation, files.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Barrier, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use local_idp::{LocalIdp, LocalIdpError};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::{API, Served, TestClock, config, decode, scopes};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn mint(idp: &LocalIdp, seconds: u64) -> String {
    let token = idp
        .issue("operator", &scopes(&[]), API, Duration::from_secs(seconds))
        .unwrap();
    token.expose_secret().to_owned()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn a_key_is_named_by_its_thumbprint_and_shows_nothing_private() {
    let served = Served::start().await;
    let keys = served.json("/jwks").await;
    let [key] = keys["keys"].as_array().unwrap().as_slice() else {
        panic!("{keys}")
    };
    let key = key.as_object().unwrap();
    // In which order a JSON object keeps its members depends on who else is in the build.
    let names: std::collections::BTreeSet<_> = key.keys().map(String::as_str).collect();
    assert_eq!(
        Vec::from_iter(names),
        ["alg", "crv", "kid", "kty", "use", "x", "y"]
    );
    assert_eq!((&key["kty"], &key["crv"]), (&"EC".into(), &"P-256".into()));
    assert_eq!((&key["alg"], &key["use"]), (&"ES256".into(), &"sig".into()));
    // RFC 7638 section 3.2: the required members in lexicographic order, without white space.
    let canonical = format!(
        r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
        key["x"], key["y"]
    );
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(canonical));
    assert_eq!(key["kid"], Value::String(thumbprint.clone()));
    assert_eq!(kid(&mint(&served.idp, 60)), thumbprint);
}

#[tokio::test]
async fn a_retired_key_is_published_until_its_last_token_has_expired() {
    let served = Served::start().await;
    let old = mint(&served.idp, 86_400);
    served.idp.rotate().unwrap();
    let new = mint(&served.idp, 60);
    assert_ne!(kid(&old), kid(&new));
    served.decode(&old).await;
    served.decode(&new).await;
    served.time.advance(86_400 + 299);
    served.decode(&old).await;
    served.time.advance(1);
    let keys: JwkSet = serde_json::from_value(served.json("/jwks").await).unwrap();
    assert!(decode(&old, &keys).is_none());
    assert!(decode(&new, &keys).is_some(), "the active key stays");
    // What is no longer published is no longer kept either.
    served.idp.rotate().unwrap();
    let file = fs::read(served.key_dir().join("signing-keys.json")).unwrap();
    let ring: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(ring["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn keys_outlive_a_restart() {
    let served = Served::start().await;
    let first = mint(&served.idp, 3_600);
    served.idp.rotate().unwrap();
    let second = mint(&served.idp, 3_600);
    let mut again = config(&served.key_dir());
    again.issuer = served.origin.parse().unwrap();
    let restarted = LocalIdp::new(again, served.time.clock()).unwrap();
    let third = mint(&restarted, 3_600);
    assert_eq!(kid(&third), kid(&second));
    for token in [&first, &second, &third] {
        served.decode(token).await;
    }
}

#[test]
fn key_files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    let key_dir = dir.path().join("a/keys");
    let idp = LocalIdp::new(config(&key_dir), TestClock::new().clock()).unwrap();
    let file = key_dir.join("signing-keys.json");
    assert_eq!((mode(&key_dir), mode(&file)), (0o700, 0o600));
    idp.rotate().unwrap();
    assert_eq!(mode(&file), 0o600);
    let names: Vec<_> = fs::read_dir(&key_dir)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["signing-keys.json"], "no drafts are left over");
    assert!(!format!("{idp:?}").contains("pkcs8"));
}

#[test]
fn files_that_others_may_read_or_write_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let key_dir = dir.path().join("keys");
    let start = || LocalIdp::new(config(&key_dir), TestClock::new().clock());
    start().unwrap();
    let file = key_dir.join("signing-keys.json");
    for (path, bad, good) in [(&file, 0o640, 0o600), (&key_dir, 0o770, 0o700)] {
        fs::set_permissions(path, fs::Permissions::from_mode(bad)).unwrap();
        let error = start().unwrap_err();
        assert!(matches!(error, LocalIdpError::TooOpen { .. }), "{error}");
        assert!(
            error.to_string().contains(&format!("has mode {bad:03o}")),
            "{error}"
        );
        fs::set_permissions(path, fs::Permissions::from_mode(good)).unwrap();
        start().unwrap();
    }
}

#[test]
fn a_damaged_key_file_is_reported_and_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let start = || LocalIdp::new(config(dir.path()), TestClock::new().clock());
    start().unwrap();
    let file = dir.path().join("signing-keys.json");
    let good = fs::read_to_string(&file).unwrap();
    let truncated = &good[..good.len() / 2];
    let retired = good.replace("null", "1");
    let foreign = r#"{"keys":[{"pkcs8":"AAAA","publish_until":null}]}"#;
    for content in ["", truncated, r#"{"keys":[]}"#, retired.as_str(), foreign] {
        fs::write(&file, content).unwrap();
        let error = start().unwrap_err();
        assert!(
            matches!(error, LocalIdpError::Damaged { .. }),
            "{content}: {error}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
}

#[test]
fn those_who_start_at_the_same_time_agree_on_one_key() {
    let dir = tempfile::tempdir().unwrap();
    let together = Barrier::new(8);
    let kids: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    together.wait();
                    let idp = LocalIdp::new(config(dir.path()), TestClock::new().clock()).unwrap();
                    kid(&mint(&idp, 60))
                })
            })
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
}
