//! Bringing one's own.

use std::{fs, path::PathBuf};

use local_runtime::{Options, Platform, ProvisionError};

use crate::fake::{Fake, script};

/// A directory that looks like an installation of `version`.
fn installation(fake: &Fake, version: &str) -> PathBuf {
    let root = fake.dir.path().join("own");
    script(
        &root.join("bin/postgres"),
        &format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"),
    );
    script(&root.join("bin/initdb"), "#!/bin/sh\n");
    root
}

fn library(fake: &Fake, content: &[u8]) -> PathBuf {
    let path = fake.dir.path().join("own.so");
    fs::write(&path, content).unwrap();
    path
}

fn reason(error: ProvisionError) -> String {
    match error {
        ProvisionError::OverrideInvalid {
            variable, reason, ..
        } => format!("{variable}: {reason}"),
        other => panic!("unexpected: {other}"),
    }
}

#[tokio::test]
async fn with_both_overrides_nothing_is_downloaded_or_written() {
    let mut fake = Fake::new();
    fake.options.onnxruntime = Some(library(&fake, b"\x7fELF..."));
    fake.options.postgres = Some(installation(&fake, "17.2 (Debian 17.2-1)"));
    fake.options.platform = Platform {
        os: "plan9".into(),
        arch: "mips".into(),
    };
    fake.options.artifacts = None;
    let provisioned = fake.provision().await.unwrap();
    assert_eq!(provisioned.postgres.version(), "17.2");
    assert_eq!(provisioned.postgres.major(), 17);
    assert!(provisioned.onnxruntime.ends_with("own.so"));
    assert!(!fake.cache.path().exists());
}

#[tokio::test]
async fn one_override_leaves_the_other_to_be_provisioned() {
    let mut fake = Fake::new();
    fake.options.postgres = Some(installation(&fake, "18beta1"));
    let provisioned = fake.provision().await.unwrap();
    assert_eq!(provisioned.postgres.major(), 18);
    assert_eq!(fake.calls(), [crate::fake::ONNX]);
}

#[tokio::test]
async fn a_library_must_be_one() {
    let mut fake = Fake::new();
    fake.options.onnxruntime = Some("/nonexistent/lib.so".into());
    let missing = reason(fake.provision().await.unwrap_err());
    assert!(
        missing.starts_with("PROMPTSALES_ONNXRUNTIME: No such file"),
        "{missing}"
    );
    fake.options.onnxruntime = Some(library(&fake, b"not a library"));
    assert!(reason(fake.provision().await.unwrap_err()).contains("not a shared library"));
    fake.options.onnxruntime = Some(fake.dir.path().to_path_buf());
    assert!(reason(fake.provision().await.unwrap_err()).contains("expected the path"));
}

#[tokio::test]
async fn an_installation_must_be_one() {
    let mut fake = Fake::new();
    fake.options.postgres = Some(fake.dir.path().to_path_buf());
    let none = reason(fake.provision().await.unwrap_err());
    assert!(
        none.starts_with("PROMPTSALES_POSTGRES") && none.contains("bin/initdb"),
        "{none}"
    );
    fake.options.postgres = Some(installation(&fake, "15.9"));
    assert!(reason(fake.provision().await.unwrap_err()).contains("expected 16 or newer"));
    fake.options.postgres = Some(installation(&fake, "devel"));
    assert!(reason(fake.provision().await.unwrap_err()).contains("is not a number"));
}

#[test]
fn the_environment_names_the_overrides() {
    let env = |name: &str| match name {
        "PROMPTSALES_ONNXRUNTIME" => Some("/lib.so".to_owned()),
        "PROMPTSALES_POSTGRES" => Some(String::new()),
        _ => None,
    };
    let options = Options::from_env(&env);
    assert_eq!(options.onnxruntime, Some("/lib.so".into()));
    assert_eq!(options.postgres, None);
}
