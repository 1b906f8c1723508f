//! Which settings make sense, and that none shows a password.

use std::{fs, time::Duration};

use redis_link::{Fault, Settings};

fn settings(url: &str) -> Settings {
    Settings::new(url.into())
}

fn faults(settings: Settings) -> Vec<Fault> {
    settings.check().unwrap_err()
}

#[test]
fn urls_that_make_sense() {
    for url in [
        "redis://localhost",
        "redis://localhost/",
        "redis://127.0.0.1:6380/15",
        "redis://[::1]:6379",
        "redis://user:p%40ss%2Fw%3Frd@redis.example:6379/0",
        "redis://:password@host",
        "rediss://host/1",
        "redis-sentinel://one:26379,two,[::1]:7/mymaster",
        "rediss-sentinel://u:p@one,two/mymaster/3",
        "redis-cluster://one:1,two:2,three",
        "rediss-cluster://u:p@one",
    ] {
        settings(url).check().unwrap();
    }
}

#[test]
fn urls_that_do_not() {
    use Fault::{Extras, Host, Hosts, NoMaster, NoPassword, Path, Scheme};
    for (url, expected) in [
        ("", Scheme),
        ("localhost:6379", Scheme),
        ("http://host", Scheme),
        ("redis-ring://host", Scheme),
        ("redisx://host", Scheme),
        ("redis://", Host(1)),
        ("redis://:6379", Host(1)),
        ("redis://host:port", Host(1)),
        ("redis://host:70000", Host(1)),
        ("redis-cluster://one,,two", Host(2)),
        ("redis://one,two", Hosts(2)),
        ("redis://host/x", Path),
        ("redis://host/-1", Path),
        ("redis://host/1/2", Path),
        ("redis-cluster://host/1", Path),
        ("redis-sentinel://host/master/x", Path),
        ("redis-sentinel://host", NoMaster),
        ("redis-sentinel://host//1", NoMaster),
        ("rediss://host/#insecure", Extras),
        ("redis://host?protocol=resp3", Extras),
        ("redis://user@host", NoPassword),
    ] {
        assert_eq!(faults(settings(url)), [expected], "{url}");
    }
}

#[test]
fn every_fault_is_named_at_once_and_no_secret_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let not_pem = dir.path().join("ca.pem");
    fs::write(&not_pem, "hunter2").unwrap();
    let settings = Settings {
        user: Some("somebody".to_owned()),
        password: Some("hunter2".into()),
        sentinel_password: Some("hunter2".into()),
        ca_file: Some(not_pem),
        prefix: "a b".to_owned(),
        deadline: Duration::ZERO,
        ..settings("redis://user:hunter2@one:x,two/y")
    };
    assert!(!format!("{settings:?}").contains("hunter2"));
    let found = settings.check().unwrap_err();
    let said: Vec<String> = found.iter().map(|fault| fault.message("cache")).collect();
    let said = said.join("\n");
    assert!(!said.contains("hunter2"), "{said}");
    for part in [
        "host 1 of cache-url",
        "2 hosts",
        "holds no certificate",
        "cache-prefix",
        "cache-deadline-ms is 0",
    ] {
        assert!(said.contains(part), "no '{part}' in: {said}");
    }
}

#[test]
fn a_login_has_one_place() {
    let url = "redis://user:hunter2@host";
    let twice = Settings {
        password: Some("x".into()),
        ..settings(url)
    };
    assert_eq!(faults(twice), [Fault::TwoPasswords]);
    let two_users = Settings {
        user: Some("other".to_owned()),
        ..settings(url)
    };
    assert_eq!(faults(two_users), [Fault::TwoUsers]);
    let good = Settings {
        user: Some("user".to_owned()),
        password: Some("hunter2".into()),
        ..settings("rediss-cluster://host")
    };
    let good = good.check().unwrap();
    let shown = format!("{good:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn authorities_are_for_tls_only_and_are_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    fs::write(
        &file,
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let with_file = |url| Settings {
        ca_file: Some(file.clone()),
        ..settings(url)
    };
    let plain = faults(with_file("redis://host"));
    assert_eq!(plain, [Fault::AuthoritiesWithoutTls]);
    let broken = faults(with_file("rediss://host"));
    assert!(matches!(broken[..], [Fault::Client(_)]), "{broken:?}");
}

#[test]
fn bounds_hold_on_both_sides() {
    let with = |prefix: usize, deadline: u64| Settings {
        prefix: "x".repeat(prefix),
        deadline: Duration::from_millis(deadline),
        ..settings("redis://host")
    };
    for (prefix, deadline) in [(1, 1), (64, 1_000)] {
        with(prefix, deadline).check().unwrap();
    }
    assert_eq!(faults(with(0, 50)), [Fault::Prefix]);
    assert_eq!(faults(with(65, 50)), [Fault::Prefix]);
    assert_eq!(faults(with(1, 0)), [Fault::Deadline(0)]);
    assert_eq!(faults(with(1, 1_001)), [Fault::Deadline(1_001)]);
}
