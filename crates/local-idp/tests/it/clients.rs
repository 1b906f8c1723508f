//! The clients' file.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Barrier};

use contracts::Scope;
use local_idp::{ClientRegistry, LocalIdpError, RegisteredClient};
use secrecy::ExposeSecret as _;

use crate::harness::scopes;

#[test]
fn a_generated_secret_is_random_and_hidden() {
    let generate = || RegisteredClient::generate("a", scopes(&[Scope::SalesRead])).unwrap();
    let (first, second) = (generate(), generate());
    assert_eq!(
        first.secret.expose_secret().len(),
        43,
        "256 bits in base64url"
    );
    assert_ne!(first.secret.expose_secret(), second.secret.expose_secret());
    assert!(!format!("{first:?}").contains(first.secret.expose_secret()));
}

#[test]
fn secrets_are_kept_and_scopes_follow_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("clients");
    let read = scopes(&[Scope::ContentRead]);
    let first = ClientRegistry::load_or_create(&dir, &[("cli", read.clone())]).unwrap();
    let secret = first.get("cli").unwrap().secret.expose_secret().to_owned();
    assert!(!format!("{first:?}").contains(&secret));
    let file = dir.join("clients.json");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));

    let write = scopes(&[Scope::ContentWrite]);
    let specs = [("gateway", read), ("cli", write.clone())];
    let second = ClientRegistry::load_or_create(&dir, &specs).unwrap();
    let ids: Vec<_> = second
        .clients()
        .iter()
        .map(|client| client.id.as_str())
        .collect();
    assert_eq!(ids, ["gateway", "cli"]);
    assert_eq!(second.get("cli").unwrap().secret.expose_secret(), secret);
    assert_eq!(second.get("cli").unwrap().scopes, write);
    assert_eq!(mode(&file), 0o600);

    // A client that the program no longer has is not let in, but its secret is not lost.
    let third = ClientRegistry::load_or_create(&dir, &specs[..1]).unwrap();
    assert!(third.get("cli").is_none());
    let fourth = ClientRegistry::load_or_create(&dir, &specs).unwrap();
    assert_eq!(fourth.get("cli").unwrap().secret.expose_secret(), secret);
}

#[test]
fn a_clients_file_that_is_open_or_damaged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let load = || ClientRegistry::load_or_create(dir.path(), &[("cli", scopes(&[]))]);
    load().unwrap();
    let file = dir.path().join("clients.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(load().unwrap_err(), LocalIdpError::TooOpen { .. }));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "{\"cli\": [\"hush\"]}").unwrap();
    let error = load().unwrap_err();
    assert!(matches!(error, LocalIdpError::Damaged { .. }), "{error}");
    assert!(!format!("{error:?}").contains("hush"), "{error:?}");
}

#[test]
fn those_who_start_at_the_same_time_agree_on_the_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let together = Barrier::new(8);
    let load = || {
        together.wait();
        let registry = ClientRegistry::load_or_create(dir.path(), &[("cli", scopes(&[]))]).unwrap();
        registry
            .get("cli")
            .unwrap()
            .secret
            .expose_secret()
            .to_owned()
    };
    let secrets: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    assert!(secrets.iter().all(|secret| *secret == secrets[0]));
}
